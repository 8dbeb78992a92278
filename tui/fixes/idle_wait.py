"""Waits until the server of a board is idle, before anything is changed on the board.

On a server that handles one request at a time, the requests of a comparison would wait for a
stopped answer, or for another client's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TypeVar

from tui.bench.run.board_link import BoardLink
from tui.bench.run.connect import Connected
from tui.bench.store.controls import Controls
from tui.core.board.npu_busy import BUSY_LOAD_PCT
from tui.history.running_answers import first_in_line
from tui.servers.address import shown_url
from tui.servers.capabilities import is_one_at_a_time

LOOK_S = 0.1
NPU_LIMIT_S = 120.0
"""Longest wait for an NPU load of unknown origin, as it may be a program that never ends."""
NPU_BUSY = "the NPU is busy with another answer or another program"

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class WaitOptions:
    """Options of the wait for a busy server.

    ``own`` returns why this npulse uses the server itself, or None. ``history`` is the file in
    which other npulse processes store their answers. ``say`` is called with each new reason,
    without a full stop, and with None once the server is idle, in the event loop's thread.
    ``is_hurried``: whether the user wants neither to wait nor to compare.
    """

    own: Callable[[], str | None] = lambda: None
    history: Path | None = None
    say: Callable[[str | None], None] = lambda reason: None
    is_hurried: Callable[[], bool] = lambda: False


class IdleWait:
    """One wait. It ends early after an abort by ``controls`` or if the user is in a hurry; the
    caller has to check both."""

    def __init__(self, waits: WaitOptions, controls: Controls) -> None:
        self._waits = waits
        self._controls = controls
        self._said: str | None = None

    @property
    def is_hurried(self) -> bool:
        return self._waits.is_hurried()

    @property
    def _is_over(self) -> bool:
        return self._controls.is_aborted or self.is_hurried

    def say(self, reason: str | None) -> None:
        """Report a reason, if it differs from the last one."""
        if reason != self._said:
            self._said = reason
            self._waits.say(reason)

    async def for_own_answer(self) -> None:
        """Wait until this npulse does not use the server."""
        await self._while(lambda: _at_once(self._waits.own()))

    async def unless_stopped(self, work: Awaitable[_Found]) -> _Found | None:
        """The result of ``work``, or None if the wait ended early; then ``work`` is cancelled.
        Raises its exceptions."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done() and not self._is_over:
                await asyncio.wait((task,), timeout=LOOK_S)
            return task.result() if task.done() else None
        finally:
            task.cancel()

    async def for_others(self, connected: Connected, board: BoardLink) -> None:
        """Wait until the server has no other request, by the history and the NPU's load."""
        if not is_one_at_a_time(connected.server.dialect):
            return
        await self._while(lambda: asyncio.to_thread(self._other_npulse, connected.server.url))
        end_s = monotonic() + NPU_LIMIT_S

        async def npu() -> str | None:
            await board.sample()
            is_busy = (board.npu_load_pct() or 0.0) >= BUSY_LOAD_PCT and monotonic() < end_s
            return NPU_BUSY if is_busy else None

        await self._while(npu)

    def _other_npulse(self, url: str) -> str | None:
        history = self._waits.history
        if history is None or not history.exists():
            return None
        first = first_in_line(history, (shown_url(url),), None)
        return None if first is None else f"the server answers {first.where} first"

    async def _while(self, why: Callable[[], Awaitable[str | None]]) -> None:
        while not self._is_over:
            reason = await why()
            if reason is None:
                return
            self.say(reason)
            await asyncio.sleep(LOOK_S)


async def _at_once(found: str | None) -> str | None:
    return found
