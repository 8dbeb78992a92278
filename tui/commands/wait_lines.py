"""Lines on stderr while a command waits for a server that is busy."""

from __future__ import annotations

import time

from tui.commands.parser import complain
from tui.core.text.format import long_seconds

EVERY_S = 15.0
"""How often a wait that goes on is told again."""


class WaitLines:
    """Of one command, which is named at the beginning of each line."""

    def __init__(self, command: str, every_s: float = EVERY_S) -> None:
        self._command = command
        self._every_s = every_s
        self._told_reason: str | None = None
        self._told_s = 0.0
        self._since_s = 0.0

    def tell(self, reason: str | None) -> None:
        """The present reason to wait, a clause; None while there is none. Call it often."""
        if reason is None:
            self._told_reason = None
            return
        now_s = time.monotonic()
        if self._told_reason is None:
            self._since_s = now_s
        elif reason == self._told_reason and now_s - self._told_s < self._every_s:
            return
        waited_s = now_s - self._since_s
        so_far = f" ({long_seconds(waited_s)} so far)" if waited_s >= 1 else ""
        complain(self._command, f"{reason}; waiting{so_far}, Ctrl+C stops")
        self._told_reason, self._told_s = reason, now_s
