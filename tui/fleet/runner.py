"""Runs a suite on many boards: one journal, one folder, one report, as for one board.

Boards pull: each has one request at a time, and gets the next one when it has answered. A board
that goes away costs its running request, which another one is asked.
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
from tui.fleet import engine, on_board
from tui.fleet.active import ActiveMark
from tui.fleet.board import reduced
from tui.fleet.book import Book
from tui.fleet.meeting import LOOK_S, FleetPlan, Meeting, who
from tui.fleet.members import Member, Members
from tui.fleet.messages import Ask, Choices, Ending, Have, Message, RunOrder, encode
from tui.fleet.share import Share, begun_before, check_suite

AGAIN_S = (2.0, 5.0, 15.0, 30.0)
"""Pauses before a board that could not be asked is looked at again."""
FORECAST_S = 2.0
END_S = 6.0
"""How long boards have to end what they do when the run is ended."""
SETTLE_S = 2.0


def run(
    suite: Suite,
    options: Options,
    fleet: FleetPlan,
    controls: Controls | None = None,
    *,
    resume: resuming.Earlier | None = None,
) -> AsyncIterator[Event]:
    """The events of a run on many boards, as :func:`tui.bench.run.runner.run` gives those of one.
    Raises EngineError where Dask is missing."""
    engine.prepare()
    runner = FleetRunner(suite, options, fleet, controls or Controls(), resume)
    return events_of(runner.book.ledger, runner.controls, runner.go())


class FleetRunner:
    """One run from the first board to the report files."""

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
        # Boards keep answers by the run's id: it is made before a model is known.
        run_id = new_id(suite.id, options.model or "boards") if before is None else before.id
        if before is not None:
            options = replace(options, seed=before.seed)
        done: frozenset[tuple[str, int]] = frozenset() if resume is None else resume.done
        self.controls = controls
        self.share = Share(
            plan.ordered(suite, runs, options.seed, None), done, begun_before(resume)
        )
        addresses = {board.name: board.shown for board in fleet.ssh}
        self.book = Book(suite, options, run_id, runs, self.share, addresses, resume)
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
        """Whether the pause that the user wants was told as reached."""
        self._active = ActiveMark(options.folder, suite.id, self.book.ledger)
        self._early: list[tuple[Member, Message]] = []

    async def go(self) -> None:
        """Never raises but CancelledError; the last event says how it ended."""
        book = self.book
        await told_to_the_end(
            book.ledger,
            self._go(),
            lambda: ("" if book.folder is None else book.run_id, book.folder),
        )

    async def _go(self) -> tuple[Outcome, str]:
        lock = None if self.book.folder is None else Lock(self.book.folder)
        if lock is not None:
            # The same run must not be gone on with twice at once.
            lock.take(self._suite.id)
        try:
            self._active.begin()
            check_suite(self._suite, [board.name for board in self._fleet.ssh])
            await stage(self.book.ledger, "connect", "Looking for the boards.")
            meeting = Meeting(self._fleet, self.book.ledger, self.controls, self._unreached)
            async with meeting.opened(self._suite.title or self._suite.id) as client:
                return await self._with_boards(client)
        finally:
            self._active.release()
            if lock is not None:
                lock.release()

    def _tell_pause(self) -> None:
        """Says when the last board rests, and when the run goes on."""
        is_rest = self.controls.is_paused and not self._answering
        if is_rest != self._is_rest_told:
            self._is_rest_told = is_rest
            told = StageChanged(stage="measure")
            if is_rest:
                told = StageChanged(stage="paused", sentence="Paused before the next prompts.")
            self.book.ledger.emit(told)

    async def _with_boards(self, client: engine.FleetClient) -> tuple[Outcome, str]:
        """Waits until everything is answered, or cannot be; then the report."""
        self._client, book = client, self.book
        members = Members(engine.version(), self._fleet.wanted, self._joined, self._refused)
        client.hear(book.run_id, members.announced, members.told, members.gone)
        ended, reason = "interrupted", ""
        try:
            ended, reason = await self._watched(client)
        finally:
            await self._let_boards_go(client)
            if book.is_begun:
                with suppress(journal.JournalError):
                    await book.close(ended)
        if not book.is_begun:
            raise SetupError("aborted" if ended == "aborted" else "unreachable", reason)
        assert book.folder is not None
        return await saved(book.ledger, book.folder, ended, reason)

    async def _watched(self, client: engine.FleetClient) -> tuple[str, str]:
        """(how it ended, a sentence where that needs one). Raises what a board's work raised."""
        book = self.book
        alone_s, told_s = time.monotonic(), 0.0
        while not self.share.is_over:
            await self._change()
            now_s = time.monotonic()
            ready = sum(member.is_ready for member in self._work)
            if self._failure is not None:
                raise self._failure
            if self.controls.is_aborted:
                return "aborted", "" if book.is_begun else "Ended before a board could be asked."
            if not client.is_connected:
                return "unreachable", (
                    "The scheduler has gone; boards finish and keep what they do, and "
                    "npulse bench resume fetches it."
                )
            if self._is_over_budget(now_s):
                self._is_closing = True
                if not ready:
                    why = "the time budget was used up"
                    book.skip(self.share.unanswered, "skipped_budget", why)
                    return "budget", ""
            elif ready:
                alone_s = now_s
            elif now_s - alone_s > self._fleet.wait_s:
                words = "No board was left" if book.is_begun else "No board could be asked"
                return "unreachable", f"{words} for {self._fleet.wait_s:.0f} s."
            if now_s - told_s >= FORECAST_S and book.is_begun:
                told_s = now_s
                book.ledger.emit(book.forecast(ready))
            if book.folder is not None:
                self.controls.obey_file(book.folder)
                self._tell_pause()
            self._active.look()
            await book.ledger.flush()
        return "complete", ""

    def _is_over_budget(self, now_s: float) -> bool:
        budget_s = self._options.max_time_s
        return budget_s is not None and self.book.is_begun and now_s - self.book.began_s >= budget_s

    async def _let_boards_go(self, client: engine.FleetClient) -> None:
        """Tells every board that the run is over, and lets those that ask end what they do."""
        self._is_closing = True
        self._changed.set()
        if client.is_connected:
            for member in self._work:
                self._end(member, is_abort=not self.share.is_over)
        working = [task for task in self._work.values() if not task.done()]
        if working and client.is_connected:
            await asyncio.wait(working, timeout=END_S)
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        for member in self._work:
            if member.is_ready:
                self.book.close_stretch(member, "aborted")
                self.book.see(member.name, "done")
        for name in {*(board.name for board in self._fleet.ssh), *(m.name for m in self._work)}:
            if name not in self.book.seen:
                self.book.see(name, "refused", "it was not ready before the run was over")
        await client.settled(SETTLE_S)

    # -- one board -------------------------------------------------------------------------------

    def _joined(self, member: Member) -> None:
        self._work[member] = asyncio.create_task(self._guarded(member))

    def _refused(self, name: str, sentence: str) -> None:
        self.book.see(name, "refused", sentence)

    def _unreached(self, name: str, address: str, sentence: str) -> None:
        """What ssh says of a board; one that has joined meanwhile tells of itself."""
        known = [member for member in self._work if member.name == name]
        if all(member.is_gone for member in known):
            state: BoardState = "lost" if known else "refused"
            self.book.see(name, state, sentence, address=address)

    async def _guarded(self, member: Member) -> None:
        """A board's work; a journal that cannot be written ends the run."""
        try:
            await self._board(member)
        except (journal.JournalError, RunError) as error:
            self._failure = error
        finally:
            self._changed.set()

    async def _board(self, member: Member) -> None:
        """One board from its joining to its going, or to the end of the run."""
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
        """Leaves a board alone for a while, not beyond the end of the run."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s and not self._is_done_with(member):
            await self._change()

    async def _change(self) -> None:
        """Something that others wait for, or a moment."""
        self._changed.clear()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._changed.wait(), LOOK_S)

    def _is_done_with(self, member: Member) -> bool:
        is_over = self._is_closing or self.share.is_over
        return member.is_gone or is_over or self.controls.is_aborted

    async def _serve(self, member: Member) -> bool:
        """Has a board prepare for the run. Whether it can be asked now."""
        order = RunOrder(
            run_id=self.book.run_id,
            who=who(),
            suite=reduced(self._suite),
            choices=Choices.of(self._options),
            warm_up=self.share.plan[0],
        )
        self._order("serve", member, encode(order), needs_npu=True)
        while (message := await member.inbox.get()) is not None:
            if message.kind == "ready" and message.ready is not None:
                problem = self.book.admit(member, message, message.ready)
                if problem is not None:
                    self.book.see(member.name, "refused", problem)
                    self._end(member)
                    return False
                await self._take_early()
                await self.book.ledger.flush()
                return True
            if message.kind == "refused":
                self.book.see(member.name, member.state_of_refusal, message.sentence)
                return False
            if message.kind == "waiting":
                self.book.see(member.name, "waiting", message.sentence)
            elif message.kind in ("answered", "broken"):
                # From before: kept there until somebody came for it.
                self._early.append((member, message))
                await self._take_early()
        self.book.see(member.name, "lost", "its connection was lost before it was asked")
        return False

    async def _take_early(self) -> None:
        """What boards kept of an earlier part of the run, as soon as there is a journal for it."""
        while self.book.is_begun and self._early:
            await self._take(*self._early.pop(0))

    async def _pull(self, member: Member) -> None:
        """Request after request, until the board is gone, broken, or nothing is left."""
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
                else "its server went away while it answered; it is looked at again"
            )
        self.book.close_stretch(member, "complete" if state == "done" else "lost")
        self.book.see(member.name, state, sentence)

    async def _next(self, member: Member) -> Task | None:
        """The next request for this board; None where there is none any more."""
        while not self._is_done_with(member):
            others = any(one.is_ready and one is not member for one in self._work)
            task = None
            if not self.controls.is_paused:
                task = self.share.take(member.name, has_others=others)
            if task is not None:
                return task
            await self._change()
        return None

    async def _asked(self, member: Member, task: Task) -> bool:
        """Asks one request of a board. False where the board is to be looked at again, or gone."""
        ask = Ask(
            run_id=self.book.run_id,
            task=task,
            number=self.share.number(task),
            planned=len(self.share.plan),
        )
        self._order("ask", member, encode(ask), needs_npu=True)
        while (message := await member.inbox.get()) is not None:
            if message.kind == "began" and message.key == task.key:
                self.book.began(member, message)
            elif message.kind == "waiting":
                self.book.see(member.name, "working", message.sentence, is_noted=False)
            elif message.kind == "refused":
                self.book.see(member.name, member.state_of_refusal, message.sentence)
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
        """Where it has no last word yet, and is not waiting for one already."""
        if not self.controls.is_aborted:
            self.share.put_back(task, member.name, why)
            self._changed.set()

    async def _take(self, member: Member, message: Message) -> None:
        """An answer, or one that failed, for the journal; the board need not keep it any longer."""
        request = await self.book.keep(member, message)
        if request is not None:
            was_stopped = request.status == "cancelled" and not self.controls.is_aborted
            is_lost = message.kind == "broken" or was_stopped
            self.share.ended(request, member.name, is_lost=is_lost)
            self._changed.set()
        if message.key is not None and not member.is_gone:
            self._have(member, message.key)

    # -- orders ----------------------------------------------------------------------------------

    def _order(self, what: str, member: Member, data: bytes, *, needs_npu: bool) -> None:
        assert self._client is not None
        function: Any = getattr(on_board, what)
        self._client.order(function, data, member.address, member.fail, needs_npu=needs_npu)

    def _have(self, member: Member, key: tuple[str, int]) -> None:
        have = Have(run_id=self.book.run_id, keys=(key,))
        self._order("forget", member, encode(have), needs_npu=False)

    def _end(self, member: Member, *, is_abort: bool = False) -> None:
        if not member.is_gone:
            ending = Ending(run_id=self.book.run_id, is_abort=is_abort)
            self._order("end", member, encode(ending), needs_npu=False)
