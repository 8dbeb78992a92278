"""Splits a long answer into rows of bounded length, since SQLite holds several copies of a row
while writing.

The first row is that of ``bodies``; what does not fit into it stands in ``more_words``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from tui.history.search_terms import MAX_INDEXED_CHARS

ROW_CHARS = MAX_INDEXED_CHARS
"""Characters per row; the search index covers the first row."""


def in_rows(words: str | Iterable[str]) -> Iterator[str]:
    """The words, in pieces of any size, as texts of :data:`ROW_CHARS` and a shorter last one."""
    held: list[str] = []
    room = ROW_CHARS
    for part in (words,) if isinstance(words, str) else words:
        at = 0
        while len(part) - at >= room:
            yield "".join((*held, part[at : at + room]))
            at += room
            held, room = [], ROW_CHARS
        held.append(part[at:] if at else part)
        room -= len(part) - at
    last = "".join(held)
    if last:
        yield last


def joined(words: str | Iterable[str]) -> str:
    """The words as one text."""
    return words if isinstance(words, str) else "".join(words)


def store_more(
    connection: sqlite3.Connection, answer: int, text: Iterator[str], thinking: Iterator[str]
) -> None:
    """Replaces the further rows of an answer. Raises sqlite3.Error."""
    connection.execute("DELETE FROM more_words WHERE turn = ?", (answer,))
    rows = zip_longest(text, thinking, fillvalue="")
    connection.executemany(
        "INSERT INTO more_words (turn, place, text, thinking) VALUES (?, ?, ?, ?)",
        ((answer, place, *row) for place, row in enumerate(rows, 1)),
    )


def whole(connection: sqlite3.Connection, turn: int, text: str, thinking: str) -> tuple[str, str]:
    """The words of a turn, of which these stand in ``bodies``. Raises sqlite3.Error."""
    if max(len(text), len(thinking)) < ROW_CHARS:
        return text, thinking
    rows = connection.execute(
        "SELECT text, thinking FROM more_words WHERE turn = ? ORDER BY place", (turn,)
    ).fetchall()
    return "".join((text, *(row[0] for row in rows))), "".join(
        (thinking, *(row[1] for row in rows))
    )
