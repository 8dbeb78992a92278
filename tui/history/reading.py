"""Questions to the database. Each takes any connection and raises sqlite3.Error.

Lists are paged by what was seen last, so that the next page takes as long as the first one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tui.core.text.sanitize import clean_line
from tui.history.board_samples import BoardSample, unpack_samples
from tui.history.records import (
    ConversationRow,
    Order,
    SearchHit,
    StoredConversation,
    StoredTurn,
)
from tui.history.token_times import unpack_times
from tui.history.turn_json import decode_numbers, decode_origin, decode_settings, error_of
from tui.history.words import match_expression, snippet
from tui.history.writer_process import WriterProcess
from tui.history.writing import interrupted

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


_LAST_TURNS = """
LEFT JOIN (SELECT conversation, max(id) AS turn FROM turns GROUP BY conversation) AS last
    ON last.conversation = c.id
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which conversations are listed; what is None or empty is not asked for."""

    title: str = ""
    """A part of the title, in any letter case."""
    tag: str | None = None
    model: str | None = None
    is_pinned: bool | None = None
    is_deleted: bool = False
    """Those whose deletion can be taken back, instead of all others."""


# -- lists -----------------------------------------------------------------------------------------


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
    things were stored: a clock that jumps changes nothing.
    """
    where, values = _conditions(wanted)
    key, joined = "c.id", ""
    if order == "updated":
        key, joined = "coalesce(last.turn, 0)", _LAST_TURNS
    if after is not None:
        newest_turn = "(SELECT coalesce(max(id), 0) FROM turns WHERE conversation = ?)"
        where.append(f"({key}, c.id) < ({newest_turn if joined else '?'}, ?)")
        values += (after, after)
    # The page is chosen first: only for its rows are turns counted.
    page = (
        f"SELECT c.id, {key} AS place FROM conversations AS c {joined}"
        f" WHERE {' AND '.join(where)} ORDER BY {key} DESC, c.id DESC LIMIT ?"
    )
    sql = f"{_ROWS} JOIN ({page}) AS page ON page.id = c.id ORDER BY page.place DESC, c.id DESC"
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
        "SELECT t.conversation FROM turns AS t JOIN conversations AS c ON c.id = t.conversation"
        " WHERE c.deleted_ms IS NULL ORDER BY t.id DESC LIMIT 1"
    ).fetchone()
    return None if found is None else int(found[0])


def tags(connection: sqlite3.Connection) -> list[tuple[str, int]]:
    """Every tag, and how many conversations have it."""
    return connection.execute(
        "SELECT tag, count(*) FROM tags JOIN conversations AS c ON c.id = conversation"
        " WHERE c.deleted_ms IS NULL GROUP BY tag ORDER BY tag"
    ).fetchall()


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
        origin, rate_tps, rate_source, writer = None, None, None, None
        if answer is not None:
            text, rate_tps, rate_source, writer = connection.execute(
                "SELECT o.json, t.decode_tps, t.decode_source, t.writer FROM turns AS t"
                " LEFT JOIN origins AS o ON o.id = t.origin WHERE t.id = ?",
                (answer,),
            ).fetchone()
            origin = decode_origin(text)
        named = connection.execute(
            "SELECT tag FROM tags WHERE conversation = ? ORDER BY tag", (number,)
        ).fetchall()
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
                is_running=living_writer(connection, writer) is not None,
                tags=tuple(clean_line(tag) for (tag,) in named),
                is_tokens_estimated=bool(rough),
                is_decode_estimated=rate_tps is not None
                and rate_source not in ("measured", "runtime"),
            )
        )
    return found


# -- one conversation ------------------------------------------------------------------------------

_TURNS = """
SELECT t.id, t.parent, t.role, t.created_ms, coalesce(b.text, ''), coalesce(b.thinking, ''),
    t.status, t.error_kind, t.error, o.json, p.json, b.numbers, t.writer
FROM turns AS t LEFT JOIN bodies AS b ON b.turn = t.id LEFT JOIN origins AS o ON o.id = t.origin
    LEFT JOIN parameters AS p ON p.id = t.parameters
"""

