"""Where the user was in the dashboard: conversation, draft of a prompt, scroll position.

The file ``session.json`` stands beside ``state.json``. One npulse at a time has it: the first one
holds a lock beside it for as long as it runs.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, structs

from tui.core.text.sanitize import clean_line
from tui.files.private import create_private, make_folder
from tui.settings.folders import state_folder
from tui.settings.record_file import read_record, write_record

VERSION = 1
RowId = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**31)]


class SessionRecord(Struct, frozen=True, kw_only=True):
    """State that is restored at the next start, apart from ``state.json``."""

    version: int = VERSION
    conversation: RowId | None = None
    """In the history; None in a new conversation."""
    leaf: RowId | None = None
    """The last turn of the branch that was shown; None before the first turn."""
    draft: str = ""
    """Draft in the prompt."""
    turn: Count | None = None
    """The turn at the top of the view, from 0 on; None where the end was followed."""
    row: Count = 0
    """The row of that turn."""


def session_file() -> Path:
    """Where this user's session is."""
    return state_folder() / "session.json"


class SessionFile:
    """The record at ``path``, as this process reads and keeps it. Blocks: not in the app's thread.

    While another process has the session, there is nothing to read and nothing is written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: int | None = None
        self._is_taken = False
        self._written: SessionRecord | None = None
        self._problem: str | None = None
        self._left_draft = ""
        """The draft of another process that ended after this one began."""

    @property
    def is_taken(self) -> bool:
        """Whether another process has the session."""
        return self._is_taken

    def load(self) -> tuple[SessionRecord, str | None]:
        """The last session, and a sentence where it cannot be read. Never raises."""
        if not self._has_lock():
            return SessionRecord(), None
        record, problem = read_record(self._path, SessionRecord, VERSION)
        self._written = record
        said = None if problem is None else f"a new conversation begins: {problem}"
        return record or SessionRecord(), said

    def keep(self, record: SessionRecord) -> str | None:
        """Writes what has changed. Returns a sentence where that fails for a new reason."""
        was_taken = self._is_taken
        if not self._has_lock():
            return None
        if was_taken:
            left, _ = read_record(self._path, SessionRecord, VERSION)
            self._left_draft = "" if left is None else left.draft
        if self._left_draft and not record.draft:
            record = structs.replace(record, draft=self._left_draft)
        if record == (self._written or SessionRecord()):
            return None
        problem = write_record(self._path, record, VERSION)
        is_new, self._problem = problem != self._problem, problem
        if problem is None:
            self._written = record
        if problem is None or not is_new:
            return None
        return clean_line(f"your draft and place are not kept: {self._path}: {problem}")

    def close(self) -> None:
        """Releases the session to another npulse."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _has_lock(self) -> bool:
        """Whether the session is this process's. Where no lock can be made, it is."""
        if self._lock is not None:
            return True
        try:
            make_folder(self._path.parent)
            lock = create_private(self._path.with_name("session.lock"), os.O_RDWR)
        except (OSError, ValueError):
            self._is_taken = False
            return True
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            self._is_taken = True
            return False
        except OSError:
            pass
        self._lock, self._is_taken = lock, False
        return True
