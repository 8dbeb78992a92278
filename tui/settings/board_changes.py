"""Remembers what npulse changed on a board until it is put back: ``changes.json`` in the state
folder. What an older npulse remembered of a benchmark elsewhere is taken over into it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from tui.bench.store.folder import default_folder
from tui.core.text.sanitize import clean_line
from tui.files.private import create_private, make_folder
from tui.fixes import old_pin
from tui.fixes.change import Change, FixError, is_believable
from tui.settings.folders import state_folder
from tui.settings.record_file import read_record, write_record
from tui.settings.regular_file import read_bounded

VERSION = 1
FILE, LOCK_FILE = "changes.json", "changes.lock"


class _Changes(msgspec.Struct, frozen=True, kw_only=True):
    version: int = VERSION
    changes: tuple[Change, ...] = ()


class _ForgedError(FixError):
    """A record in good order that names what no fix writes."""


class BoardChanges:
    """The file of one user. Two processes may write it: each looks at it anew, under a lock.

    ``runs``: the folder of the benchmarks, in which an older npulse remembered what they held.
    """

    def __init__(self, folder: Path | None = None, runs: Path | None = None) -> None:
        self._folder = folder or state_folder()
        self._old_pin = (runs or default_folder()) / old_pin.FILE

    @property
    def path(self) -> Path:
        return self._folder / FILE

    @property
    def has_file(self) -> bool:
        """Whether there is anything to read."""
        return self.path.exists() or self._old_pin.exists()

    def changes(self) -> tuple[Change, ...]:
        """All of them, oldest first. Raises FixError where the file cannot be used."""
        if self._old_pin.exists():
            self._take_over()
        return self._read()

    def _take_over(self) -> None:
        """Raises FixError where it cannot be written here; then it stays where it is."""
        with self._locked():
            try:
                time_s = self._old_pin.stat().st_mtime
                found = old_pin.old_pin(read_bounded(self._old_pin, old_pin.MAX_BYTES), time_s)
            except OSError:
                return
            if found is None:
                return
            kept = self._usable()
            # Killed after the write below, it finds its own work.
            if all(change.id != found.id for change in kept):
                self._write((*kept, found))
            with suppress(OSError):
                self._old_pin.unlink()

    def _read(self) -> tuple[Change, ...]:
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
            return self._read()
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
