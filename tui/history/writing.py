"""Functions that change the database, each on the writing connection.

Each is to be called inside :func:`tui.history.database.transaction`, except where it says that it
makes its own. All raise sqlite3.Error.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tui.core.text.sanitize import clean_line
from tui.core.turn.chunk_log import ChunkMeaning
from tui.core.types import GenerationSettings, Phase, TurnError, TurnStatus
from tui.history.long_words import in_rows, store_more
from tui.history.records import Origin, TurnRole
from tui.history.search_terms import MAX_INDEXED_CHARS, indexed
from tui.history.turn_json import encode_numbers, encode_origin, encode_settings

MAX_TITLE_CHARS = 80
UNTITLED = "untitled"


@dataclass(frozen=True, slots=True)
class FinishedAnswer:
    """How an answer ended: all that is stored of it. Times are ns from the request on."""

    text: str | Iterable[str]
    """Whole, or in pieces."""
    thinking: str | Iterable[str]
    status: TurnStatus
    error: TurnError | None
    tokens: int | None
    decode_tps: float | None
    numbers: dict[str, object]
    times: bytes
    """:func:`tui.history.token_times.pack_times`"""
    board: bytes = b""
    """:func:`tui.history.board_samples.pack_samples`"""
    ends: bytes | None = None
    """:func:`tui.history.chunk_ends.pack_ends`; None where it is not known which words a chunk
    brought."""


def title_of(prompt: str) -> str:
    """Default title of a conversation: the first words of its first prompt."""
    first = next((line for line in prompt.splitlines() if line.strip()), "")
    return clean_line(first, MAX_TITLE_CHARS) or UNTITLED


# -- conversations and turns -----------------------------------------------------------------------


def add_conversation(
    connection: sqlite3.Connection, title: str, created_ms: int, uid: str | None = None
) -> int:
    """A new conversation without turns; returns its id."""
    cursor = connection.execute(
        "INSERT INTO conversations (uid, title, created_ms) VALUES (?, ?, ?)",
        (uid or uuid.uuid4().hex, title, created_ms),
    )
    return new_id(cursor)


def add_turn(
    connection: sqlite3.Connection,
    conversation: int,
    parent: int | None,
    role: TurnRole,
    text: str,
    created_ms: int,
) -> int:
    """A turn that is whole; returns its id. It becomes the end of the chosen branch."""
    cursor = connection.execute(
        "INSERT INTO turns (conversation, parent, role, created_ms) VALUES (?, ?, ?, ?)",
        (conversation, parent, role, created_ms),
    )
    turn = new_id(cursor)
    connection.execute("INSERT INTO bodies (turn, text) VALUES (?, ?)", (turn, text))
    _index(connection, turn, text)
    choose_leaf(connection, conversation, turn)
    return turn


def begin_answer(
    connection: sqlite3.Connection,
    conversation: int,
    prompt: int,
    writer: int,
    origin: Origin,
    settings: GenerationSettings,
    created_ms: int,
) -> int:
    """An answer of which nothing has come; returns its id. It becomes the end of the branch."""
    cursor = connection.execute(
        "INSERT INTO turns (conversation, parent, role, status, writer, origin, parameters,"
        " created_ms) VALUES (?, ?, 'assistant', 'running', ?, ?, ?, ?)",
        (
            conversation,
            prompt,
            writer,
            shared(connection, "origins", encode_origin(origin)),
            shared(connection, "parameters", encode_settings(settings)),
            created_ms,
        ),
    )
    turn = new_id(cursor)
    choose_leaf(connection, conversation, turn)
    return turn


def set_origin(connection: sqlite3.Connection, answer: int, origin: Origin) -> None:
    """Who gave an answer, where that was not known when it began."""
    row = shared(connection, "origins", encode_origin(origin))
    connection.execute("UPDATE turns SET origin = ? WHERE id = ?", (row, answer))


def shared(connection: sqlite3.Connection, table: str, text: str) -> int:
    """The row of ``origins`` or ``parameters`` with that JSON, made where it is missing."""
    connection.execute(f"INSERT OR IGNORE INTO {table} (json) VALUES (?)", (text,))
    (found,) = connection.execute(f"SELECT id FROM {table} WHERE json = ?", (text,)).fetchone()
    return int(found)


@dataclass(frozen=True, slots=True)
class LiveState:
    """How far an answer is. ``t0_ns`` is when its request was sent, by ``perf_counter_ns``; while
    the prompt waits, when it was asked. ``wait`` is what it waits for, as a clause."""

    t0_ns: int
    phase: Phase
    wait: str | None
    chunk_meaning: ChunkMeaning


def set_live(connection: sqlite3.Connection, answer: int, state: LiveState) -> None:
    """Says how far an answer is that is being written."""
    connection.execute(
        "INSERT INTO live (turn, t0_ns, phase, wait, chunk_meaning) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (turn) DO UPDATE SET t0_ns = excluded.t0_ns, phase = excluded.phase,"
        " wait = excluded.wait, chunk_meaning = excluded.chunk_meaning",
        (answer, state.t0_ns, state.phase.value, state.wait, state.chunk_meaning),
    )


def want_stop(connection: sqlite3.Connection, answer: int, now_ms: int) -> bool:
    """Asks the process that writes an answer to stop it. False where nobody writes it any more.

    Needs no transaction around it.
    """
    changed = connection.execute(
        "UPDATE live SET stop_wanted_ms = ? WHERE turn = ?", (now_ms, answer)
    )
    return bool(changed.rowcount)


def is_stop_wanted(connection: sqlite3.Connection, answer: int) -> bool:
    """Whether another process has asked for the end of this answer."""
    found = connection.execute(
        "SELECT 1 FROM live WHERE turn = ? AND stop_wanted_ms IS NOT NULL", (answer,)
    ).fetchone()
    return found is not None


def detach(connection: sqlite3.Connection, answer: int) -> None:
    """Marks the answer as detached: its npulse has no terminal any more."""
    connection.execute("INSERT OR IGNORE INTO detached (turn) VALUES (?)", (answer,))


def note_shown(connection: sqlite3.Connection, answer: int) -> None:
    """The end of a detached answer was shown."""
    connection.execute("DELETE FROM detached WHERE turn = ?", (answer,))


def choose_leaf(connection: sqlite3.Connection, conversation: int, turn: int | None) -> None:
    """Makes the branch that ends there the chosen one."""
    connection.execute("UPDATE conversations SET leaf = ? WHERE id = ?", (turn, conversation))


# -- the answer that is being written --------------------------------------------------------------


def add_piece(
    connection: sqlite3.Connection,
    answer: int,
    text: str,
    thinking: str,
    times: bytes,
    board: bytes = b"",
    ends: bytes | None = None,
) -> None:
    """What is new in an answer. Needs no transaction around it."""
    connection.execute(
        "INSERT INTO pieces (turn, place, text, thinking, times, board, ends) VALUES (?1, (SELECT"
        " coalesce(max(place), 0) + 1 FROM pieces WHERE turn = ?1), ?2, ?3, ?4, ?5, ?6)",
        (answer, text, thinking, times, board, ends),
    )


def drop_pieces(connection: sqlite3.Connection, answer: int) -> None:
    """Forgets what was journalled of an answer."""
    connection.execute("DELETE FROM pieces WHERE turn = ?", (answer,))


def replace_pieces(connection: sqlite3.Connection, answer: int, board: bytes) -> None:
    """Forgets the words that were journalled, but not the samples of the board. The places of new
    pieces go on from there: that tells a reader that what it read is not true any more."""
    last = connection.execute("SELECT max(place) FROM pieces WHERE turn = ?", (answer,)).fetchone()
    drop_pieces(connection, answer)
    connection.execute(
        "INSERT INTO pieces (turn, place, text, thinking, times, board)"
        " VALUES (?, ?, '', '', ?, ?)",
        (answer, (last[0] or 0) + 1, b"", board),
    )


def finish_answer(connection: sqlite3.Connection, answer: int, end: FinishedAnswer) -> None:
    """Stores the whole answer in the place of its pieces. May be repeated with better numbers."""
    known = connection.execute(
        "SELECT substr(text, 1, ?) FROM bodies WHERE turn = ?", (MAX_INDEXED_CHARS, answer)
    ).fetchone()
    if known is not None:
        _unindex(connection, answer, known[0])
    error = end.error
    changed = connection.execute(
        "UPDATE turns SET status = ?, error_kind = ?, error = ?, writer = NULL, tokens = ?,"
        " tokens_source = ?, decode_tps = ?, decode_source = ? WHERE id = ?",
        (
            end.status,
            None if error is None else error.kind,
            None if error is None else error.sentence,
            end.tokens,
            end.numbers.get("tokens_source"),
            end.decode_tps,
            end.numbers.get("decode_source"),
            answer,
        ),
    )
    if not changed.rowcount:
        raise sqlite3.IntegrityError("the answer was removed")
    texts, thoughts = in_rows(end.text), in_rows(end.thinking)
    text = next(texts, "")
    connection.execute(
        "INSERT OR REPLACE INTO bodies (turn, text, thinking, numbers) VALUES (?, ?, ?, ?)",
        (answer, text, next(thoughts, ""), encode_numbers(end.numbers)),
    )
    store_more(connection, answer, texts, thoughts)
    connection.execute(
        "INSERT OR REPLACE INTO traces (turn, times, board, ends) VALUES (?, ?, ?, ?)",
        (answer, end.times, end.board, end.ends),
    )
    drop_pieces(connection, answer)
    connection.execute("DELETE FROM live WHERE turn = ?", (answer,))
    _index(connection, answer, text)


# -- what a user changes ---------------------------------------------------------------------------


def rename(connection: sqlite3.Connection, conversation: int, title: str) -> None:
    """Gives a conversation a name, sanitised."""
    name = clean_line(title, MAX_TITLE_CHARS) or UNTITLED
    connection.execute("UPDATE conversations SET title = ? WHERE id = ?", (name, conversation))


def set_pinned(connection: sqlite3.Connection, conversation: int, is_pinned: bool) -> None:
    """A pinned conversation is listed first and never pruned."""
    connection.execute(
        "UPDATE conversations SET is_pinned = ? WHERE id = ?", (int(is_pinned), conversation)
    )


def set_tags(connection: sqlite3.Connection, conversation: int, tags: Sequence[str]) -> None:
    """These tags and no others, sanitised."""
    connection.execute("DELETE FROM tags WHERE conversation = ?", (conversation,))
    names = {clean_line(tag, MAX_TITLE_CHARS) for tag in tags} - {""}
    connection.executemany(
        "INSERT INTO tags (conversation, tag) VALUES (?, ?)",
        [(conversation, name) for name in sorted(names)],
    )


def delete(connection: sqlite3.Connection, conversation: int, now_ms: int) -> None:
    """Hides it from all lists. :func:`undelete` restores it until it is purged."""
    connection.execute(
        "UPDATE conversations SET deleted_ms = ? WHERE id = ?", (now_ms, conversation)
    )


def undelete(connection: sqlite3.Connection, conversation: int) -> None:
    """Undoes a deletion."""
    connection.execute("UPDATE conversations SET deleted_ms = NULL WHERE id = ?", (conversation,))


def purge(connection: sqlite3.Connection, conversations: Sequence[int]) -> None:
    """Removes conversations for good, and what nothing else refers to any more."""
    for conversation in conversations:
        rows = connection.execute(
            "SELECT id, substr(text, 1, ?) FROM turns JOIN bodies ON turn = id"
            " WHERE conversation = ?",
            (MAX_INDEXED_CHARS, conversation),
        )
        for turn, text in rows.fetchall():
            _unindex(connection, turn, text)
        connection.execute("DELETE FROM turns WHERE conversation = ?", (conversation,))
        connection.execute("DELETE FROM conversations WHERE id = ?", (conversation,))
    for table, column in (("origins", "origin"), ("parameters", "parameters")):
        connection.execute(
            f"DELETE FROM {table} WHERE id NOT IN"
            f" (SELECT {column} FROM turns WHERE {column} IS NOT NULL)"
        )


def _index(connection: sqlite3.Connection, turn: int, text: str) -> None:
    if text:
        connection.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (turn, indexed(text)))


def _unindex(connection: sqlite3.Connection, turn: int, text: str) -> None:
    if text:
        connection.execute(
            "INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)", (turn, indexed(text))
        )


def new_id(cursor: sqlite3.Cursor) -> int:
    """The row that this cursor has just added."""
    assert cursor.lastrowid is not None
    return cursor.lastrowid
