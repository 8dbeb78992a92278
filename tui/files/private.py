"""Private files and folders (modes 0600 and 0700); only regular files are read."""

from __future__ import annotations

import errno
import os
import secrets
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


def write_whole(path: Path, data: bytes, mode: int = FILE_MODE) -> None:
    """Replaces a file at once: a reader sees the old or the new one. Raises OSError."""
    make_folder(path.parent)
    # A name that nobody can guess, and new: a link laid in its place would be written through.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    fd = create_private(temporary, os.O_WRONLY | os.O_EXCL | os.O_NOFOLLOW)
    try:
        with os.fdopen(fd, "wb") as file:
            if mode != FILE_MODE:
                os.fchmod(fd, mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
