"""Pruning by age and size: removes the oldest conversations, never a pinned
one, never one in which an answer is being written."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Literal

from tui.history import inspection, listing, writing
from tui.history.database import transaction
from tui.history.records import ConversationRow, Limits

DAY_MS = 86_400_000
UNDO_MS = DAY_MS
"""How long a deletion can be taken back at least."""
MIN_KEPT = 20
"""Number of newest conversations that are kept whatever their age, since a board's clock may jump.
"""
BATCH = 200

PruneReason = Literal["deleted", "too old", "too large"]


@dataclass(frozen=True, slots=True)
class Removal:
    """A conversation to remove, the reason, and its approximate size."""

    row: ConversationRow
    reason: PruneReason
    size_bytes: int


def removals(
    connection: sqlite3.Connection, limits: Limits, now_ms: int, n_young: int = 0
) -> list[Removal]:
    """Conversations that exceed these limits, oldest first. The newest ``n_young`` are never too
    old.

    Raises sqlite3.Error.
    """
    shares = _sizes(connection)
    left_bytes = inspection.size_bytes(connection)
    oldest_ms = now_ms - limits.max_age_days * DAY_MS
    may_go = _oldest_first(connection)
    n_too_old = max(sum(not is_deleted for _, _, is_deleted in may_go) - n_young, 0)
    chosen: dict[int, PruneReason] = {}
    for number, newest_ms, is_deleted in may_go:
        if is_deleted:
            chosen[number] = "deleted"
        elif limits.max_age_days and newest_ms < oldest_ms and n_too_old > 0:
            chosen[number] = "too old"
            n_too_old -= 1
    left_bytes -= sum(shares.get(number, 0) for number in chosen)
    for number, _, _ in may_go if limits.max_bytes else ():
        if left_bytes <= limits.max_bytes:
            break
        if number not in chosen:
            chosen[number] = "too large"
            left_bytes -= shares.get(number, 0)
    found = []
    for number in sorted(chosen):
        row = listing.conversation_row(connection, number)
        if row is not None:
            found.append(Removal(row, chosen[number], shares.get(number, 0)))
    return found


def due(connection: sqlite3.Connection, limits: Limits, now_ms: int) -> list[Removal]:
    """Conversations to remove when the database is opened: as :func:`removals`, but deletions can
    be undone for a day. Fast where there are none. Raises sqlite3.Error.
    """
    has_deleted = connection.execute(
        "SELECT 1 FROM conversations WHERE deleted_ms < ? LIMIT 1", (now_ms - UNDO_MS,)
    ).fetchone()
    is_large = limits.max_bytes and inspection.size_bytes(connection) > limits.max_bytes
    is_old = (
        limits.max_age_days
        and connection.execute(
            "SELECT 1 FROM turns WHERE created_ms < ? ORDER BY id LIMIT 1",
            (now_ms - limits.max_age_days * DAY_MS,),
        ).fetchone()
    )
    if not (has_deleted or is_large or is_old):
        return []
    young = _deleted_since(connection, now_ms - UNDO_MS)
    return [r for r in removals(connection, limits, now_ms, MIN_KEPT) if r.row.id not in young]


def remove(connection: sqlite3.Connection, wanted: list[Removal]) -> None:
    """Removes them for good and gives the room back to the disk. Raises sqlite3.Error."""
    numbers = [removal.row.id for removal in wanted]
    for start in range(0, len(numbers), BATCH):
        with transaction(connection):
            writing.purge(connection, numbers[start : start + BATCH])
    # The index keeps what was deleted until it is merged.
    connection.execute("INSERT INTO words (words) VALUES ('optimize')")
    # A step for each page, and a cursor makes only the first.
    connection.executescript("PRAGMA incremental_vacuum")


def _sizes(connection: sqlite3.Connection) -> dict[int, int]:
    """About how many bytes of the file each conversation takes, by the share of its text."""
    rows = connection.execute(
        "SELECT t.conversation, sum(200 + coalesce(length(b.text) + length(b.thinking)"
        " + length(b.numbers), 0) + coalesce(length(c.times) + length(c.board), 0)"
        " + coalesce(m.size, 0)) FROM turns AS t"
        " LEFT JOIN bodies AS b ON b.turn = t.id LEFT JOIN traces AS c ON c.turn = t.id"
        " LEFT JOIN (SELECT turn, sum(length(text) + length(thinking)) AS size FROM more_words"
        " GROUP BY turn) AS m ON m.turn = t.id"
        " GROUP BY t.conversation"
    ).fetchall()
    total = sum(size for _, size in rows) or 1
    used = inspection.size_bytes(connection)
    return {number: round(used * size / total) for number, size in rows}


def _deleted_since(connection: sqlite3.Connection, since_ms: int) -> set[int]:
    """Conversations that were deleted since then."""
    rows = connection.execute("SELECT id FROM conversations WHERE deleted_ms >= ?", (since_ms,))
    return {int(number) for (number,) in rows}


def _oldest_first(connection: sqlite3.Connection) -> list[tuple[int, int, int]]:
    """(conversation, ms of its newest turn, 1 where it is deleted) of all that may be pruned: not
    pinned, and nobody writes in it."""
    return connection.execute(
        "SELECT c.id, coalesce((SELECT max(created_ms) FROM turns WHERE conversation = c.id),"
        " c.created_ms), c.deleted_ms IS NOT NULL FROM conversations AS c WHERE NOT c.is_pinned"
        " AND NOT EXISTS (SELECT 1 FROM turns WHERE conversation = c.id AND status = 'running')"
        " ORDER BY c.id"
    ).fetchall()
