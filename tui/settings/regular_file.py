"""Reads a file that a user named; pipes and devices are refused, so it never waits."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_bounded(path: Path, max_bytes: int) -> bytes:
    """The file, at most one byte more than ``max_bytes`` of it.

    Raises OSError, for a pipe too: opening or reading one would wait for its writer.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if stat.S_ISFIFO(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is a pipe, not a file", str(path))
        data = file.read(max_bytes + 1)
    return b"" if data is None else data


def reason_of(error: Exception) -> str:
    """What the system says of a file that could not be read or written."""
    return getattr(error, "strerror", None) or str(error)
