"""Branches at one place of a conversation: versions of a prompt, and the answers to each.

Each function takes any connection and raises sqlite3.Error. An exchange is given by the turn ids of
its prompt and its answer; None where there is no such turn.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from tui.history import reading
from tui.history.records import BranchPlace, StoredTurn

ExchangeIds = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch: its last turn, and the index of the exchange where it leaves the other one."""

    leaf: int
    exchange: int


def place_of(connection: sqlite3.Connection, prompt: int | None, answer: int | None) -> BranchPlace:
    """Position of a prompt and its answer among their alternatives."""
    found: list[tuple[int, int] | None] = []
    for turn in (prompt, answer):
        same = [] if turn is None else reading.siblings(connection, turn)
        is_one_of = turn is not None and len(same) > 1
        found.append((same.index(turn) + 1, len(same)) if is_one_of and turn in same else None)
    return BranchPlace(prompt=found[0], answer=found[1])


def alternatives(
    connection: sqlite3.Connection, prompt: int | None, answer: int | None
) -> list[int]:
    """The answers to all versions of a prompt, in the order in which one walks through them; a
    version without an answer stands for itself."""
    if prompt is None:
        return [] if answer is None else reading.siblings(connection, answer)
    found: list[int] = []
    for version in reading.siblings(connection, prompt):
        rows = connection.execute(
            "SELECT id FROM turns WHERE parent = ? AND role = 'assistant' ORDER BY id", (version,)
        ).fetchall()
        found += [int(number) for (number,) in rows] or [version]
    return found


def beside(
    connection: sqlite3.Connection, exchanges: Sequence[ExchangeIds], at: int, step: int
) -> Branch | None:
    """The branch through the next answer (``step`` 1) or the one before (-1) at the exchange
    ``at``, or at the nearest one above it that has several; None where none has."""
    for number in range(min(at, len(exchanges) - 1), -1, -1):
        prompt, answer = exchanges[number]
        walk = alternatives(connection, prompt, answer)
        turn = answer if answer in walk else prompt
        if len(walk) > 1 and turn in walk:
            target = walk[(walk.index(turn) + step) % len(walk)]
            return Branch(reading.newest_leaf_below(connection, target), number)
    return None


def all_alternatives(
    connection: sqlite3.Connection, turns: Sequence[StoredTurn]
) -> dict[int, tuple[int, ...]]:
    """:func:`alternatives` of each turn of a branch that has several."""
    found: dict[int, tuple[int, ...]] = {}
    for ids in exchange_ids(turns):
        walk = tuple(alternatives(connection, *ids))
        if len(walk) > 1:
            found |= {turn: walk for turn in ids if turn is not None}
    return found


def exchange_ids(turns: Sequence[StoredTurn]) -> list[ExchangeIds]:
    """The prompts of a branch with their answers."""
    found: list[ExchangeIds] = []
    prompt: int | None = None
    for turn in turns:
        if turn.role == "user":
            if prompt is not None:
                found.append((prompt, None))
            prompt = turn.id
        else:
            found.append((prompt, turn.id))
            prompt = None
    return [*found, (prompt, None)] if prompt is not None else found
