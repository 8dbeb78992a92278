"""``python -m tui.bench``: the same as ``npulse bench``."""

from __future__ import annotations

import sys

from tui.bench.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
