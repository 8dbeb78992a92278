"""Size, schema version and integrity of the history.

Each function takes any connection and raises sqlite3.Error.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from tui.history.board_samples import unpack_samples
from tui.history.token_times import unpack_times


def size_bytes(connection: sqlite3.Connection) -> int:
    """Used bytes of the file."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * size)


def count_turns(connection: sqlite3.Connection) -> int:
    """Number of prompts and answers."""
    return int(connection.execute("SELECT count(*) FROM turns").fetchone()[0])


def schema(connection: sqlite3.Connection) -> int:
    """Schema version."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def unreadable(connection: sqlite3.Connection) -> list[str]:
    """Packed data that cannot be unpacked, one sentence each."""
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
