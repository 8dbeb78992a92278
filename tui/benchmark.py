"""``npulse bench`` with the server and the generation settings of the user's configuration."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from tui.bench import command
from tui.core.sanitize import clean_line
from tui.settings.config import ConfigError, config_paths, load
from tui.settings.server_options import server_urls


def main(argv: Sequence[str]) -> int:
    """Run ``npulse bench`` with these arguments; returns the exit code."""
    try:
        config = load(config_paths(), os.environ)
        urls = server_urls(config.settings.server)
    except (ConfigError, ValueError) as error:
        print(f"npulse bench: {clean_line(str(error))}", file=sys.stderr)
        return 2
    return command.main(argv, config.settings.generation.to_generation(), urls)
