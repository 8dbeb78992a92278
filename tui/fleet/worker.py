"""A worker: one board that joins a scheduler, works on its runs, and outlives it."""

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
"""Between two connections: a scheduler that ends still listens for a moment."""
REFUSALS = 3
"""In a row: then it is none, or the name is another board's."""
JOIN_S = 20.0
"""How long Dask may take to join what answers at the scheduler's port."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """``is_once``: end with the run's scheduler, instead of waiting for the next one."""

    scheduler: str
    name: str
    own: Options
    is_once: bool = False


class BoardWorker:
    """Joins, and joins again. ``say`` gets a sentence for people whenever something changes."""

    def __init__(self, options: WorkerOptions, say: Callable[[str], None]) -> None:
        self._options = options
        self._say = say
        self._worker: engine.WorkerHandle | None = None
        self._is_over = asyncio.Event()
        self.board = Board(options.name, options.own, self._tell)

    async def run(self) -> bool:
        """Works until :meth:`stop`, or once with ``is_once``. False where it never joined. Raises
        EngineError where joining makes no sense."""
        self.board.kept.prune()
        has_joined, refusals = False, 0
        while not self._is_over.is_set() and await self._wait_for_scheduler(has_joined):
            try:
                await self._joined()
            except engine.EngineError as error:
                # A scheduler that is just ending, or still has the name of our last connection.
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
        """Ends it now: the request that runs is left to another board."""
        self._is_over.set()

    def let_finish(self) -> None:
        """Whoever began it is gone: the request that runs is finished and kept."""
        worker = self._worker
        if worker is None:
            self.stop()
        else:
            asyncio.ensure_future(worker.close(reason="starter gone"))  # noqa: RUF006

    async def _wait_for_scheduler(self, has_joined: bool) -> bool:
        """Whether there is one now."""
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
        """So long, or until the end."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._is_over.wait(), seconds)

    async def _joined(self) -> None:
        """From joining to the end of the connection, and to the end of the request that runs."""
        from tui.fleet.on_board import BoardPlugin

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
            self._say("the scheduler has gone; the request that runs is finished and kept here")
        await self._finish()
        if not self._is_over.is_set():
            self._say(f"the scheduler at {address} has gone; {then}")

    async def _finish(self) -> None:
        """To the end of the request that runs, or to :meth:`stop`."""
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
        """Without a connection it is not told: what matters is kept."""
        worker = self._worker
        if worker is not None:
            worker.log_event(run_topic(run_id), {"data": encode(message)})
