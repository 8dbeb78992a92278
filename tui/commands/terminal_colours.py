"""The terminal's colours for a command without a screen: asks it, and waits for the answer."""

from __future__ import annotations

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Mapping

from tui.core.screen.colours import (
    QUESTION,
    REPLY,
    ColourAnswer,
    ColourChoice,
    MoreColours,
    choose_depth,
    is_to_be_asked,
    more_colours,
    with_reply,
)
from tui.settings.terminfo import terminfo_colours
from tui.settings.tmux import client_features

WAIT_S = 1.0
"""For the answer over a slow line; one that comes later is typed into the shell."""
READ_BYTES = 4096
_CLEAR_LINE = "\r\x1b[K"


def found_colours(env: Mapping[str, str]) -> tuple[ColourChoice, MoreColours | None]:
    """What the dashboard would draw in, and what would give more."""
    answer = asked() if is_to_be_asked("auto", env) else None
    features = client_features() if env.get("TMUX") else None
    choice = choose_depth(
        "auto", env, answer, tmux_features=features, terminfo_colours=terminfo_colours
    )
    return choice, more_colours(choice, env)


def asked() -> ColourAnswer | None:
    """What the terminal answers; None where this is none, or not for this process to ask."""
    try:
        if not (sys.stdin.isatty() and sys.stdout.isatty() and os.tcgetpgrp(0) == os.getpgrp()):
            return None
        before = termios.tcgetattr(0)
    except (OSError, ValueError, termios.error):
        return None
    try:
        tty.setraw(0, termios.TCSANOW)
        os.write(1, (QUESTION + _CLEAR_LINE).encode())
        return _read_answer()
    except (OSError, termios.error):
        return None
    finally:
        termios.tcsetattr(0, termios.TCSANOW, before)


def _read_answer() -> ColourAnswer:
    text = ""
    answer = ColourAnswer()
    end_s = time.monotonic() + WAIT_S
    while not answer.is_complete and (left_s := end_s - time.monotonic()) > 0:
        if not select.select([0], [], [], left_s)[0]:
            break
        data = os.read(0, READ_BYTES)
        if not data:
            break
        text += data.decode("utf-8", "replace")
        answer = ColourAnswer()
        for reply in REPLY.findall(text):
            answer = with_reply(answer, reply)
    return answer
