"""Measures the delay of our event loop, which is the uncertainty of times taken in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

EVERY_S = 0.25


class LagProbe:
    """Four times a second, how many milliseconds too late a timer fired. Belongs to the running
    event loop; :meth:`stop` ends it."""

    def __init__(self, on_lag: Callable[[float], None], every_s: float = EVERY_S) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_lag = on_lag
        self._every_s = every_s
        self._timer = self._arm()

    def stop(self) -> None:
        self._timer.cancel()

    def _arm(self) -> asyncio.TimerHandle:
        return self._loop.call_later(self._every_s, self._fire)

    def _fire(self) -> None:
        late_s = self._loop.time() - self._timer.when()
        self._on_lag(max(late_s, 0.0) * 1e3)
        self._timer = self._arm()
