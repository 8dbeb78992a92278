"""Asks the terminal for its colours, for commands without a screen."""

from __future__ import annotations

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Mapping
from dataclasses import dataclass

from tui.commands.terminal_line import is_over_ssh
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
"""Wait for the answer over a slow connection; a later one would appear as typed text in the shell.
"""
READ_BYTES = 4096
_CLEAR_LINE = "\r\x1b[K"


@dataclass(frozen=True, slots=True)
class FoundColours:
    """The colour depth that the dashboard would use, and how to get more."""

    choice: ColourChoice
    more: MoreColours | None
    answer_s: float | None
    """How long the terminal took to answer; None where it was not asked, or did not."""


def found_colours(env: Mapping[str, str]) -> FoundColours:
    """The terminal's colours; asks it where the environment does not say, and over SSH."""
    is_open = is_to_be_asked("auto", env)
    answer, answer_s = asked() if is_open or is_over_ssh(env) else (None, None)
    features = client_features() if env.get("TMUX") else None
    choice = choose_depth(
        "auto",
        env,
        answer if is_open else None,
        tmux_features=features,
        terminfo_colours=terminfo_colours,
    )
    return FoundColours(choice, more_colours(choice, env), answer_s)


def asked() -> tuple[ColourAnswer | None, float | None]:
    """The terminal's answer and its delay in seconds; None without a terminal, or in the
    background.
    """
    try:
        if not (sys.stdin.isatty() and sys.stdout.isatty() and os.tcgetpgrp(0) == os.getpgrp()):
            return None, None
        before = termios.tcgetattr(0)
    except (OSError, ValueError, termios.error):
        return None, None
    try:
        tty.setraw(0, termios.TCSANOW)
        os.write(1, (QUESTION + _CLEAR_LINE).encode())
        return _read_answer()
    except (OSError, termios.error):
        return None, None
    finally:
        termios.tcsetattr(0, termios.TCSANOW, before)


def _read_answer() -> tuple[ColourAnswer, float | None]:
    text = ""
    answer, answer_s = ColourAnswer(), None
    asked_s = time.monotonic()
    end_s = asked_s + WAIT_S
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
            answer_s = answer_s or time.monotonic() - asked_s
    return answer, answer_s