_BRANCH = """
WITH RECURSIVE branch (id, parent, depth) AS (
    SELECT id, parent, 0 FROM turns WHERE id = ?
    UNION ALL SELECT t.id, t.parent, depth + 1 FROM turns AS t JOIN branch ON t.id = branch.parent
)
"""


def conversation(
    connection: sqlite3.Connection,
    number: int,
    *,
    is_tree: bool = False,
    leaf: int | None = None,
) -> StoredConversation | None:
    """A conversation along its chosen branch, or the one that ends at ``leaf``; with ``is_tree``
    all turns in the order in which they were made. None where there is none."""
    row = conversation_row(connection, number)
    if row is None:
        return None
    chosen = leaf if leaf is not None else chosen_leaf(connection, number)
    if is_tree:
        rows = connection.execute(f"{_TURNS} WHERE t.conversation = ? ORDER BY t.id", (number,))
    else:
        rows = connection.execute(
            f"{_BRANCH} {_TURNS} JOIN branch ON branch.id = t.id WHERE t.conversation = ?"
            " ORDER BY branch.depth DESC",
            (chosen, number),
        )
    found = tuple(_turn(connection, *values) for values in rows.fetchall())
    return StoredConversation(row, found, chosen)


def chosen_leaf(connection: sqlite3.Connection, number: int) -> int | None:
    """The last turn of the chosen branch; the newest turn where none was chosen."""
    found = connection.execute(
        "SELECT coalesce(leaf, (SELECT max(id) FROM turns WHERE conversation = c.id))"
        " FROM conversations AS c WHERE id = ?",
        (number,),
    ).fetchone()
    return None if found is None or found[0] is None else int(found[0])


def turn(connection: sqlite3.Connection, number: int) -> StoredTurn | None:
    """One turn; None where there is none."""
    values = connection.execute(f"{_TURNS} WHERE t.id = ?", (number,)).fetchone()
    return None if values is None else _turn(connection, *values)


def siblings(connection: sqlite3.Connection, number: int) -> list[int]:
    """The turns that stand at the same place of the tree, this one among them, oldest first."""
    rows = connection.execute(
        "SELECT s.id FROM turns AS t JOIN turns AS s ON s.conversation = t.conversation"
        " AND s.parent IS t.parent AND s.role = t.role WHERE t.id = ? ORDER BY s.id",
        (number,),
    )
    return [int(sibling) for (sibling,) in rows]


def newest_leaf_below(connection: sqlite3.Connection, number: int) -> int:
    """Where the branch ends that goes through this turn and then always takes the newest turn."""
    while True:
        found = connection.execute(
            "SELECT max(id) FROM turns WHERE parent = ?", (number,)
        ).fetchone()
        if found is None or found[0] is None:
            return number
        number = int(found[0])


def times_ns(connection: sqlite3.Connection, answer: int) -> list[int]:
    """When each chunk of an answer arrived, in ns from its request on. Raises ValueError where
    they are damaged."""
    kept = connection.execute("SELECT times FROM traces WHERE turn = ?", (answer,)).fetchone()
    if kept is not None:
        return unpack_times(kept[0])
    rows = connection.execute("SELECT times FROM pieces WHERE turn = ? ORDER BY place", (answer,))
    return [t_ns for (data,) in rows for t_ns in unpack_times(data)]


def board_samples(connection: sqlite3.Connection, answer: int) -> list[BoardSample]:
    """The samples of the board while an answer ran. Raises ValueError where they are damaged."""
    kept = connection.execute("SELECT board FROM traces WHERE turn = ?", (answer,)).fetchone()
    if kept is not None:
        return unpack_samples(kept[0])
    rows = connection.execute("SELECT board FROM pieces WHERE turn = ? ORDER BY place", (answer,))
    return [sample for (data,) in rows for sample in unpack_samples(data)]


