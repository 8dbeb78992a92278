"""``python -m tui`` is ``npulse``."""

import sys

from tui.cli import main

sys.exit(main())
