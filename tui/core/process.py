"""Whether a process runs."""

from __future__ import annotations

import os


def is_running(pid: int) -> bool:
    """Whether a process with that pid exists, of any user; zombies count."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
