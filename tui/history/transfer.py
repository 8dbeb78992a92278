"""Copies conversations between databases, in a plain form.

The form is also that of our JSON export (``npulse-history/1``): turns refer to each other by their
``id`` within the conversation, times of chunks are microseconds from the request on.
"""

from __future__ import annotations

import sqlite3
import time
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import get_args

from tui.core.text.sanitize import clean, clean_line
from tui.core.turn.chunk_words import ChunkEnds
from tui.core.types import GenerationSettings, NumberSource, TurnError, TurnStatus
from tui.history import reading, writing
from tui.history.board_samples import BoardSample, pack_samples
from tui.history.chunk_ends import pack_ends
from tui.history.database import transaction
from tui.history.records import Origin, TurnRole
from tui.history.token_times import pack_times
from tui.history.turn_json import encode_numbers, encode_origin, encode_settings

MAX_UID_CHARS = 200
Numbers = dict[str, object]


@dataclass(frozen=True, slots=True)
class PlainTurn:
    """A turn without a database. ``parent`` is the ``id`` of another turn of the conversation."""

    id: str
    parent: str | None
    role: TurnRole
    text: str
    created_ms: int = 0
    thinking: str = ""
    status: TurnStatus | None = None
    error: TurnError | None = None
    origin: Origin | None = None
    settings: GenerationSettings | None = None
    numbers: Numbers | None = None
    times_us: tuple[int, ...] = ()
    board: tuple[BoardSample, ...] = ()
    ends: ChunkEnds | None = None
    """Which words each chunk brought; None where it is not known."""


@dataclass(frozen=True, slots=True)
class PlainConversation:
    """A conversation without a database. ``uid`` tells whether another database has it already."""

    uid: str
    title: str
    created_ms: int
    turns: tuple[PlainTurn, ...] = ()
    leaf: str | None = None
    """The last turn of the chosen branch."""
    is_pinned: bool = False
    tags: tuple[str, ...] = field(default=())


def plain(
    connection: sqlite3.Connection,
    number: int,
    *,
    is_tree: bool = True,
    leaf: int | None = None,
) -> PlainConversation | None:
    """A stored conversation, whole or along its chosen branch, or the one that ends at ``leaf``;
    None where there is none.

    Raises sqlite3.Error. Times and samples that are damaged are left out.
    """
    found = reading.conversation(connection, number, is_tree=is_tree, leaf=leaf)
    if found is None:
        return None
    turns = tuple(
        PlainTurn(
            id=str(turn.id),
            parent=None if turn.parent is None else str(turn.parent),
            role=turn.role,
            text=turn.text,
            created_ms=turn.created_ms,
            thinking=turn.thinking,
            # Some npulse still writes it: this copy ends here.
            status="interrupted" if turn.status == "running" else turn.status,
            error=turn.error,
            origin=turn.origin,
            settings=turn.settings,
            numbers=None if turn.numbers is None else dict(turn.numbers),
            times_us=tuple(_times_us(connection, turn.id)),
            board=tuple(_board(connection, turn.id)),
            ends=_ends(connection, turn.id),
        )
        for turn in found.turns
    )
    row = found.row
    end = None if found.leaf is None else str(found.leaf)
    return PlainConversation(
        row.uid, row.title, row.created_ms, turns, end, row.is_pinned, row.tags
    )


