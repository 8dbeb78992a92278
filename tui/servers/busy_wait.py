"""Retries of a prompt while its server is busy."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import perf_counter_ns

from tui.core.turn.turn import Turn
from tui.core.types import TurnError
from tui.servers.backoff import Backoff


@dataclass(frozen=True, slots=True)
class Busy:
    """Why the server does not take a prompt now: ``reason`` as a clause, ``error`` as the end of
    the turn once nobody waits any longer. ``asked_s`` is the pause that the server asks for."""

    reason: str
    error: TurnError
    asked_s: float | None = None


class BusyWait:
    """The pauses between the tries of one turn; belongs to one event loop.

    ``limit_s`` bounds all of them together, from the first one on.
    """

    def __init__(self, turn: Turn, limit_s: float, backoff: Backoff | None = None) -> None:
        self._turn = turn
        self._limit_s = limit_s
        self._backoff = backoff or Backoff()
        self._since_ns: int | None = None
        self._n_tries = 0
        self._wake = asyncio.Event()
        self.is_hurried = False
        """Someone asked to send without looking first whether the server is free."""

    @property
    def waited_s(self) -> float:
        """Since the first pause began."""
        return 0.0 if self._since_ns is None else (perf_counter_ns() - self._since_ns) / 1e9

    def hurry(self) -> None:
        """Try now, and do not look whether the server is free before."""
        self.is_hurried = True
        self._wake.set()

    def cancel(self) -> None:
        """Ends the pause; the turn is over already."""
        self._wake.set()

    async def pause(self, busy: Busy) -> bool:
        """One pause. False where the time for all of them is used up."""
        now_ns = perf_counter_ns()
        if self._since_ns is None:
            self._since_ns = now_ns
        left_s = self._limit_s - self.waited_s
        if left_s <= 0:
            return False
        self._n_tries += 1
        self._turn.note_wait(now_ns, busy.reason)
        self._wake.clear()
        timer = asyncio.get_running_loop().call_later(
            min(self._backoff.pause_s(self._n_tries, busy.asked_s), left_s), self._wake.set
        )
        try:
            await self._wake.wait()
        finally:
            timer.cancel()
        return True
