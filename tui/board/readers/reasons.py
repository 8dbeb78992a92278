"""Reasons for absent values, in a few words each.

The words are the same everywhere: in a snapshot, in the JSON, on screen and in ``npulse doctor``.
"""

from __future__ import annotations

import errno

NO_PERMISSION = "no permission"
NO_DRIVER = "no driver"
DEBUGFS_NOT_MOUNTED = "debugfs not mounted"
STALE = "stale"
NOT_ON_THIS_KERNEL = "not on this kernel"
NO_SENSOR = "no sensor"
NO_FAN = "no fan exposed"
NO_SERVER = "no server process"
NO_RUNTIME = "library not found"
FIRST_SAMPLE = "first sample"
"""A rate needs two samples, and the first reading of a devfreq load belongs to the past."""
LATER = "reading"
"""Read once in the background; the value follows."""
CLOCK_JUMP = "clock jump"
"""The samples lie too far apart, or a counter was reset: the difference means nothing."""

_ERRNO_NAMES = {errno.EOPNOTSUPP: "EOPNOTSUPP", errno.EAGAIN: "EAGAIN", errno.EDEADLK: "EDEADLK"}


class UnreadableError(ValueError):
    """The content of a file is no value. The message is one word: empty, malformed, implausible."""


def unreadable(word: str) -> str:
    """The reason for a file that exists but gives nothing: ``unreadable (EIO)``."""
    return f"unreadable ({word})"


def is_transient(reason: str | None) -> bool:
    """Whether the next sample may well succeed, so that it is tried at once."""
    return reason is not None and (
        reason.startswith("unreadable") or reason in (STALE, FIRST_SAMPLE, CLOCK_JUMP)
    )


def errno_name(number: int | None) -> str:
    """``EIO`` for 5; the number itself where it has no name."""
    if number is None:
        return "error"
    return _ERRNO_NAMES.get(number) or errno.errorcode.get(number) or f"errno {number}"


def reason_of(error: OSError, missing: str = NOT_ON_THIS_KERNEL) -> str:
    """The reason that belongs to a failed open or read; ``missing`` where nothing is there."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return missing
    if error.errno in (errno.EACCES, errno.EPERM):
        return NO_PERMISSION
    return unreadable(errno_name(error.errno))
