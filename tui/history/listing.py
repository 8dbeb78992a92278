"""Lists of conversations, and one row of such a list.

Each function takes any connection and raises sqlite3.Error. Lists are paged by what was seen last,
so that the next page takes as long as the first one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from tui.core.text.sanitize import clean_line
from tui.history.records import ConversationRow, Order
from tui.history.turn_json import decode_origin
from tui.history.writer_process import living_writer

MAX_FIRST_LINE_CHARS = 200

_ROWS = """
SELECT c.id, c.uid, c.title, c.created_ms, c.is_pinned,
    (SELECT count(*) FROM turns WHERE conversation = c.id),
    (SELECT coalesce(sum(tokens), 0) FROM turns WHERE conversation = c.id AND role = 'assistant'),
    (SELECT max(id) FROM turns WHERE conversation = c.id),
    (SELECT max(id) FROM turns WHERE conversation = c.id AND role = 'assistant'),
    (SELECT min(id) FROM turns WHERE conversation = c.id AND role = 'user'),
    EXISTS (
        SELECT 1 FROM turns WHERE conversation = c.id AND role = 'assistant' AND tokens > 0
            AND coalesce(tokens_source, 'unknown') NOT IN ('measured', 'runtime')
    )
FROM conversations AS c
"""


_BEGUN = """
SELECT c.id AS id, coalesce(i.after_conversation, c.id) AS place,
    iif(i.conversation IS NULL, 0, c.created_ms) AS ms
FROM conversations AS c LEFT JOIN imports AS i ON i.conversation = c.id
"""
_UPDATED = """
SELECT c.id AS id, iif(i.last_turn = last.turn, i.after_turn, coalesce(last.turn, 0)) AS place,
    iif(i.last_turn = last.turn, (SELECT created_ms FROM turns WHERE id = last.turn), 0) AS ms
FROM conversations AS c LEFT JOIN imports AS i ON i.conversation = c.id
    LEFT JOIN (SELECT conversation, max(id) AS turn FROM turns GROUP BY conversation) AS last
    ON last.conversation = c.id
"""
"""Where a conversation stands: by ``place``, ``ms`` and ``id``."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Filter of a list; None or empty fields do not filter."""

    title: str = ""
    """A part of the title, in any letter case."""
    tag: str | None = None
    model: str | None = None
    is_pinned: bool | None = None
    is_deleted: bool = False
    """Those whose deletion can be taken back, instead of all others."""


def conversations(
    connection: sqlite3.Connection,
    *,
    wanted: Filter = Filter(),
    order: Order = "created",
    limit: int = -1,
    after: int | None = None,
) -> list[ConversationRow]:
    """The newest first: by when they were begun, or by their newest turn.

    ``after`` is the id of the last conversation of the page before. The order is that in which
    things were stored: a clock that jumps changes nothing. Imports stand among them by their time.
    """
    where, values = _conditions(wanted)
    places = _BEGUN if order == "created" else _UPDATED
    if after is not None:
        last = connection.execute(f"{places} WHERE c.id = ?", (after,)).fetchone()
        if last is not None:
            where.append("(place, ms, c.id) < (?, ?, ?)")
            values += (last[1], last[2], last[0])
    # The page is chosen first: only for its rows are turns counted.
    page = f"{places} WHERE {' AND '.join(where)} ORDER BY place DESC, ms DESC, c.id DESC LIMIT ?"
    sql = (
        f"{_ROWS} JOIN ({page}) AS page ON page.id = c.id"
        " ORDER BY page.place DESC, page.ms DESC, c.id DESC"
    )
    rows = connection.execute(sql, (*values, limit)).fetchall()
    return _with_details(connection, rows)


def count(connection: sqlite3.Connection, wanted: Filter = Filter()) -> int:
    """How many conversations such a list has."""
    where, values = _conditions(wanted)
    sql = f"SELECT count(*) FROM conversations AS c WHERE {' AND '.join(where)}"
    return int(connection.execute(sql, values).fetchone()[0])


