"""Earlier prompts and the last open conversation, for the next start.

Each takes any connection and raises sqlite3.Error.
"""

from __future__ import annotations

import sqlite3


def is_listed(connection: sqlite3.Connection, conversation: int) -> bool:
    """Whether the conversation exists and is not deleted."""
    found = connection.execute(
        "SELECT 1 FROM conversations WHERE id = ? AND deleted_ms IS NULL", (conversation,)
    ).fetchone()
    return found is not None


def conversation_of(connection: sqlite3.Connection, turn: int) -> int | None:
    """The conversation that a turn belongs to; None where there is no such turn."""
    found = connection.execute("SELECT conversation FROM turns WHERE id = ?", (turn,)).fetchone()
    return None if found is None else int(found[0])


def prompts(connection: sqlite3.Connection, limit: int, max_chars: int) -> list[str]:
    """The newest prompts of conversations that are not deleted, oldest first: at most ``limit``,
    and no more than ``max_chars`` in all."""
    rows = connection.execute(
        "SELECT b.text FROM turns AS t JOIN bodies AS b ON b.turn = t.id"
        " JOIN conversations AS c ON c.id = t.conversation"
        " WHERE t.role = 'user' AND c.deleted_ms IS NULL ORDER BY t.id DESC LIMIT ?",
        (limit,),
    )
    found: list[str] = []
    for (text,) in rows:
        max_chars -= len(text)
        if max_chars < 0:
            break
        found.append(text)
    return found[::-1]
