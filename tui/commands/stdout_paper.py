"""Properties of stdout: width and colours of a terminal, or plain text."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TextIO

from tui.core.text.printed import PLAIN, Paper

MIN_WIDTH = 20
"""A terminal that says it is narrower does not know its size."""


def stdout_paper(stream: TextIO | None = None, env: Mapping[str, str] | None = None) -> Paper:
    """Colours on a terminal, where neither NO_COLOR (no-color.org), ``--no-color`` nor TERM=dumb
    forbid them; the width of a terminal is that of COLUMNS, or its own."""
    stream = sys.stdout if stream is None else stream
    env = os.environ if env is None else env
    try:
        if not stream.isatty():
            return PLAIN
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return PLAIN
    said = env.get("COLUMNS", "")
    width = int(said) if said.isascii() and said.isdecimal() else columns
    has_colours = not env.get("NO_COLOR") and env.get("TERM", "dumb") != "dumb"
    return Paper(width if width >= MIN_WIDTH else None, has_colours)
