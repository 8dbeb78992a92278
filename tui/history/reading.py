"""Reads conversations, turns and measurements; full-text search.

Each function takes any connection and raises sqlite3.Error.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tui.core.text.sanitize import clean_line
from tui.core.turn.chunk_words import ChunkEnds
from tui.history.board_samples import BoardSample, unpack_samples
from tui.history.chunk_ends import joined_ends, unpack_ends
from tui.history.listing import conversation_row
from tui.history.long_words import joined, whole
from tui.history.records import (
    AskedAnswer,
    SearchHit,
    StoredConversation,
    StoredTurn,
)
from tui.history.search_terms import match_expression, snippet
from tui.history.token_times import unpack_times
from tui.history.turn_json import decode_numbers, decode_origin, decode_settings, error_of
from tui.history.writer_process import living_writer
from tui.history.writers import interrupted

_TURNS = """
SELECT t.id, t.parent, t.role, t.created_ms, coalesce(b.text, ''), coalesce(b.thinking, ''),
    t.status, t.error_kind, t.error, o.json, p.json, b.numbers, t.writer
FROM turns AS t LEFT JOIN bodies AS b ON b.turn = t.id LEFT JOIN origins AS o ON o.id = t.origin
    LEFT JOIN parameters AS p ON p.id = t.parameters
"""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AnswerTrace:
    """An answer, its prompt, and what was measured while it ran: times of its chunks in ns from the
    request on, samples of the board, and which words each chunk brought."""

    prompt: str
    answer: StoredTurn
    times_ns: list[int]
    samples: list[BoardSample]
    ends: ChunkEnds | None


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


def asked_answer(connection: sqlite3.Connection, number: int) -> AskedAnswer | None:
    """A turn with the prompt before it; None where there is none."""
    found = turn(connection, number)
    if found is None:
        return None
    prompt = None if found.parent is None else turn(connection, found.parent)
    return AskedAnswer(found, "" if prompt is None else prompt.text)


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


def chunk_ends(connection: sqlite3.Connection, answer: int) -> ChunkEnds | None:
    """Which words each chunk of an answer brought; None where that was not recorded. Raises
    ValueError where it is damaged."""
    kept = connection.execute("SELECT ends FROM traces WHERE turn = ?", (answer,)).fetchone()
    if kept is not None:
        return None if kept[0] is None else unpack_ends(kept[0])
    rows = connection.execute("SELECT ends FROM pieces WHERE turn = ? ORDER BY place", (answer,))
    pieces = [data for (data,) in rows]
    known = [unpack_ends(data) for data in pieces if data is not None]
    return joined_ends(known) if len(known) == len(pieces) else None


def trace(connection: sqlite3.Connection, answer: int) -> AnswerTrace | None:
    """An answer with everything that was measured while it ran; None where there is none. What is
    damaged is left out."""
    found = turn(connection, answer)
    if found is None or found.role != "assistant":
        return None
    asked = None if found.parent is None else turn(connection, found.parent)
    return AnswerTrace(
        prompt="" if asked is None else asked.text,
        answer=found,
        times_ns=_readable(times_ns, connection, answer) or [],
        samples=_readable(board_samples, connection, answer) or [],
        ends=_readable(chunk_ends, connection, answer),
    )


def _readable(
    read: Callable[[sqlite3.Connection, int], T], connection: sqlite3.Connection, answer: int
) -> T | None:
    try:
        return read(connection, answer)
    except ValueError:
        return None


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
    text, thinking = whole(connection, number, text, thinking)
    if status == "running":
        # What is not put together yet; also of a process that was killed, until one may write.
        so_far = interrupted(connection, number)
        text, thinking = joined(so_far.text), joined(so_far.thinking)
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
