"""npulse that writes the modules it has loaded into a file at its first frame, and ends."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

from tui.app.terminal_app import TerminalApp
from tui.cli import main

if __name__ == "__main__":
    file = Path(sys.argv[1])

    def opened(app: TerminalApp) -> None:
        file.write_text("\n".join(sys.modules))
        app.exit(0)

    with patch.object(TerminalApp, "_opened", opened):
        sys.exit(main(sys.argv[2:]))
