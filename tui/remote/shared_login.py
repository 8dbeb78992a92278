"""Tracks which processes use one ssh master with a file lock; the last one ends it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

FILE_NAME = "users"


class LoginUse:
    """Marks the ssh master with its socket in ``folder`` as used by this process until
    :meth:`leave`, by a shared lock on a file in it.

    The kernel releases the lock of a killed process. ``makes``: this process has created the
    folder. npulse never ends a master in a folder without such a file, as it is not npulse's.
    """

    def __init__(self, folder: Path, *, makes: bool) -> None:
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_CREAT if makes else 0)
        self._fd, self._is_alone = -1, False
        try:
            self._fd = os.open(folder / FILE_NAME, flags, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            # Its last user is ending it, or it is not npulse's. In a folder without file locks, no
            # other process uses a master that this one has made.
            self._close()
            self._is_alone = makes

    def leave(self) -> bool:
        """Ends this use. Returns whether the master can be ended, as no other process uses it;
        False at a second call."""
        if self._fd < 0:
            was_alone, self._is_alone = self._is_alone, False
            return was_alone
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            self._close()
        return True

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
