"""Remembers what npulse changed on a board until it is put back: ``changes.json`` in the state
folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from tui.core.text.sanitize import clean_line
from tui.files.private import create_private, make_folder
from tui.fixes.change import Change, FixError, is_believable
from tui.settings.folders import state_folder
from tui.settings.record_file import read_record, write_record

VERSION = 1
FILE, LOCK_FILE = "changes.json", "changes.lock"


class _Changes(msgspec.Struct, frozen=True, kw_only=True):
    version: int = VERSION
    changes: tuple[Change, ...] = ()


class _ForgedError(FixError):
    """A record in good order that names what no fix writes."""


class BoardChanges:
    """The file of one user. Two processes may write it: each looks at it anew, under a lock."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or state_folder()

    @property
    def path(self) -> Path:
        return self._folder / FILE

    def changes(self) -> tuple[Change, ...]:
        """All of them, oldest first. Raises FixError where the file cannot be used."""
        record, problem = read_record(self.path, _Changes, VERSION)
        if problem is not None:
            raise FixError(f"{problem}: what npulse changed earlier is not known.")
        found = () if record is None else record.changes
        if not all(is_believable(change) for change in found):
            shown = clean_line(str(self.path))
            raise _ForgedError(f"{shown} is damaged: what npulse changed earlier is not known.")
        return found

    def remember(self, change: Change) -> None:
        """Raises FixError where that is not possible."""
        with self._locked():
            self._write((*self._usable(), change))

    def forget(self, change_id: str) -> None:
        """Raises FixError where that is not possible."""
        with self._locked():
            found = self._usable()
            kept = tuple(change for change in found if change.id != change_id)
            if kept != found:
                self._write(kept)

    def _usable(self) -> tuple[Change, ...]:
        """What is there; a file that cannot be used is set aside by the next write."""
        try:
            return self.changes()
        except _ForgedError:
            with suppress(OSError):
                self.path.replace(self.path.with_name(f"{FILE}.old"))
        except FixError:
            pass
        return ()

    def _write(self, changes: tuple[Change, ...]) -> None:
        problem = write_record(self.path, _Changes(changes=changes), VERSION)
        if not changes and problem is None:
            # Without the file, nothing of this is loaded at the next start.
            with suppress(OSError):
                self.path.unlink()
        if problem is not None:
            raise FixError(
                f"{clean_line(str(self.path))} cannot be written ({problem}): "
                "without it nothing is changed."
            )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            make_folder(self._folder)
            fd = create_private(self._folder / LOCK_FILE, os.O_RDWR | os.O_NOFOLLOW)
        except OSError as error:
            shown = clean_line(str(self._folder))
            raise FixError(
                f"{shown} cannot be written ({error.strerror}): without it nothing is changed."
            ) from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)
