"""How many bytes a slow connection lets through by now."""

from __future__ import annotations

import time

_BURST_S = 0.1
"""What is not used is kept for this long: a line does not save up its idle time."""


class SlowLine:
    """An allowance that grows by so many bytes a second."""

    def __init__(self) -> None:
        self._earned = 0.0
        self._earned_ns = time.perf_counter_ns()

    def allowed(self, rate: int) -> int:
        """Bytes that may pass now, at ``rate`` bytes a second."""
        now_ns = time.perf_counter_ns()
        earned = self._earned + (now_ns - self._earned_ns) * rate / 1e9
        self._earned = min(earned, rate * _BURST_S + 1)
        self._earned_ns = now_ns
        return int(self._earned)

    def passed(self, count: int) -> None:
        """So many have passed."""
        self._earned -= count
