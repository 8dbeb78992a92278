"""Idle timeout: a deadline that each piece of data moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

GRACE_S = 1.0


class Watchdog:
    """Calls ``on_expire`` once when the deadline passes. Belongs to the running event loop.

    Moving the deadline later only stores it: the one timer looks again when it wakes.
    """

    def __init__(self, on_expire: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_expire = on_expire
        self._timer: asyncio.TimerHandle | None = None
        self._deadline_s = 0.0
        self._has_waited = False

    def expire_in(self, seconds: float) -> None:
        """The deadline is ``seconds`` from now."""
        self._deadline_s = self._loop.time() + seconds
        self._has_waited = False
        if self._timer is None or self._timer.when() > self._deadline_s:
            self._arm(self._deadline_s)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, when_s: float) -> None:
        self.cancel()
        self._timer = self._loop.call_at(when_s, self._wake)

    def _wake(self) -> None:
        now_s = self._loop.time()
        if now_s < self._deadline_s:
            self._arm(self._deadline_s)
        elif now_s > self._deadline_s + GRACE_S and not self._has_waited:
            # This process did not run (it was stopped, or the machine slept): what arrived
            # meanwhile is still unread, so the silence may be ours.
            self._has_waited = True
            self._arm(now_s + GRACE_S)
        else:
            self._timer = None
            self._on_expire()
