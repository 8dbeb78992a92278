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
    ("database disk image is malformed", "it is damaged; see npulse history check"),
    ("malformed database schema", "it is damaged; see npulse history check"),
    ("file is not a database", "it is not a database, or it is damaged"),
    ("unable to open database", "it cannot be opened"),
    ("no such module: fts5", "SQLite of this Python has no full-text search (FTS5)"),
)
"""Beginnings of SQLite's messages (https://www.sqlite.org/rescode.html); errors of Python 3.10 have
no codes.
"""


class HistoryError(Exception):
    """The history cannot be read or changed. The message is one sentence."""


class NewerHistoryError(HistoryError):
    """The database was written by a newer npulse; it was left as it is."""


class OlderHistoryError(HistoryError):
    """The database was written by an older npulse, and is not brought up to date yet."""


def reason(error: Exception) -> str:
    """The reason as a clause without a full stop."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    text = str(error)
    for beginning, words in _REASONS:
        if text.lower().startswith(beginning):
            return words
    return text


def is_damage(error: Exception) -> bool:
    """Whether the file is damaged, so that a retry does not help."""
    text = str(error).lower()
    return "malformed" in text or "not a database" in text
