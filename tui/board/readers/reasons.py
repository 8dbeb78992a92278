"""Short reasons for absent values.

The same words are used in snapshots, in JSON, on screen and in ``npulse doctor``.
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
"""A rate needs two samples, and the first devfreq load covers an unknown time."""
LATER = "reading"
"""The value is being read in the background."""
CLOCK_JUMP = "clock jump"
"""The samples are too far apart, or a counter was reset, so that their difference is invalid."""

_ERRNO_NAMES = {errno.EOPNOTSUPP: "EOPNOTSUPP", errno.EAGAIN: "EAGAIN", errno.EDEADLK: "EDEADLK"}


class UnreadableError(ValueError):
    """The content of a file is invalid. The message is one word: empty, malformed or
    implausible."""


def unreadable(word: str) -> str:
    """The reason for a file that exists but has no valid content, such as ``unreadable (EIO)``."""
    return f"unreadable ({word})"


def is_transient(reason: str | None) -> bool:
    """Whether the value may be there at the next sample, so that it is read again at once."""
    return reason is not None and (
        reason.startswith("unreadable") or reason in (STALE, FIRST_SAMPLE, CLOCK_JUMP)
    )


def errno_name(number: int | None) -> str:
    """The symbolic name of an errno, such as ``EIO`` for 5; else ``errno`` and the number."""
    if number is None:
        return "error"
    return _ERRNO_NAMES.get(number) or errno.errorcode.get(number) or f"errno {number}"


def reason_of(error: OSError, missing: str = NOT_ON_THIS_KERNEL) -> str:
    """The reason for a failed open or read; ``missing`` if the file does not exist."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return missing
    if error.errno in (errno.EACCES, errno.EPERM):
        return NO_PERMISSION
    return unreadable(errno_name(error.errno))
