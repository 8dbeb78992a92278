"""Files and folders of runs: for their owner alone, and plain files only."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

FILE_MODE = 0o600
FOLDER_MODE = 0o700


def make_folder(path: Path, *, exist_ok: bool = True) -> None:
    """Makes the folder and its missing parents with mode 0700. Raises OSError."""
    missing = []
    for parent in path.parents:
        if parent.exists():
            break
        missing.append(parent)
    for parent in reversed(missing):
        parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
    path.mkdir(mode=FOLDER_MODE, exist_ok=exist_ok)


def read_regular(path: Path) -> bytes:
    """All bytes of a plain file; a pipe, device or folder is an OSError, never waited for."""
    # Without O_NONBLOCK, opening a pipe that nobody writes to waits for ever.
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "is not a plain file")
        return file.read()


def create_private(path: Path, flags: int) -> int:
    """A descriptor of a file with mode 0600, made where it is missing; a pipe is an OSError.

    Raises OSError."""
    fd = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, FILE_MODE)
    if stat.S_ISFIFO(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "is a pipe")
    return fd
