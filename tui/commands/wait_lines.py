"""Lines on stderr while a command waits for a server that is busy."""

from __future__ import annotations

import time

from tui.commands.parser import complain
from tui.core.text.format import long_seconds
from tui.core.turn.server_wait import ServerWait

EVERY_S = 15.0
"""Time between two lines about the same wait."""


class WaitLines:
    """Prints waits of one command, which begins each line. A wait shorter than ``after_s`` is not
    printed.
    """

    def __init__(self, command: str, *, after_s: float = 0.0) -> None:
        self._command = command
        self._after_s = after_s
        self._told_reason: str | None = None
        self._told_s = 0.0

    def tell(self, wait: ServerWait | None) -> None:
        """Takes the present wait; None while there is none. Call it often."""
        if wait is None:
            self._told_reason = None
            return
        now_s = time.perf_counter()
        waited_s = now_s - wait.since_ns / 1e9
        is_old = wait.reason == self._told_reason and now_s - self._told_s < EVERY_S
        if is_old or waited_s < self._after_s:
            return
        so_far = f" ({long_seconds(waited_s)} so far)" if waited_s >= 2 else ""
        complain(self._command, f"{wait.reason}; waiting{so_far}, Ctrl+C stops")
        self._told_reason, self._told_s = wait.reason, now_s
