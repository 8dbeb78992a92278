"""A worker: connects one board to a scheduler and reconnects when the scheduler was restarted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tui import __version__
from tui.bench.model.options import Options
from tui.fleet import engine
from tui.fleet.board import Board
from tui.fleet.messages import BOARDS_TOPIC, JOINED, Announcement, Message, encode, run_topic

ANNOUNCE_S = 1.0
LOOK_S = (0.3, 0.5, 1.0)
ONCE_LOOKS = 3
AGAIN_S = 1.0
"""Seconds between two connections: a scheduler that is ending still listens for a moment."""
REFUSALS = 3
"""Refusals in a row after which it gives up: no scheduler, or another board has the name."""
JOIN_S = 20.0
"""Seconds that Dask has to join the scheduler once its port is open."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """``scheduler``: its address. ``own``: the options of this board. ``is_once``: end with the
    scheduler, instead of waiting for the next one."""

    scheduler: str
    name: str
    own: Options
    is_once: bool = False


class BoardWorker:
    """Joins the scheduler, again after a loss. ``say`` gets one line for each change of state."""

    def __init__(self, options: WorkerOptions, say: Callable[[str], None]) -> None:
        self._options = options
        self._say = say
        self._worker: engine.WorkerHandle | None = None
        self._is_over = asyncio.Event()
        self.board = Board(options.name, options.own, self._tell)

    async def run(self) -> bool:
        """Works until :meth:`stop`; with ``is_once`` until the scheduler ends. False if it never
        joined. Raises EngineError if the scheduler refuses it ``REFUSALS`` times in a row."""
        self.board.kept.prune()
        has_joined, refusals = False, 0
        while not self._is_over.is_set() and await self._wait_for_scheduler(has_joined):
            try:
                await self._joined()
            except engine.EngineError as error:
                # The scheduler may be ending, or may not have dropped our last connection yet.
                refusals += 1
                if refusals >= REFUSALS:
                    raise
                if not has_joined:
                    self._say(f"{error}; trying again")
            else:
                has_joined, refusals = True, 0
                if self._options.is_once:
                    break
            await self._pause(AGAIN_S)
        return has_joined

    def stop(self) -> None:
        """Ends at once; another board gets the request in progress."""
        self._is_over.set()

    def let_finish(self) -> None:
        """Ends when the request in progress is finished and kept: the starting connection is
        closed."""
        worker = self._worker
        if worker is None:
            self.stop()
        else:
            asyncio.ensure_future(worker.close(reason="starter gone"))  # noqa: RUF006

    async def _wait_for_scheduler(self, has_joined: bool) -> bool:
        """Waits for the scheduler's port; False if there is none and the worker is to end."""
        address, looks = self._options.scheduler, 0
        while not await asyncio.to_thread(engine.is_reachable, address):
            if looks == 0 and not has_joined:
                self._say(f"there is no scheduler at {address} yet; waiting for it (Ctrl+C ends)")
            if self._options.is_once and looks >= ONCE_LOOKS:
                return False
            await self._pause(LOOK_S[min(looks, len(LOOK_S) - 1)])
            if self._is_over.is_set():
                return False
            looks += 1
        return True

    async def _pause(self, seconds: float) -> None:
        """Waits so many seconds, or until :meth:`stop`."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._is_over.wait(), seconds)

    async def _joined(self) -> None:
        """Joins and works until the connection ends and the request in progress is finished."""
        from tui.fleet.dask_tasks import BoardPlugin

        name, address = self._options.name, self._options.scheduler
        worker = await engine.joined_worker(address, name, BoardPlugin(self.board), JOIN_S)
        self._worker = worker
        self._say(f"board {name} {JOINED} {address}")
        announcing = asyncio.create_task(self._announce(worker))
        gone = asyncio.create_task(worker.finished())
        stopped = asyncio.create_task(self._is_over.wait())
        try:
            await asyncio.wait((gone, stopped), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._worker = None
            announcing.cancel()
            stopped.cancel()
            if self._is_over.is_set():
                await self.board.leave()
                await worker.close(timeout=2, reason="ended by its user")
        if self._is_over.is_set():
            return
        then = "ending" if self._options.is_once else "waiting for it to come back"
        if self.board.is_busy:
            self._say("the scheduler is gone; the request in progress is finished and kept here")
        await self._finish()
        if not self._is_over.is_set():
            self._say(f"the scheduler at {address} is gone; {then}")

    async def _finish(self) -> None:
        """Waits for the request in progress, or for :meth:`stop`."""
        finishing = asyncio.create_task(self.board.finish())
        stopped = asyncio.create_task(self._is_over.wait())
        await asyncio.wait((finishing, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if self._is_over.is_set():
            await self.board.leave()
        await finishing

    async def _announce(self, worker: engine.WorkerHandle) -> None:
        told = Announcement(
            board=self._options.name,
            address=worker.contact_address,
            npulse=__version__,
            distributed=engine.version(),
        )
        while True:
            worker.log_event(BOARDS_TOPIC, {"data": encode(told)})
            await asyncio.sleep(ANNOUNCE_S)

    def _tell(self, run_id: str, message: Message) -> None:
        """Sends a message to a run. Without a connection it is dropped: answers are kept on
        disk."""
        worker = self._worker
        if worker is not None:
            worker.log_event(run_topic(run_id), {"data": encode(message)})
