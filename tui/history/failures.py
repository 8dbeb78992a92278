"""Error sentences for SQLite failures."""

from __future__ import annotations

_REASONS = (
    ("database or disk is full", "the disk is full"),
    ("attempt to write a readonly", "it is read-only"),
    ("database is locked", "another program holds it locked"),
    ("database table is locked", "another program holds it locked"),
    ("database schema is locked", "another program holds it locked"),
    ("locking protocol", "another program holds it locked"),
    ("disk i/o error", "the disk reports an error, or a limit on the size of files is reached"),
    ("database disk image is malformed", "it is damaged; npulse history check says more"),
    ("malformed database schema", "it is damaged; npulse history check says more"),
    ("file is not a database", "it is no database, or it is damaged"),
    ("unable to open database", "it cannot be opened"),
    ("no such module: fts5", "SQLite of this Python has no full-text search (FTS5)"),
)
"""How SQLite's messages begin (https://www.sqlite.org/rescode.html), for Python 3.10 has no codes
on its errors."""


class HistoryError(Exception):
    """The history cannot be used for what was wanted. The message is one sentence."""


class NewerHistoryError(HistoryError):
    """The database was written by a newer npulse; it was left as it is."""


class OlderHistoryError(HistoryError):
    """The database was written by an older npulse, and is not brought up to date yet."""


def reason(error: Exception) -> str:
    """Why, as the end of a sentence, without a full stop."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    text = str(error)
    for beginning, words in _REASONS:
        if text.lower().startswith(beginning):
            return words
    return text


def is_damage(error: Exception) -> bool:
    """Whether the file itself is broken, so that trying again is no use."""
    text = str(error).lower()
    return "malformed" in text or "not a database" in text
