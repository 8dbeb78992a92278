"""The records of a run on many boards: its folder, its journal, and which board answered what."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter_ns

import msgspec

from tui.bench.model.boards import BoardState
from tui.bench.model.events import (
    BoardSeen,
    Closed,
    Event,
    Forecast,
    GateSeen,
    Header,
    Noted,
    RequestEnded,
    RequestStarted,
    Sampled,
    Segment,
    StageChanged,
    Started,
    TokensArrived,
    WarmupEnded,
)
from tui.bench.model.options import Options
from tui.bench.model.records import Request, Run, Status
from tui.bench.model.suite import Suite
from tui.bench.run import connect, plan
from tui.bench.run.announce import planned_requests
from tui.bench.run.forecast import Speed, forecast
from tui.bench.run.ledger import Ledger
from tui.bench.run.plan import Task
from tui.bench.run.request_record import not_asked
from tui.bench.store import journal
from tui.bench.store import resume as resuming
from tui.bench.store.history import usual_tokens
from tui.bench.store.runs import RunError, make, utc_now
from tui.core.text.sanitize import clean_line
from tui.fleet.board import events_in
from tui.fleet.members import Member
from tui.fleet.messages import Message, Ready
from tui.fleet.request_queue import RequestQueue

MAX_SENTENCE = 300


class RunWriter:
    """Records the boards' messages in the journal. ``addresses``: ssh addresses by board name."""

    def __init__(
        self,
        suite: Suite,
        options: Options,
        run_id: str,
        runs: int,
        queue: RequestQueue,
        addresses: dict[str, str],
        resume: resuming.Earlier | None,
    ) -> None:
        self.ledger = Ledger()
        self.run_id = run_id
        self.folder: Path | None = None if resume is None else resume.folder
        self.began_s = time.monotonic()
        self.seen: dict[str, tuple[BoardState, str]] = {}
        """State and sentence of each board, by name, as shown in its row."""
        before = () if resume is None else resume.loaded.document.requests
        self._answered_by = {r.key: r.board for r in before if r.is_scored}
        self._suite = suite
        self._options = options
        self._runs = runs
        self._queue = queue
        self._addresses = addresses
        self._resume = resume
        self._first: Ready | None = None
        """The first board that was ready: the other boards need the same model."""
        self._segments = 0 if resume is None else resume.segments
        self._own_segment = 0
        self._has_begun: set[tuple[str, tuple[str, int]]] = set()
        self._speed = Speed()
        self._history: dict[str, list[float]] = {}

    @property
    def is_begun(self) -> bool:
        """Whether a board has been ready, so that the run has a folder and a journal."""
        return self._first is not None

    # -- boards ----------------------------------------------------------------------------------

    def see(
        self, name: str, state: BoardState, sentence: str = "", *, address: str = "",
        model: str = "", is_noted: bool = True,
    ) -> None:  # fmt: skip
        """Records a board's state; repetitions are left out. A sentence also becomes a note, unless
        ``is_noted`` is False (for a momentary remark)."""
        clean = clean_line(sentence, MAX_SENTENCE)
        is_news = self.seen.get(name) != (state, clean)
        self.seen[name] = (state, clean)
        if not is_news and not model:
            return
        seen = BoardSeen(
            board=name,
            state=state,
            sentence=clean,
            address=address or self._addresses.get(name, ""),
            model=model,
        )
        self.ledger.emit(seen)
        if clean and is_noted:
            self.ledger.note(f"{name}: {clean}")

    def admit(self, member: Member, message: Message, ready: Ready) -> str | None:
        """Opens the journal segment of a board that is ready; the first board starts the run.
        Returns a sentence if its answers cannot be part of this run."""
        problem = self._begin_with(ready) if self._first is None else _other(self._first, ready)
        if problem is not None:
            return problem
        member.segment, self._segments = self._segments, self._segments + 1
        member.began_s, member.is_ready = time.monotonic(), True
        self.ledger.emit(
            Segment(
                number=member.segment,
                started_utc=ready.started_utc,
                t_ns=ready.t_ns,
                env=ready.env,
                model=ready.model,
                config=ready.config,
                reason="board",
                board=member.name,
            )
        )
        member.remark = ready.problem or ""
        self.see(member.name, "working", member.remark, model=ready.model.name)
        for event in events_in(message.events):
            if isinstance(event, WarmupEnded | Sampled):
                self.ledger.write(self._of(member, event))
            elif isinstance(event, GateSeen) and event.gate.severity != "ok":
                sentence = f"{member.name}: {event.gate.sentence}"
                gate = msgspec.structs.replace(event.gate, sentence=sentence)
                self.ledger.emit(GateSeen(gate=gate))
        return None

    def close_stretch(self, member: Member, ended: str) -> None:
        """Closes the journal segment of a board. ``ended`` is the reason."""
        if member.is_ready and member.segment is not None:
            member.is_ready = False
            wall_s = time.monotonic() - member.began_s
            self.ledger.emit(Closed(number=member.segment, wall_s=wall_s, ended=ended))

    # -- requests --------------------------------------------------------------------------------

    def began(self, member: Member, message: Message) -> None:
        """Records that a board sent a request to its server."""
        self.see(member.name, "working", member.remark, is_noted=False)
        for event in events_in(message.events):
            if isinstance(event, RequestStarted):
                self._has_begun.add((member.name, (event.id, event.rep)))
                self.ledger.emit(self._of(member, event))

    async def keep(self, member: Member, message: Message) -> Request | None:
        """Writes an answer to the journal. Of two answers to one request only the first is kept.

        Returns the request; None if the message holds no request of this run or one that has its
        final result already. Raises JournalError.
        """
        key, found = message.key, events_in(message.events)
        ended = [e for e in found if isinstance(e, RequestEnded) and e.request.key == key]
        if key is None or not ended or not self.is_begun or not self._queue.is_known(key):
            return None
        if not self._queue.is_open(key):
            if ended[-1].request.is_scored and self._answered_by.get(key) != member.name:
                self.ledger.note(
                    f"{key[0]}: {member.name} answered too, after another board had been asked; "
                    "the first answer counts"
                )
            return None
        is_told = (member.name, key) in self._has_begun
        for event in found:
            is_twice = isinstance(event, RequestStarted) and is_told and not event.attempt
            if _belongs_to(key, event) and not is_twice:
                self.ledger.write(self._of(member, event))
        self._has_begun.discard((member.name, key))
        done = self._of(member, ended[-1])
        self.ledger.write(done)
        await self.ledger.flush(sync=True)
        self.ledger.show(done)
        request = ended[-1].request
        if request.is_scored:
            self._speed.learn(request)
            self._answered_by[key] = member.name
        return request

    def skip(self, tasks: Sequence[Task], status: Status, why: str) -> None:
        """Records requests that were never sent. ``why`` is a clause."""
        for task in tasks:
            request = not_asked(task, status, why, self._own_segment)
            self.ledger.emit(RequestEnded(request=request))

    def _of(self, member: Member, event: Event) -> Event:
        """The event with this board's name and segment number."""
        change = msgspec.structs.replace
        segment = self._own_segment if member.segment is None else member.segment
        if isinstance(event, Sampled):
            return change(event, board=member.name)
        if isinstance(event, RequestStarted):
            return change(event, segment=segment, board=member.name)
        if isinstance(event, RequestEnded | WarmupEnded):
            request = change(
                event.request,
                segment=segment,
                board=member.name,
                asked_again=self._queue.why_again(event.request.key),
            )
            return change(event, request=request)
        return event

    # -- the run ---------------------------------------------------------------------------------

    def _begin_with(self, ready: Ready) -> str | None:
        """Starts the run with its first board. Returns a sentence if a resumed run does not fit
        it."""
        tasks, seed = self._queue.plan, self._options.seed
        prompts = {t.prompt.id: plan.sha_of(self._suite, t, seed) for t in tasks if not t.rep}
        if self._resume is not None:
            try:
                resuming.check_unchanged(
                    self._resume,
                    model=ready.model,
                    env=ready.env,
                    config=ready.config,
                    prompts_sha256=prompts,
                    is_simulated=ready.is_simulated,
                )
            except RunError as error:
                return str(error)
            record = self._resume.loaded.document.run
        else:
            record = self._new_run(ready, len(tasks))
            self.folder = make(self._options.folder, record.id)
            self.ledger.emit(
                Header(run=record, suite=self._suite, config=ready.config, prompts_sha256=prompts)
            )
        assert self.folder is not None
        self._own_segment, self._segments = self._segments, self._segments + 1
        self.ledger.emit(
            Segment(
                number=self._own_segment,
                started_utc=utc_now(),
                t_ns=perf_counter_ns(),
                env=ready.env,
                model=ready.model,
                config=ready.config,
                reason="start" if self._resume is None else "resume",
            )
        )
        self.ledger.open(self.folder / journal.FILE_NAME, "")
        self._first, self.began_s = ready, time.monotonic()
        self._speed = Speed(ready.model.size)
        self._history = usual_tokens(self._options.folder, ready.model.name)
        self._tell_start(record, ready)
        return None

    def _new_run(self, ready: Ready, planned: int) -> Run:
        return Run(
            id=self.run_id,
            suite=self._suite.id,
            suite_sha256=self._suite.sha256,
            title=self._suite.title,
            kind=self._suite.kind,
            started_utc=utc_now(),
            seed=self._options.seed,
            runs=self._runs,
            planned=planned,
            tool=connect.TOOL,
            simulated=ready.is_simulated,
        )

    def _tell_start(self, record: Run, ready: Ready) -> None:
        self.ledger.emit(
            Started(
                run_id=record.id,
                folder=str(self.folder),
                suite=record.suite,
                title=record.title,
                model=ready.model.name,
                server="many boards",
                is_simulated=record.simulated,
                seed=record.seed,
                done=len(self._queue.plan) - len(self._queue.unanswered),
                plan=planned_requests(self._queue.plan, self._speed),
            )
        )
        self.ledger.emit(StageChanged(stage="measure"))

    async def close(self, ended: str) -> None:
        """Closes the run's own segment."""
        wall_s = time.monotonic() - self.began_s
        self.ledger.emit(Closed(number=self._own_segment, wall_s=wall_s, ended=ended))
        await self.ledger.flush(sync=True)

    def forecast(self, boards: int) -> Forecast:
        """The remaining time if this many boards share the open requests evenly."""
        left, elapsed_s = self._queue.unanswered, time.monotonic() - self.began_s
        one, count = forecast(left, self._speed, elapsed_s=0.0, history=self._history), boards or 1
        left_s, planned = one.left_s / count, len(self._queue.plan)
        total_s = elapsed_s + left_s
        return Forecast(
            elapsed_s=elapsed_s,
            left_s=left_s,
            left_low_s=one.left_low_s / count,
            left_high_s=one.left_high_s / count,
            left_most_s=one.left_most_s / count,
            share=elapsed_s / total_s if total_s > 0 else 1.0,
            doing=f"{planned - len(left)} of {planned} answered, boards at work: {boards}",
        )


def _belongs_to(key: tuple[str, int], event: Event) -> bool:
    """Whether this event of a board belongs in the journal with that request. The run writes all
    other events itself."""
    if isinstance(event, RequestStarted | TokensArrived):
        return (event.id, event.rep) == key
    return isinstance(event, Sampled | Noted | GateSeen)


def _other(first: Ready, ready: Ready) -> str | None:
    """Why this board's figures cannot be part of this run (another model file); None if they
    can."""
    if ready.model.name != first.model.name:
        return (
            f"its model is {ready.model.name}, this run asks {first.model.name}; "
            "--model NAME has it loaded"
        )
    if ready.is_simulated != first.is_simulated:
        return "it is simulated and the others are not, or the other way round"
    if ready.model.sha256 and first.model.sha256 and ready.model.sha256 != first.model.sha256:
        return "its model has the same name and is another file (sha256)"
    if ready.model.quant != first.model.quant:
        return f"its model is quantised as {ready.model.quant}, not {first.model.quant}"
    return None
