"""Runs a suite: an async generator of events, independent of any screen.

    async for event in run(suite, options): ...

A result is in the journal before its event is yielded. The last event is always
:class:`tui.bench.model.events.Finished`. Closing the generator early aborts the run safely.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter_ns

from tui.bench.model.conditions import Config, Env, Model
from tui.bench.model.events import (
    Closed,
    Event,
    Header,
    Outcome,
    Segment,
)
from tui.bench.model.options import Options
from tui.bench.model.records import Run
from tui.bench.model.suite import Suite, wanted
from tui.bench.run import connect, plan
from tui.bench.run.announce import started
from tui.bench.run.board_link import BoardLink
from tui.bench.run.connect import Connected, SetupError
from tui.bench.run.ending import events_of, saved, told_to_the_end
from tui.bench.run.forecast import Speed
from tui.bench.run.held_governors import HeldGovernors
from tui.bench.run.ledger import Ledger
from tui.bench.run.plan import Task
from tui.bench.run.preparation import prepared, sample_forever, stage, waiting
from tui.bench.run.request_loop import RequestLoop
from tui.bench.run.run_context import RunContext
from tui.bench.store import journal
from tui.bench.store import resume as resuming
from tui.bench.store.controls import Controls
from tui.bench.store.history import usual_tokens
from tui.bench.store.runs import Lock, RunError, make, new_id, utc_now

RunSuite = Callable[..., AsyncIterator[Event]]
"""What runs a suite, given what :func:`run` is given: here, or on many boards."""

FLUSH_NS = 400_000_000
"""Interval of writing the journal. With the 0.5 s for which chunks are collected, a kill -9 loses
less than 1 s."""


def run(
    suite: Suite,
    options: Options,
    controls: Controls | None = None,
    *,
    resume: resuming.Earlier | None = None,
    governors: HeldGovernors | None = None,
) -> AsyncIterator[Event]:
    """Run the suite, or the missing requests of the run ``resume``. See the module.

    ``governors`` are set if the options require it; those that a killed run left are restored in
    any case.
    """
    runner = Runner(suite, options, controls or Controls(), resume, governors)
    return events_of(runner.ledger, runner.controls, runner.go())


class Runner:
    """One run, from finding the server to its report files."""

    def __init__(
        self,
        suite: Suite,
        options: Options,
        controls: Controls,
        resume: resuming.Earlier | None = None,
        governors: HeldGovernors | None = None,
    ) -> None:
        if resume is None:
            suite = wanted(suite, is_quick=options.is_quick, is_thinking=options.is_thinking)
        self.suite = suite
        self.options = options
        self.controls = controls
        self.ledger = Ledger()
        self._resume = resume
        self._governors = governors
        self._folder: Path | None = None
        self._run_id = ""
        self._is_simulated = False
        self._notes: list[str] = []

    async def go(self) -> None:
        """Do the run. The last event has its outcome. Raises nothing but CancelledError."""
        await told_to_the_end(self.ledger, self._go(), lambda: (self._run_id, self._folder))

    async def _go(self) -> tuple[Outcome, str]:
        lock = Lock(self.options.folder)
        try:
            lock.take(self.suite.id)
        except RunError:
            with suppress(journal.JournalError):
                self.ledger.begin(self.options.folder, is_holder=False)
            raise
        try:
            self.ledger.begin(self.options.folder)
            return await self._locked()
        finally:
            lock.release()

    async def _locked(self) -> tuple[Outcome, str]:
        governors = self._governors
        for problem in () if governors is None else governors.recover():
            self.ledger.note(problem)
        await stage(self.ledger, "connect", "Looking for the server.")
        connected = await connect.connect(self.options, waiting(self.ledger))
        board = BoardLink(
            connected.server,
            self.options.root,
            reads_board=self.options.reads_board,
            elsewhere=self.options.elsewhere,
        )
        try:
            if self.options.pins:
                if governors is None:
                    raise RunError("--pin holds the governors of this machine alone")
                self._notes.append(f"governors held at performance: {'; '.join(governors.take())}")
            return await self._with_board(connected, board)
        finally:
            for problem in () if governors is None else governors.restore():
                self.ledger.note(problem)
            board.close()
            await connected.client.aclose()

    async def _with_board(self, connected: Connected, board: BoardLink) -> tuple[Outcome, str]:
        options = self.options
        found = await prepared(connected, self.suite, options, board, self.ledger)
        if found.problem is not None:
            self._notes.append(f"run despite: {found.problem}")
        if board.note is not None:
            self._notes.append(board.note)
        connected, env, model, config = found.connected, found.env, found.model, found.config
        tasks = self._tasks(connected)
        self._is_simulated = found.is_simulated
        run_record = self._open(board.shown_url, env, model, config, tasks)
        speed = Speed(model.size)
        self.ledger.emit(
            started(
                run_record,
                connected,
                model,
                tasks,
                speed,
                server=board.server_label,
                url=board.shown_url,
                folder=str(self._folder),
                done=0 if self._resume is None else len(self._resume.done),
                minutes=self._minutes,
            )
        )
        context = RunContext(
            suite=self.suite,
            options=options,
            seed=self._seed,
            controls=self.controls,
            ledger=self.ledger,
            connected=connected,
            board=board,
            settings=found.settings,
            speed=speed,
            history=usual_tokens(options.folder, model.name),
            cool_limit_c=found.cool_limit_c,
            segment=self._segment,
            env=env,
            model=model,
            config=config,
            model_path=found.model_path,
            done=frozenset() if self._resume is None else self._resume.done,
            earlier=() if self._resume is None else self._resume.loaded.document.requests,
        )
        return await self._measure(context, tasks)

    async def _measure(self, context: RunContext, tasks: list[Task]) -> tuple[Outcome, str]:
        loop = RequestLoop(context)
        background = asyncio.create_task(self._background(context))
        ended = "interrupted"
        try:
            measuring = asyncio.create_task(loop.run(tasks))
            done, _ = await asyncio.wait(
                (measuring, background), return_when=asyncio.FIRST_COMPLETED
            )
            if background in done:
                # The background task ends only if the journal cannot be written.
                measuring.cancel()
                with suppress(asyncio.CancelledError):
                    await measuring
                ended = "journal"
                background.result()
            ended = measuring.result()
        except asyncio.CancelledError:
            measuring.cancel()
            with suppress(asyncio.CancelledError):
                await measuring
            raise
        finally:
            background.cancel()
            with suppress(asyncio.CancelledError, journal.JournalError):
                await background
            self.ledger.emit(Closed(number=loop.segment, wall_s=loop.elapsed_s, ended=ended))
            with suppress(journal.JournalError):
                await self.ledger.flush(sync=True)
        assert self._folder is not None
        return await saved(self.ledger, self._folder, ended, loop.sentence)

    # -- before the first request ----------------------------------------------------------------

    def _tasks(self, connected: Connected) -> list[Task]:
        """The plan, without requests that do not fit in the context. Raises SetupError if none
        do."""
        runs = self.options.runs or self.suite.runs
        if self._resume is not None:
            runs = self._resume.loaded.document.run.runs
        seed = self._seed
        every = plan.ordered(self.suite, runs, seed, connected.context_tokens)
        kept = [task for task in every if plan.fits_context(task, connected.context_tokens)]
        left_out = list(dict.fromkeys(t.prompt.id for t in every if t not in kept))
        if left_out:
            context = connected.context_tokens or "an unknown number of"
            sentence = f"{', '.join(left_out)} left out: no room in {context} tokens of context"
            self._notes.append(sentence)
            self.ledger.note(sentence)
        if not kept:
            raise SetupError("refused", "Nothing of this suite fits into the context.")
        return kept

    @property
    def _seed(self) -> int:
        if self._resume is not None:
            return self._resume.loaded.document.run.seed
        return self.options.seed

    @property
    def _segment(self) -> int:
        return 0 if self._resume is None else self._resume.segments

    def _open(self, url: str, env: Env, model: Model, config: Config, tasks: list[Task]) -> Run:
        """Create the run's folder and journal, or open those of the run to resume."""
        prompts = {t.prompt.id: plan.sha_of(self.suite, t, self._seed) for t in tasks if not t.rep}
        if self._resume is None:
            record = Run(
                id=new_id(self.suite.id, model.name),
                suite=self.suite.id,
                suite_sha256=self.suite.sha256,
                title=self.suite.title,
                kind=self.suite.kind,
                started_utc=utc_now(),
                seed=self._seed,
                runs=self.options.runs or self.suite.runs,
                planned=0 if self._minutes is not None else len(tasks),
                tool=connect.TOOL,
                simulated=self._is_simulated,
                notes=tuple(self._notes),
            )
            self._run_id = record.id
            self._folder = make(self.options.folder, record.id)
        else:
            resuming.check_unchanged(
                self._resume,
                model=model,
                env=env,
                config=config,
                prompts_sha256=prompts,
                is_simulated=self._is_simulated,
            )
            record = self._resume.loaded.document.run
            self._run_id, self._folder = record.id, self._resume.folder
        if self._resume is None:
            self.ledger.emit(
                Header(run=record, suite=self.suite, config=config, prompts_sha256=prompts)
            )
        segment = Segment(
            number=self._segment,
            started_utc=utc_now(),
            t_ns=perf_counter_ns(),
            env=env,
            model=model,
            config=config,
            reason="start" if self._resume is None else "resume",
        )
        self.ledger.emit(segment)
        self.ledger.open(self._folder / journal.FILE_NAME, url)
        return record

    @property
    def _minutes(self) -> float | None:
        return self.options.minutes or self.suite.minutes

    # -- during the requests ---------------------------------------------------------------------

    async def _background(self, context: RunContext) -> None:
        """Sample the board and flush the journal until cancelled.

        Raises JournalError, which ends the run.
        """
        flushed_ns = 0

        async def flush() -> None:
            nonlocal flushed_ns
            now_ns = perf_counter_ns()
            if now_ns - flushed_ns >= FLUSH_NS:
                flushed_ns = now_ns
                await self.ledger.flush()
                if self._folder is not None:
                    self.controls.obey_file(self._folder)

        await sample_forever(context.board, self.options, self.ledger, flush)