def conversation_row(connection: sqlite3.Connection, conversation: int) -> ConversationRow | None:
    """One conversation, also a deleted one; None where there is none."""
    rows = connection.execute(f"{_ROWS} WHERE c.id = ?", (conversation,)).fetchall()
    return next(iter(_with_details(connection, rows)), None)


def newest(connection: sqlite3.Connection) -> int | None:
    """The conversation with the newest turn; None where there is none."""
    found = connection.execute(
        f"{_UPDATED} WHERE c.deleted_ms IS NULL AND last.turn IS NOT NULL"
        " ORDER BY place DESC, ms DESC, c.id DESC LIMIT 1"
    ).fetchone()
    return None if found is None else int(found[0])


def _conditions(wanted: Filter) -> tuple[list[str], list[object]]:
    where = [f"c.deleted_ms IS {'NOT ' if wanted.is_deleted else ''}NULL"]
    values: list[object] = []
    if wanted.title.strip():
        where.append("instr(lower(c.title), lower(?)) > 0")
        values.append(wanted.title.strip())
    if wanted.tag is not None:
        where.append("c.id IN (SELECT conversation FROM tags WHERE tag = ?)")
        values.append(wanted.tag)
    if wanted.model is not None:
        where.append(
            "c.id IN (SELECT t.conversation FROM turns AS t JOIN origins AS o ON o.id = t.origin"
            " WHERE json_extract(o.json, '$.model') = ?)"
        )
        values.append(wanted.model)
    if wanted.is_pinned is not None:
        where.append("c.is_pinned = ?")
        values.append(int(wanted.is_pinned))
    return where, values


def _with_details(
    connection: sqlite3.Connection, rows: Sequence[tuple[int, ...]]
) -> list[ConversationRow]:
    found = []
    for (
        number,
        uid,
        title,
        created_ms,
        is_pinned,
        turns,
        tokens,
        last,
        answer,
        first,
        rough,
    ) in rows:
        newest_ms, line = created_ms, ""
        if last is not None:
            (newest_ms,) = connection.execute(
                "SELECT created_ms FROM turns WHERE id = ?", (last,)
            ).fetchone()
        if first is not None:
            (line,) = connection.execute(
                "SELECT substr(text, 1, ?) FROM bodies WHERE turn = ?",
                (MAX_FIRST_LINE_CHARS, first),
            ).fetchone()
        origin, rate_tps, rate_source, writer, status = None, None, None, None, None
        if answer is not None:
            text, rate_tps, rate_source, writer, status = connection.execute(
                "SELECT o.json, t.decode_tps, t.decode_source, t.writer, t.status FROM turns AS t"
                " LEFT JOIN origins AS o ON o.id = t.origin WHERE t.id = ?",
                (answer,),
            ).fetchone()
            origin = decode_origin(text)
        named = connection.execute(
            "SELECT tag FROM tags WHERE conversation = ? ORDER BY tag", (number,)
        ).fetchall()
        is_running = living_writer(connection, writer) is not None
        if status == "running" and not is_running:
            status = "interrupted"
        found.append(
            ConversationRow(
                id=number,
                uid=str(uid),
                title=clean_line(str(title)),
                created_ms=created_ms,
                updated_ms=newest_ms,
                model=None if origin is None else clean_line(origin.model) or None,
                turns=turns,
                tokens=tokens,
                decode_tps=rate_tps,
                first_line=clean_line(str(line)),
                is_pinned=bool(is_pinned),
                is_simulated=origin is not None and origin.is_simulated,
                is_running=is_running,
                status=status,  # type: ignore[arg-type]
                tags=tuple(clean_line(tag) for (tag,) in named),
                is_tokens_estimated=bool(rough),
                is_decode_estimated=rate_tps is not None
                and rate_source not in ("measured", "runtime"),
            )
        )
    return found
