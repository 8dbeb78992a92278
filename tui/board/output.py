"""Text to stdout, also where the terminal's encoding lacks a sign."""

from __future__ import annotations

import sys


def write_out(text: str) -> None:
    """Write and flush. Raises BrokenPipeError where nobody reads any more."""
    try:
        # Asked here: a stream that replaces what it lacks would write a question mark for each.
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        plain = text.replace("°C", "C").replace("–", "-")
        text = plain.encode("ascii", "replace").decode("ascii")
    sys.stdout.write(text)
    sys.stdout.flush()
