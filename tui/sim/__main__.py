"""``python -m tui.sim`` is ``npulse sim``."""

import sys

from tui.sim.command import main

sys.exit(main(sys.argv[1:]))
