"""Whether a process runs."""

from __future__ import annotations

import os


def is_running(pid: int) -> bool:
    """Whether a process has that number, whoever's it is; one that has ended and was not waited for
    has it still."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
