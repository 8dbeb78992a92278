"""Text to stdout, also where the terminal's encoding lacks a sign."""

from __future__ import annotations

import sys


def write_out(text: str) -> None:
    """Write and flush. Raises BrokenPipeError where nobody reads any more."""
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:
        plain = text.replace("°C", "C").replace("–", "-")
        sys.stdout.write(plain.encode("ascii", "replace").decode("ascii"))
    sys.stdout.flush()
