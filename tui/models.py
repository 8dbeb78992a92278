"""``npulse models`` with the server of the user's configuration."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from tui.servers import models_command
from tui.settings.config import ConfigError, config_paths, load
from tui.settings.server_options import server_urls


def main(argv: Sequence[str]) -> int:
    """Run ``npulse models`` with these arguments; returns the exit code."""
    return models_command.main(argv, _places)


def _places(options: argparse.Namespace) -> Sequence[str] | None:
    """Where to look for the server. Raises ValueError with one sentence."""
    try:
        config = load(config_paths(options.config), os.environ, {"server.url": options.url})
    except ConfigError as error:
        raise ValueError(str(error)) from error
    for warning in config.warnings:
        print(f"npulse models: {warning}", file=sys.stderr)
    return server_urls(config.settings.server)
