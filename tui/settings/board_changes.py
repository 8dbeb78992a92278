"""Remembers what npulse changed on a board until it is put back: ``changes.json``, of each user in
the state folder, of root in one place that all can read. What an older npulse remembered elsewhere
is taken over into it."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from tui.bench.store.folder import default_folder
from tui.core.text.sanitize import clean_line
from tui.files.private import FILE_MODE, create_private, make_folder
from tui.fixes import old_pin
from tui.fixes.change import Change, FixError, is_believable
from tui.settings.folders import (
    CHANGES_FILE,
    ROOT_CHANGES,
    changes_folder,
    state_folder,
)
from tui.settings.record_file import read_record, write_record
from tui.settings.regular_file import read_bounded

VERSION = 1
LOCK_FILE = "changes.lock"
PUBLIC_FOLDER_MODE, PUBLIC_FILE_MODE = 0o755, 0o644


class _Changes(msgspec.Struct, frozen=True, kw_only=True):
    version: int = VERSION
    changes: tuple[Change, ...] = ()


class _ForgedError(FixError):
    """A record in good order that names what no fix writes."""


class BoardChanges:
    """The file of one user. Two processes may write it: each looks at it anew, under a lock.

    ``runs``: the folder of the benchmarks, in which an older npulse remembered what they held.
    ``of_root``: the folder of root, which is read as well; beside a ``folder`` that is given there
    is none.
    """

    def __init__(
        self,
        folder: Path | None = None,
        runs: Path | None = None,
        of_root: Path | None = None,
    ) -> None:
        self._folder = folder or changes_folder()
        self._of_root = of_root or (ROOT_CHANGES if folder is None else None)
        self._old_pin = (runs or default_folder()) / old_pin.FILE
        self._old = state_folder() / CHANGES_FILE if folder is None else self.path
        """Where root's were before there was one place for them."""

    @property
    def path(self) -> Path:
        return self._folder / CHANGES_FILE

    @property
    def has_file(self) -> bool:
        """Whether there is anything to read."""
        of_root = () if self._of_root is None else (self._of_root / CHANGES_FILE,)
        return any(file.exists() for file in (self.path, *of_root, self._old, self._old_pin))

    def changes(self) -> tuple[Change, ...]:
        """All of them, oldest first. Raises FixError where the file cannot be used."""
        if self._old_pin.exists():
            self._take_over(self._old_pin, self._from_old_pin)
        if self._old != self.path and self._old.exists():
            self._take_over(self._old, lambda: _read(self._old))
        found = _read(self.path)
        if self._of_root is not None and not self._is_public:
            of_root = _read(self._of_root / CHANGES_FILE)
            # A simulated board of root's is nobody else's.
            found += tuple(change for change in of_root if change.root == "/")
        return tuple(sorted(found, key=lambda change: change.time_s))

    def _take_over(self, old: Path, read: Callable[[], tuple[Change, ...]]) -> None:
        """Raises FixError where it cannot be written here; then it stays where it is."""
        with self._locked():
            found, kept = read(), self._usable()
            if not found:
                return
            # Killed after the write below, it finds its own work.
            known = {change.id for change in kept}
            self._write((*kept, *(change for change in found if change.id not in known)))
            with suppress(OSError):
                old.unlink()

    def _from_old_pin(self) -> tuple[Change, ...]:
        try:
            time_s = self._old_pin.stat().st_mtime
            found = old_pin.old_pin(read_bounded(self._old_pin, old_pin.MAX_BYTES), time_s)
        except OSError:
            return ()
        return () if found is None else (found,)

    def remember(self, change: Change) -> None:
        """Raises FixError where that is not possible."""
        with self._locked():
            self._write((*self._usable(), change))

    def forget(self, change_id: str) -> bool:
        """False where it is none of this user's. Raises FixError where that is not possible."""
        with self._locked():
            found = self._usable()
            kept = tuple(change for change in found if change.id != change_id)
            if kept != found:
                self._write(kept)
            return kept != found

    def _usable(self) -> tuple[Change, ...]:
        """What is there; a file that cannot be used is set aside by the next write."""
        try:
            return _read(self.path)
        except _ForgedError:
            with suppress(OSError):
                self.path.replace(self.path.with_name(f"{CHANGES_FILE}.old"))
        except FixError:
            pass
        return ()

    def _write(self, changes: tuple[Change, ...]) -> None:
        mode = PUBLIC_FILE_MODE if self._is_public else FILE_MODE
        problem = write_record(self.path, _Changes(changes=changes), VERSION, mode)
        if not changes and problem is None:
            # Without the file, nothing of this is loaded at the next start.
            with suppress(OSError):
                self.path.unlink()
        if problem is not None:
            raise FixError(
                f"{clean_line(str(self.path))} cannot be written ({problem}): "
                "without it nothing is changed."
            )

    @property
    def _is_public(self) -> bool:
        return self._folder == self._of_root

    def _make_folder(self) -> None:
        """Raises OSError, also for root where somebody else could lead it elsewhere."""
        make_folder(self._folder)
        if self._is_public:
            self._folder.chmod(PUBLIC_FOLDER_MODE)
        if os.geteuid() == 0 and not _is_roots(self._folder):
            raise PermissionError(
                errno.EPERM,
                "it is another user's, and this is root: run npulse "
                "without sudo, it asks for the password itself",
            )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._make_folder()
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


def _read(path: Path) -> tuple[Change, ...]:
    """Raises FixError where the file cannot be used."""
    record, problem = read_record(path, _Changes, VERSION)
    if problem is not None:
        raise FixError(f"{problem}: what npulse changed earlier is not known.")
    found = () if record is None else record.changes
    if not all(is_believable(change) for change in found):
        shown = clean_line(str(path))
        raise _ForgedError(f"{shown} is damaged: what npulse changed earlier is not known.")
    return found


def _is_roots(folder: Path) -> bool:
    """Whether nobody but root can lay a link anywhere on the way there."""
    return all(os.lstat(part).st_uid == 0 for part in (folder, *folder.parents))
