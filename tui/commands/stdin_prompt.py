"""The prompt of ``npulse ask``: the words of the command line, stdin, or both."""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Callable

from tui.core.text.sanitize import clean

MAX_STDIN_BYTES = 16 << 20
FIRST_BYTE_S = 2.0
"""Longest wait for a first byte on stdin where a prompt was given: scripts and SSH leave unused
pipes open.
"""


def whole_prompt(words: str | None, note: Callable[[str], None]) -> str:
    """The prompt followed by stdin's text, sanitised.

    ``words`` None or ``-``: stdin alone. Raises ValueError with one sentence, and OSError.
    ``note`` is told where stdin was left out.
    """
    if words is None or words == "-":
        if words is None and sys.stdin.isatty():
            raise ValueError(
                "no prompt: npulse ask 'your prompt', or a text on stdin: npulse ask < FILE"
            )
        return clean(_stdin())
    prompt = clean(words)
    if not _is_fed():
        return prompt
    if not select.select([sys.stdin.fileno()], [], [], FIRST_BYTE_S)[0]:
        note(f"nothing came on stdin within {FIRST_BYTE_S:.0f} s; the prompt is sent without it")
        return prompt
    below = clean(_stdin())
    return f"{prompt}\n\n{below}" if below.strip() else prompt


def _is_fed() -> bool:
    """Whether stdin is a file, a pipe or a socket, not a terminal, /dev/null, or closed."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _stdin() -> str:
    data = sys.stdin.buffer.read(MAX_STDIN_BYTES + 1)
    if len(data) > MAX_STDIN_BYTES:
        raise ValueError(f"stdin holds more than {MAX_STDIN_BYTES >> 20} MiB; no prompt is so long")
    return data.decode("utf-8", "replace")