def _turn(
    connection: sqlite3.Connection,
    number: int,
    parent: int | None,
    role: str,
    created_ms: int,
    text: str,
    thinking: str,
    status: str | None,
    error_kind: str | None,
    error: str | None,
    origin: str | None,
    parameters: str | None,
    numbers: str | None,
    writer: int | None,
) -> StoredTurn:
    failure, known = error_of(error_kind, error), decode_numbers(numbers)
    if status == "running":
        # What is not put together yet; also of a process that was killed, until one may write.
        so_far = interrupted(connection, number)
        text, thinking = so_far.text, so_far.thinking
        known = {**(decode_numbers("{}") or {}), **so_far.numbers}
        if living_writer(connection, writer) is None:
            status, failure = so_far.status, so_far.error
    return StoredTurn(
        id=number,
        parent=parent,
        role="user" if role == "user" else "assistant",
        created_ms=created_ms,
        text=text,
        thinking=thinking,
        status=status,  # type: ignore[arg-type]
        error=failure,
        origin=decode_origin(origin),
        settings=decode_settings(parameters),
        numbers=known,
    )


def living_writer(connection: sqlite3.Connection, writer: int | None) -> WriterProcess | None:
    """The process of that writer; None where it is gone."""
    if writer is None:
        return None
    found = connection.execute(
        "SELECT pid, started_ticks, boot_id FROM writers WHERE id = ?", (writer,)
    ).fetchone()
    process = None if found is None else WriterProcess(*found)
    return process if process is not None and process.is_alive else None


# -- search ----------------------------------------------------------------------------------------


def search(
    connection: sqlite3.Connection, query: str, *, limit: int = 50, before: int | None = None
) -> list[SearchHit]:
    """Turns with all these words, newest first; none where the query has no word.

    ``before`` is the turn of the last hit of the page before. ``"words in quotes"`` have to follow
    each other.
    """
    expression = match_expression(query)
    if expression is None:
        return []
    rows = connection.execute(
        "SELECT t.conversation, c.title, t.id, t.role, t.created_ms, b.text FROM words"
        " JOIN bodies AS b ON b.turn = words.rowid JOIN turns AS t ON t.id = words.rowid"
        " JOIN conversations AS c ON c.id = t.conversation"
        " WHERE words MATCH ? AND words.rowid < ? AND c.deleted_ms IS NULL"
        " ORDER BY words.rowid DESC LIMIT ?",
        (expression, 2**62 if before is None else before, limit),
    ).fetchall()
    return [
        SearchHit(number, clean_line(title), turn, role, created_ms, snippet(text, query))
        for number, title, turn, role, created_ms, text in rows
    ]


def size_bytes(connection: sqlite3.Connection) -> int:
    """What is used of the file."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * size)


def count_turns(connection: sqlite3.Connection) -> int:
    """All prompts and answers."""
    return int(connection.execute("SELECT count(*) FROM turns").fetchone()[0])


def schema(connection: sqlite3.Connection) -> int:
    """The version of the tables."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def unreadable(connection: sqlite3.Connection) -> list[str]:
    """What is stored whole and cannot be unpacked, a sentence each."""
    found = []
    for number, times, board in connection.execute("SELECT turn, times, board FROM traces"):
        if not _unpacks(unpack_times, times):
            found.append(f"the times of turn {number} are damaged")
        if not _unpacks(unpack_samples, board):
            found.append(f"the board samples of turn {number} are damaged")
    return found


def _unpacks(unpack: Callable[[bytes], object], data: bytes) -> bool:
    try:
        unpack(data)
    except ValueError:
        return False
    return True


def deleted_since(connection: sqlite3.Connection, since_ms: int) -> set[int]:
    """Conversations that were deleted since then."""
    rows = connection.execute("SELECT id FROM conversations WHERE deleted_ms >= ?", (since_ms,))
    return {int(number) for (number,) in rows}


def oldest_first(connection: sqlite3.Connection) -> list[tuple[int, int, int]]:
    """(conversation, ms of its newest turn, 1 where it is deleted) of all that may be pruned: not
    pinned, and nobody writes in it."""
    return connection.execute(
        "SELECT c.id, coalesce((SELECT max(created_ms) FROM turns WHERE conversation = c.id),"
        " c.created_ms), c.deleted_ms IS NOT NULL FROM conversations AS c WHERE NOT c.is_pinned"
        " AND NOT EXISTS (SELECT 1 FROM turns WHERE conversation = c.id AND status = 'running')"
        " ORDER BY c.id"
    ).fetchall()
