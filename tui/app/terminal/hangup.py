"""After the terminal is closed: output is dropped, and the running answer is finished."""

from __future__ import annotations

import os
import signal
import time
from types import FrameType
from typing import IO, Any, Protocol

LOOK_S = 0.1
"""Time between two checks for the answer's end."""
SAMPLE_S = 1.0


class TerminalOutput:
    """A terminal's text file that may vanish: what cannot be written is dropped."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._is_gone = False

    def fileno(self) -> int:
        return self._file.fileno()

    def let_go(self) -> None:
        """Write nothing from now on. From any thread."""
        self._is_gone = True

    def write(self, text: str) -> int:
        if not self._is_gone:
            try:
                return self._file.write(text)
            except OSError:
                self._is_gone = True
        return len(text)

    def flush(self) -> None:
        if not self._is_gone:
            try:
                self._file.flush()
            except OSError:
                self._is_gone = True


class Answering(Protocol):
    """The used part of :class:`tui.app.backend.Backend`."""

    @property
    def is_keeping_answer(self) -> bool: ...

    def leave_terminal(self) -> None: ...

    def sample(self) -> Any: ...

    def on_snapshot(self, snapshot: Any) -> None: ...


def finish_answer(backend: Answering) -> None:
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


def leave_terminal() -> None:
    """Stdin, stdout and stderr are closed to the terminal: whoever waits for them to end may go
    on, and nothing is written where somebody else may work by now."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)
    if nowhere > 2:
        os.close(nowhere)
