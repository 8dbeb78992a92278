"""npulse whose comparisons are short; with ``NPULSE_AS_USER`` as a user who may not write to the
board, for tests run as root, who always may."""

from __future__ import annotations

import os
import sys

from tui.cli import main
from tui.fixes import trial

real_access = os.access


def no_access_to_the_board(path: str, mode: int) -> bool:
    return "/sys/" not in str(path) and real_access(path, mode)


if __name__ == "__main__":
    trial.TRIAL_S = 1.0
    if "NPULSE_AS_USER" in os.environ:
        os.geteuid = lambda: 1000
        os.access = no_access_to_the_board  # type: ignore[assignment]
    sys.exit(main())
