"""npulse with a fault: F1 divides by zero."""

from __future__ import annotations

import sys
from unittest.mock import patch

from tui.app.app import NpulseApp
from tui.cli import main


def divide(app: NpulseApp) -> None:
    raise ZeroDivisionError(app.title)


if __name__ == "__main__":
    with patch.object(NpulseApp, "action_help", divide):
        sys.exit(main(sys.argv[1:]))
