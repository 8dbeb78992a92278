"""``npulse models`` with the server of the user's configuration."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from tui.config import ConfigError, config_paths, load
from tui.core.sanitize import clean_line
from tui.servers import models_command


def main(argv: Sequence[str]) -> int:
    """Run ``npulse models`` with these arguments; returns the exit code."""
    try:
        config = load(config_paths(), os.environ)
    except ConfigError as error:
        print(f"npulse models: {clean_line(str(error))}", file=sys.stderr)
        return 2
    return models_command.main(argv, config.settings.server.url or None)