class MadeHere:
    """Local conversations and turns by time, for placing imported ones.

    Reads the database once; raises sqlite3.Error.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._conversations = _Latest(
            connection.execute(
                "SELECT created_ms, id FROM conversations"
                " WHERE id NOT IN (SELECT conversation FROM imports)"
            )
        )
        self._turns = _Latest(
            connection.execute(
                "SELECT t.created_ms, t.id FROM turns AS t"
                " LEFT JOIN imports AS i ON i.conversation = t.conversation"
                " WHERE i.conversation IS NULL OR t.id > i.last_turn"
            )
        )

    def place(self, connection: sqlite3.Connection, number: int, created_ms: int) -> None:
        """Places an imported conversation by its time."""
        last = connection.execute(
            "SELECT id, created_ms FROM turns WHERE conversation = ? ORDER BY id DESC LIMIT 1",
            (number,),
        ).fetchone()
        turn, updated_ms = (0, created_ms) if last is None else last
        connection.execute(
            "INSERT INTO imports (conversation, last_turn, after_turn, after_conversation)"
            " VALUES (?, ?, ?, ?)",
            (
                number,
                turn,
                self._turns.before(updated_ms),
                self._conversations.before(created_ms),
            ),
        )


class _Latest:
    """The highest id that there was at a time, out of rows of (ms, id)."""

    def __init__(self, rows: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(rows)
        self._times_ms = [ms for ms, _ in ordered]
        self._ids = list(accumulate((number for _, number in ordered), max))

    def before(self, ms: int) -> int:
        at = bisect_right(self._times_ms, ms)
        return self._ids[at - 1] if at else 0


def add(
    connection: sqlite3.Connection, wanted: PlainConversation, made_here: MadeHere | None = None
) -> int | None:
    """Stores a conversation, sanitised; returns its id, or None where it is there already.

    Makes a transaction of its own. A turn whose parent is missing begins a branch; turns that are
    each other's parents are left out. ``made_here`` is for whoever adds many. Raises sqlite3.Error.
    """
    uid = clean_line(wanted.uid, MAX_UID_CHARS)
    made_here = made_here or MadeHere(connection)
    with transaction(connection):
        if connection.execute("SELECT 1 FROM conversations WHERE uid = ?", (uid,)).fetchone():
            return None
        title = clean_line(wanted.title, writing.MAX_TITLE_CHARS) or writing.UNTITLED
        # A conversation without a date would be the first one to be pruned.
        created_ms = wanted.created_ms or time.time_ns() // 1_000_000
        number = writing.add_conversation(connection, title, created_ms, uid or None)
        ids: dict[str, int] = {}
        for turn in parents_first(wanted.turns):
            ids[turn.id] = _add_turn(
                connection, number, ids.get(turn.parent or ""), turn, turn.created_ms or created_ms
            )
        leaf = ids.get(wanted.leaf or "")
        if leaf is not None:
            writing.choose_leaf(connection, number, leaf)
        writing.set_pinned(connection, number, wanted.is_pinned)
        writing.set_tags(connection, number, wanted.tags)
        made_here.place(connection, number, created_ms)
    return number


def parents_first(turns: Sequence[PlainTurn]) -> list[PlainTurn]:
    """The turns in an order in which each comes after its parent; else the order that they had."""
    by_id = {turn.id: turn for turn in turns}
    children: dict[str | None, list[PlainTurn]] = {}
    for turn in by_id.values():
        known = turn.parent if turn.parent in by_id else None
        children.setdefault(known, []).append(turn)
    depth = {turn.id: 0 for turn in children.get(None, ())}
    waiting = list(children.get(None, ()))
    while waiting:
        turn = waiting.pop()
        for child in children.get(turn.id, ()):
            depth[child.id] = depth[turn.id] + 1
            waiting.append(child)
    place = {turn.id: at for at, turn in enumerate(by_id.values())}
    reached = [turn for turn in by_id.values() if turn.id in depth]
    if all(turn.parent not in by_id or place[turn.parent] < place[turn.id] for turn in reached):
        return reached
    return sorted(reached, key=lambda turn: (depth[turn.id], place[turn.id]))


def _add_turn(
    connection: sqlite3.Connection,
    number: int,
    parent: int | None,
    turn: PlainTurn,
    created_ms: int,
) -> int:
    text = clean(turn.text)
    made = writing.add_turn(connection, number, parent, turn.role, text, created_ms)
    if turn.role == "user":
        return made
    error, numbers = turn.error, dict(turn.numbers or {})
    tokens, rate_tps = numbers.get("tokens_out"), numbers.get("decode_tps")
    origin, settings = _clean_origin(turn.origin), turn.settings
    connection.execute(
        "UPDATE turns SET status = ?, error_kind = ?, error = ?, origin = ?, parameters = ?,"
        " tokens = ?, tokens_source = ?, decode_tps = ?, decode_source = ? WHERE id = ?",
        (
            turn.status or "complete",
            None if error is None else clean_line(error.kind),
            None if error is None else clean_line(error.sentence),
            None
            if origin is None
            else writing.shared(connection, "origins", encode_origin(origin)),
            None
            if settings is None
            else writing.shared(connection, "parameters", encode_settings(settings)),
            tokens if isinstance(tokens, int) and 0 <= tokens < 2**53 else None,
            _source(numbers.get("tokens_source")),
            float(rate_tps) if isinstance(rate_tps, int | float) else None,
            _source(numbers.get("decode_source")),
            made,
        ),
    )
    connection.execute(
        "UPDATE bodies SET thinking = ?, numbers = ? WHERE turn = ?",
        (clean(turn.thinking), encode_numbers(numbers) if numbers else None, made),
    )
    if turn.times_us or turn.board or turn.ends is not None:
        times = pack_times(0, [t_us * 1000 for t_us in turn.times_us])
        ends = None if turn.ends is None else pack_ends(turn.ends)
        connection.execute(
            "INSERT INTO traces (turn, times, board, ends) VALUES (?, ?, ?, ?)",
            (made, times, pack_samples(turn.board), ends),
        )
    return made


def _source(value: object) -> str | None:
    return value if isinstance(value, str) and value in get_args(NumberSource) else None


def _clean_origin(origin: Origin | None) -> Origin | None:
    if origin is None:
        return None
    return replace(
        origin,
        model=clean_line(origin.model),
        server=_clean(origin.server),
        kind=_clean(origin.kind),
        version=_clean(origin.version),
        url=_clean(origin.url),
        quantisation=_clean(origin.quantisation),
    )


def _clean(text: str | None) -> str | None:
    return None if text is None else clean_line(text)


def _times_us(connection: sqlite3.Connection, turn: int) -> list[int]:
    try:
        return [t_ns // 1000 for t_ns in reading.times_ns(connection, turn)]
    except ValueError:
        return []


def _ends(connection: sqlite3.Connection, turn: int) -> ChunkEnds | None:
    try:
        return reading.chunk_ends(connection, turn)
    except ValueError:
        return None


def _board(connection: sqlite3.Connection, turn: int) -> list[BoardSample]:
    try:
        return reading.board_samples(connection, turn)
    except ValueError:
        return []
