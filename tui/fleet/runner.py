"""Runs a suite on many boards: one journal, one folder, one report, as for one board.

Each board has one request at a time and gets the next one when it has answered. If a board is lost,
its request is sent to another board.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from tui.bench.model.boards import BoardState
from tui.bench.model.events import Event, Outcome, StageChanged
from tui.bench.model.options import Options
from tui.bench.model.suite import Suite, wanted
from tui.bench.run import plan
from tui.bench.run.connect import SetupError
from tui.bench.run.ending import events_of, saved, told_to_the_end
from tui.bench.run.plan import Task
from tui.bench.run.preparation import stage
from tui.bench.store import journal
from tui.bench.store import resume as resuming
from tui.bench.store.controls import Controls
from tui.bench.store.runs import Lock, RunError, new_id
from tui.fleet import dask_tasks, engine
from tui.fleet.active_run import ActiveMark
from tui.fleet.board import reduced
from tui.fleet.connect import LOOK_S, FleetConnection, FleetPlan, who
from tui.fleet.members import Member, Members
from tui.fleet.messages import Ask, Choices, Ending, Have, Message, RunOrder, encode
from tui.fleet.request_queue import RequestQueue, begun_before, check_suite
from tui.fleet.run_writer import RunWriter

AGAIN_S = (2.0, 5.0, 15.0, 30.0)
"""Seconds before a board that could not take requests is tried again, by number of tries."""
FORECAST_S = 2.0
END_S = 6.0
"""Seconds that boards have to end their request when the run is ended."""
SETTLE_S = 2.0


def run(
    suite: Suite,
    options: Options,
    fleet: FleetPlan,
    controls: Controls | None = None,
    *,
    resume: resuming.Earlier | None = None,
) -> AsyncIterator[Event]:
    """The events of a run on many boards, as :func:`tui.bench.run.runner.run` yields them for one.
    Raises EngineError if Dask is not installed."""
    engine.prepare()
    runner = FleetRunner(suite, options, fleet, controls or Controls(), resume)
    return events_of(runner.writer.ledger, runner.controls, runner.go())


class FleetRunner:
    """One run, from waiting for the first board to writing the report files."""

    def __init__(
        self,
        suite: Suite,
        options: Options,
        fleet: FleetPlan,
        controls: Controls,
        resume: resuming.Earlier | None = None,
    ) -> None:
        if resume is None:
            suite = wanted(suite, is_quick=options.is_quick, is_thinking=options.is_thinking)
        before = None if resume is None else resume.loaded.document.run
        runs = (options.runs or suite.runs) if before is None else before.runs
        # Boards keep answers under the run's id, so it has to exist before the model is known.
        run_id = new_id(suite.id, options.model or "boards") if before is None else before.id
        if before is not None:
            options = replace(options, seed=before.seed)
        done: frozenset[tuple[str, int]] = frozenset() if resume is None else resume.done
        self.controls = controls
        self.queue = RequestQueue(
            plan.ordered(suite, runs, options.seed, None), done, begun_before(resume)
        )
        addresses = {board.name: board.shown for board in fleet.ssh}
        self.writer = RunWriter(suite, options, run_id, runs, self.queue, addresses, resume)
        self._suite = suite
        self._options = options
        self._fleet = fleet
        self._changed = asyncio.Event()
        self._failure: Exception | None = None
        self._work: dict[Member, asyncio.Task[None]] = {}
        self._client: engine.FleetClient | None = None
        self._is_closing = False
        self._answering: set[Member] = set()
        self._is_rest_told = False
        """Whether the start of the user's pause has been shown: every board has ended its
        request."""
        self._active = ActiveMark(options.folder, suite.id, self.writer.ledger)
        self._early: list[tuple[Member, Message]] = []

    async def go(self) -> None:
        """Runs to the end. Raises only CancelledError; the last event says how the run ended."""
        writer = self.writer
        await told_to_the_end(
            writer.ledger,
            self._go(),
            lambda: ("" if writer.folder is None else writer.run_id, writer.folder),
        )

    async def _go(self) -> tuple[Outcome, str]:
        writer = self.writer
        lock = None if writer.folder is None else Lock(writer.folder)
        if lock is not None:
            # Two processes must not resume the same run.
            lock.take(self._suite.id)
        try:
            self._active.begin()
            check_suite(self._suite, [board.name for board in self._fleet.ssh])
            await stage(writer.ledger, "connect", "Looking for the boards.")
            connection = FleetConnection(self._fleet, writer.ledger, self.controls, self._unreached)
            async with connection.opened(self._suite.title or self._suite.id) as client:
                return await self._with_boards(client)
        finally:
            self._active.release()
            if lock is not None:
                lock.release()

    def _tell_pause(self) -> None:
        """Emits the stage "paused" when no board answers any more, and "measure" on resuming."""
        is_rest = self.controls.is_paused and not self._answering
        if is_rest != self._is_rest_told:
            self._is_rest_told = is_rest
            told = StageChanged(stage="measure")
            if is_rest:
                told = StageChanged(stage="paused", sentence="Paused before the next prompts.")
            self.writer.ledger.emit(told)

    async def _with_boards(self, client: engine.FleetClient) -> tuple[Outcome, str]:
        """Waits until every request has its final result, or none can be sent; writes the
        report."""
        self._client, writer = client, self.writer
        members = Members(engine.version(), self._fleet.wanted, self._joined, self._refused)
        client.hear(writer.run_id, members.announced, members.told, members.gone)
        ended, reason = "interrupted", ""
        try:
            ended, reason = await self._watched(client)
        finally:
            await self._let_boards_go(client)
            if writer.is_begun:
                with suppress(journal.JournalError):
                    await writer.close(ended)
        if not writer.is_begun:
            raise SetupError("aborted" if ended == "aborted" else "unreachable", reason)
        assert writer.folder is not None
        return await saved(writer.ledger, writer.folder, ended, reason)

    async def _watched(self, client: engine.FleetClient) -> tuple[str, str]:
        """Waits for the end: (how it ended, a sentence if needed). Raises an error of a board's
        task."""
        writer = self.writer
        alone_s, told_s = time.monotonic(), 0.0
        while not self.queue.is_over:
            await self._change()
            now_s = time.monotonic()
            ready = sum(member.is_ready for member in self._work)
            if self._failure is not None:
                raise self._failure
            if self.controls.is_aborted:
                return "aborted", "" if writer.is_begun else "Ended before a board could be asked."
            if not client.is_connected:
                return "unreachable", (
                    "The connection to the scheduler was lost. The boards finish and keep their "
                    "requests; npulse bench resume fetches them."
                )
            if self._is_over_budget(now_s):
                self._is_closing = True
                if not ready:
                    why = "the time budget was used up"
                    writer.skip(self.queue.unanswered, "skipped_budget", why)
                    return "budget", ""
            elif ready:
                alone_s = now_s
            elif now_s - alone_s > self._fleet.wait_s:
                words = "No board was ready any more" if writer.is_begun else "No board was ready"
                return "unreachable", f"{words} for {self._fleet.wait_s:.0f} s."
            if now_s - told_s >= FORECAST_S and writer.is_begun:
                told_s = now_s
                writer.ledger.emit(writer.forecast(ready))
            if writer.folder is not None:
                self.controls.obey_file(writer.folder)
                self._tell_pause()
            self._active.look()
            await writer.ledger.flush()
        return "complete", ""

    def _is_over_budget(self, now_s: float) -> bool:
        budget_s, writer = self._options.max_time_s, self.writer
        return budget_s is not None and writer.is_begun and now_s - writer.began_s >= budget_s

    async def _let_boards_go(self, client: engine.FleetClient) -> None:
        """Tells every board that the run is over and waits up to ``END_S`` for running requests."""
        self._is_closing = True
        self._changed.set()
        if client.is_connected:
            for member in self._work:
                self._end(member, is_abort=not self.queue.is_over)
        working = [task for task in self._work.values() if not task.done()]
        if working and client.is_connected:
            await asyncio.wait(working, timeout=END_S)
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        for member in self._work:
            if member.is_ready:
                self.writer.close_stretch(member, "aborted")
                self.writer.see(member.name, "done")
        for name in {*(board.name for board in self._fleet.ssh), *(m.name for m in self._work)}:
            if name not in self.writer.seen:
                self.writer.see(name, "refused", "it was not ready before the run was over")
        await client.settled(SETTLE_S)

    # -- one board -------------------------------------------------------------------------------

    def _joined(self, member: Member) -> None:
        self._work[member] = asyncio.create_task(self._guarded(member))

    def _refused(self, name: str, sentence: str) -> None:
        self.writer.see(name, "refused", sentence)

    def _unreached(self, name: str, address: str, sentence: str) -> None:
        """Shows a problem of ssh with a board, unless a worker of that board is connected."""
        known = [member for member in self._work if member.name == name]
        if all(member.is_gone for member in known):
            state: BoardState = "lost" if known else "refused"
            self.writer.see(name, state, sentence, address=address)

    async def _guarded(self, member: Member) -> None:
        """Runs a board's task; an error in writing the journal ends the run."""
        try:
            await self._board(member)
        except (journal.JournalError, RunError) as error:
            self._failure = error
        finally:
            self._changed.set()

    async def _board(self, member: Member) -> None:
        """Works with one board until its connection closes or the run ends."""
        tries = 0
        while not self._is_done_with(member):
            if await self._serve(member):
                tries = 0
                await self._pull(member)
            if self._is_done_with(member):
                return
            await self._rest(member, AGAIN_S[min(tries, len(AGAIN_S) - 1)])
            tries += 1

    async def _rest(self, member: Member, seconds: float) -> None:
        """Waits so many seconds before the board is tried again, at most until the run's end."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s and not self._is_done_with(member):
            await self._change()

    async def _change(self) -> None:
        """Waits for a change of the run's state, at most ``LOOK_S``."""
        self._changed.clear()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._changed.wait(), LOOK_S)

    def _is_done_with(self, member: Member) -> bool:
        is_over = self._is_closing or self.queue.is_over
        return member.is_gone or is_over or self.controls.is_aborted

    async def _serve(self, member: Member) -> bool:
        """Has a board prepare for the run. Returns whether it can take requests now."""
        order = RunOrder(
            run_id=self.writer.run_id,
            who=who(),
            suite=reduced(self._suite),
            choices=Choices.of(self._options),
            warm_up=self.queue.plan[0],
        )
        self._order("serve", member, encode(order), needs_npu=True)
        while (message := await member.inbox.get()) is not None:
            if message.kind == "ready" and message.ready is not None:
                problem = self.writer.admit(member, message, message.ready)
                if problem is not None:
                    self.writer.see(member.name, "refused", problem)
                    self._end(member)
                    return False
                await self._take_early()
                await self.writer.ledger.flush()
                return True
            if message.kind == "refused":
                self.writer.see(member.name, member.state_of_refusal, message.sentence)
                return False
            if message.kind == "waiting":
                self.writer.see(member.name, "waiting", message.sentence)
            elif message.kind in ("answered", "broken"):
                # An answer that the board kept from an earlier part of this run.
                self._early.append((member, message))
                await self._take_early()
        self.writer.see(member.name, "lost", "its connection was lost before it was asked")
        return False

    async def _take_early(self) -> None:
        """Records answers kept from an earlier part of the run, once there is a journal."""
        while self.writer.is_begun and self._early:
            await self._take(*self._early.pop(0))

    async def _pull(self, member: Member) -> None:
        """Sends requests until the board is lost or broken, or none is left."""
        is_lost = False
        while not is_lost and (task := await self._next(member)) is not None:
            self._answering.add(member)
            try:
                is_lost = not await self._asked(member, task)
            finally:
                self._answering.discard(member)
        state: BoardState = "lost" if is_lost or member.is_gone else "done"
        sentence = ""
        if state == "lost":
            sentence = (
                "its connection was lost"
                if member.is_gone
                else "the connection to its server broke off; it is tried again"
            )
        self.writer.close_stretch(member, "complete" if state == "done" else "lost")
        self.writer.see(member.name, state, sentence)

    async def _next(self, member: Member) -> Task | None:
        """Waits for the next request for this board; None when there is none any more."""
        while not self._is_done_with(member):
            others = any(one.is_ready and one is not member for one in self._work)
            task = None
            if not self.controls.is_paused:
                task = self.queue.take(member.name, has_others=others)
            if task is not None:
                return task
            await self._change()
        return None

    async def _asked(self, member: Member, task: Task) -> bool:
        """Has a board send one request. False if the board is lost or has to be checked again."""
        ask = Ask(
            run_id=self.writer.run_id,
            task=task,
            number=self.queue.number(task),
            planned=len(self.queue.plan),
        )
        self._order("ask", member, encode(ask), needs_npu=True)
        while (message := await member.inbox.get()) is not None:
            if message.kind == "began" and message.key == task.key:
                self.writer.began(member, message)
            elif message.kind == "waiting":
                self.writer.see(member.name, "working", message.sentence, is_noted=False)
            elif message.kind == "refused":
                self.writer.see(member.name, member.state_of_refusal, message.sentence)
                self._put_back(member, task, f"{member.name} could not be asked")
                return False
            elif message.kind in ("answered", "broken"):
                await self._take(member, message)
                if message.key == task.key:
                    self._put_back(member, task, f"{member.name} gave it up")
                    return message.kind == "answered"
        self._put_back(member, task, f"{member.name} was lost while it answered")
        return False

    def _put_back(self, member: Member, task: Task, why: str) -> None:
        """Returns an unanswered request to the queue, for another board if there is one."""
        if not self.controls.is_aborted:
            self.queue.put_back(task, member.name, why)
            self._changed.set()

    async def _take(self, member: Member, message: Message) -> None:
        """Records an answer or a failed request; the board may then remove its copy."""
        request = await self.writer.keep(member, message)
        if request is not None:
            was_stopped = request.status == "cancelled" and not self.controls.is_aborted
            is_lost = message.kind == "broken" or was_stopped
            self.queue.ended(request, member.name, is_lost=is_lost)
            self._changed.set()
        if message.key is not None and not member.is_gone:
            self._have(member, message.key)

    # -- orders ----------------------------------------------------------------------------------

    def _order(self, what: str, member: Member, data: bytes, *, needs_npu: bool) -> None:
        assert self._client is not None
        function: Any = getattr(dask_tasks, what)
        self._client.order(function, data, member.address, member.fail, needs_npu=needs_npu)

    def _have(self, member: Member, key: tuple[str, int]) -> None:
        have = Have(run_id=self.writer.run_id, keys=(key,))
        self._order("forget", member, encode(have), needs_npu=False)

    def _end(self, member: Member, *, is_abort: bool = False) -> None:
        if not member.is_gone:
            ending = Ending(run_id=self.writer.run_id, is_abort=is_abort)
            self._order("end", member, encode(ending), needs_npu=False)
