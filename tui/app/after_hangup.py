"""Finishes the running answer after the terminal is closed."""

from __future__ import annotations

import signal
import time
from types import FrameType

from tui.app.backend import Backend
from tui.app.terminal.hangup import leave_terminal

LOOK_S = 0.1
"""Time between two checks for the answer's end."""
SAMPLE_S = 1.0


def finish_answer(backend: Backend) -> None:
    """Blocks until the answer that runs is over, however it ends, or SIGTERM or SIGINT comes.

    The board is sampled as before: the samples are kept with the answer, and a prompt that waits
    for the server is sent by what they show.
    """
    is_over = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal is_over
        is_over = True

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    leave_terminal()
    backend.leave_terminal()
    next_s = time.monotonic()
    while backend.is_keeping_answer and not is_over:
        if time.monotonic() >= next_s:
            backend.on_snapshot(backend.sample())
            next_s = time.monotonic() + SAMPLE_S
        time.sleep(LOOK_S)
