"""Which processes use one login of ssh: the last one to go ends it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

FILE_NAME = "users"


class LoginUse:
    """Says that this process uses the login whose socket lies in that folder, until :meth:`leave`.

    The kernel takes it back from a process that is killed. ``makes``: the folder is of this
    process. A login in a folder without such a file is not npulse's, and never ended by it.
    """

    def __init__(self, folder: Path, *, makes: bool) -> None:
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_CREAT if makes else 0)
        self._fd, self._is_alone = -1, False
        try:
            self._fd = os.open(folder / FILE_NAME, flags, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            # Its last user is just ending it, or it is none of npulse's. Of our own, in a folder
            # that knows no locks, nobody else can know.
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
