"""Loop over the measured requests: cool-down, sending, checks, retries, figures."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from time import perf_counter_ns
from typing import Literal

import msgspec

from tui.bench.analysis import summary
from tui.bench.analysis.totals import totals
from tui.bench.checks.run import check_answer
from tui.bench.model.answer import Answer
from tui.bench.model.events import Closed, RequestEnded, Segment, StageChanged, Summarised
from tui.bench.model.records import Request, Status
from tui.bench.model.suite import prompt_sha256
from tui.bench.run import cooldown, plan
from tui.bench.run.clocks import ClockWatch
from tui.bench.run.forecast import forecast
from tui.bench.run.load_cycle import LoadCycle
from tui.bench.run.plan import Task
from tui.bench.run.recorded_turn import RecordedTurn
from tui.bench.run.request_record import not_asked
from tui.bench.run.request_runner import RequestResult
from tui.bench.run.run_context import RunContext
from tui.bench.run.sender import RequestSender
from tui.bench.run.warmup import Warming
from tui.bench.store import chunk_words
from tui.bench.store.runs import utc_now

MAX_ATTEMPTS = 3
MAX_UNREACHABLE = 2
LIVE_RESAMPLES = 1_000
"""Bootstrap resamples for figures during a run; the report uses ten times as many."""
UNREACHABLE = frozenset({"refused", "dns", "connect_timeout"})
FORECAST_EVERY_NS = 2_000_000_000

Ended = Literal["complete", "aborted", "drain", "budget", "unreachable"]


class RequestLoop:
    """One call of a run, from the stream probe to the last request."""

    def __init__(self, context: RunContext) -> None:
        self._s = context
        self._sender = RequestSender(context, self._tick)
        self._warming = Warming(context, self._sender)
        self._load = LoadCycle(context.connected, context.board, context.model_path)
        self._clock = ClockWatch()
        self.segment = context.segment
        self.sentence = ""
        """The reason if it ended early, as a sentence; else empty."""
        self._requests: list[Request] = list(context.earlier)
        self._by_sha: dict[str, Request] = {}
        self._left: list[Task] = []
        self._start_ns = perf_counter_ns()
        self._forecast_ns = 0
        self._is_measuring = False
        self._has_asked = False
        self._unreachable = 0
        self._pid = context.board.server_pid()

    async def run(self, tasks: list[Task]) -> Ended:
        """Run the requests that are not done yet. Returns how it ended. Raises JournalError."""
        left = [task for task in tasks if task.key not in self._s.done]
        self._left = left
        ended = await self.warm_up(left)
        if ended is not None:
            return ended
        self._is_measuring = True
        self._stage_measure()
        if self._s.minutes is not None:
            return await self._by_time(self._s.minutes, len(tasks))
        return await self._through(left, len(tasks))

    async def warm_up(self, tasks: Iterable[Task]) -> Ended | None:
        """Probe, warm-up and calibration for these requests. A result other than None ends the
        run."""
        if await self._warming.run(tasks):
            return None
        self.sentence = self._sender.drain_sentence
        return "aborted" if self._s.controls.is_aborted else "drain"

    def _stage_measure(self) -> None:
        self._s.ledger.emit(StageChanged(stage="measure"))

    # -- order of the requests -----------------------------------------------------------------

    async def _through(self, tasks: list[Task], planned: int) -> Ended:
        for index, task in enumerate(tasks):
            self._left = tasks[index:]
            await cooldown.pause(self._s)
            await self.cool(task)
            if not self._s.controls.is_aborted and self._is_over_budget():
                await self._skip(tasks[index:], "skipped_budget", "the time budget was used up")
                return "budget"
            ended = await self.one(task, planned - len(tasks) + index + 1, planned)
            if ended is not None:
                if ended != "aborted":
                    await self._skip(tasks[index + 1 :], "skipped", self.sentence)
                return ended
        return "complete"

    async def _by_time(self, minutes: float, least: int) -> Ended:
        """Repeat the plan for ``minutes``, each prompt at least once."""
        end_ns = perf_counter_ns() + round(minutes * 60e9)
        for number, task in enumerate(plan.endless(self._s.suite), 1):
            await cooldown.pause(self._s)
            if self._s.controls.is_aborted:
                return "aborted"
            is_over = perf_counter_ns() >= end_ns or self._is_over_budget()
            if number > least and is_over:
                break
            self._stage_measure()
            ended = await self._measured(task, number, 0)
            if ended is not None:
                return ended
        return "complete"

    async def cool(self, task: Task) -> None:
        """Cool down before a request, except before the first and in the suite ``cache``."""
        if self._has_asked and self._s.suite.kind != "cache":
            await cooldown.cool_down(self._s, task)

    async def one(self, task: Task, number: int, planned: int) -> Ended | None:
        """Send the next request; its record goes to the ledger. A result other than None ends the
        run. Raises JournalError."""
        if self._s.controls.is_aborted:
            return "aborted"
        self._has_asked = True
        self._stage_measure()
        return await self._measured(task, number, planned)

    def _is_over_budget(self) -> bool:
        budget_s = self._s.options.max_time_s
        return budget_s is not None and self._elapsed_s >= budget_s

    @property
    def _elapsed_s(self) -> float:
        return (perf_counter_ns() - self._start_ns) / 1e9

    async def _skip(self, tasks: Iterable[Task], status: Status, why: str) -> None:
        for task in tasks:
            request = not_asked(task, status, why, self.segment)
            self._s.ledger.emit(RequestEnded(request=request))
        await self._s.ledger.flush(sync=True)

    # -- one request ---------------------------------------------------------------------------

    async def _measured(self, task: Task, number: int, planned: int) -> Ended | None:
        """Send one planned request, with retries. A result other than None ends the run."""
        if self._s.suite.kind == "load":
            problem = await self._load.before(task)
            if problem is not None:
                await self._skip([task], "error_backend", problem)
                return None
            self._sender.has_to_load = False
        for attempt in range(MAX_ATTEMPTS):
            varied = task if attempt == 0 else replace(task, variant=f"{task.variant}:{attempt}")
            text = plan.words_of(self._s.suite, varied, self._s.seed, self._warming.words)
            sha = prompt_sha256(text, task.prompt.system, task.prompt.history)
            self._clock.step()
            asked = await self._sender.send(
                task,
                text,
                segment=self.segment,
                sha=sha,
                attempt=attempt,
                number=number,
                planned=planned,
                is_measured=True,
            )
            request = self._sender.record(
                task,
                asked,
                segment=self.segment,
                sha=sha,
                clock_step=self._clock.step(),
                earlier=self._by_sha.get(sha),
            )
            request = await self._checked(task, request, asked.turn, text)
            if self._s.suite.kind == "load":
                request = self._load.described(request)
            await self._keep(request, asked.turn)
            ended = self._end_of_run(asked, is_idle=await self._sender.is_idle_after(asked))
            if ended is not None or not _is_too_short(task, request):
                return ended
            self._s.ledger.note(f"{task.prompt.id}: answer too short, retried with other words")
        return None

    async def _checked(
        self, task: Task, request: Request, turn: RecordedTurn, text: str
    ) -> Request:
        """The record with the checks of its answer; unchanged without an answer, and for filler."""
        has_thought = request.status == "empty" and bool(turn.thinking)
        is_read = request.is_scored or request.status == "loop_aborted" or has_thought
        if not is_read or task.prompt.filler is not None:
            return request
        answer = Answer(
            text=turn.text,
            prompt=text,
            is_capped=request.status != "ok",
            is_think_unclosed=bool(turn.thinking) and not turn.text.strip(),
            latency_ms=request.m.get("latency_ms"),
        )
        checks = await asyncio.to_thread(check_answer, task.prompt.checks, answer)
        return msgspec.structs.replace(request, checks=checks)

    async def _keep(self, request: Request, turn: RecordedTurn) -> None:
        """Write the record to the journal, then to the queue."""
        ledger = self._s.ledger
        ended = RequestEnded(
            request=request,
            text=turn.text,
            thinking=turn.thinking,
            chunk_ends=chunk_words.packed(turn.chunk_ends),
        )
        ledger.write(ended)
        await ledger.flush(sync=True)
        self._requests = [r for r in self._requests if r.key != request.key] + [request]
        self._by_sha.setdefault(request.prompt_sha256, request)
        if request.is_scored:
            self._s.speed.learn(request)
        if not self._s.is_one_of_many:
            ledger.show(ended)
            await self._summarise()
        self._watch_server()

    async def _summarise(self) -> None:
        """Emit the run's figures so far."""
        figures = await asyncio.to_thread(
            summary.summaries, self._requests, seed=self._s.seed, resamples=LIVE_RESAMPLES
        )
        run_totals = totals(
            self._requests,
            wall_s=self._elapsed_s,
            good_ttft_ms=self._s.options.good_ttft_ms,
            good_decode_tps=self._s.options.good_decode_tps,
        )
        self._s.ledger.emit(Summarised(summary=figures, totals=run_totals))

    def _watch_server(self) -> None:
        """Begin another segment if the server has another process."""
        pid, before = self._s.board.server_pid(), self._pid
        self._pid = pid or before
        if pid is None or before is None or pid == before or self._s.suite.kind == "load":
            return
        ledger = self._s.ledger
        ledger.emit(Closed(number=self.segment, wall_s=self._elapsed_s, ended="server restarted"))
        self._start_ns = perf_counter_ns()
        self.segment += 1
        ledger.emit(
            Segment(
                number=self.segment,
                started_utc=utc_now(),
                t_ns=self._start_ns,
                env=self._s.env,
                model=self._s.model,
                config=self._s.config,
                reason="server restarted",
            )
        )
        ledger.note("The server was restarted: a new segment begins.")

    def _end_of_run(self, asked: RequestResult, *, is_idle: bool) -> Ended | None:
        if self._s.controls.is_aborted:
            return "aborted"
        if not is_idle:
            self.sentence = self._sender.drain_sentence
            return "drain"
        error = asked.turn.error
        is_away = error is not None and error.kind in UNREACHABLE
        self._unreachable = self._unreachable + 1 if is_away else 0
        if self._unreachable >= MAX_UNREACHABLE:
            self.sentence = "The server is no longer reachable; the remaining requests are skipped."
            return "unreachable"
        return None

    @property
    def elapsed_s(self) -> float:
        """Time since the present segment began."""
        return self._elapsed_s

    # -- during an answer ----------------------------------------------------------------------

    def _tick(self, turn: RecordedTurn) -> None:
        now_ns = perf_counter_ns()
        if not self._is_measuring or now_ns - self._forecast_ns < FORECAST_EVERY_NS:
            return
        self._forecast_ns = now_ns
        self._s.ledger.emit(
            forecast(
                self._left,
                self._s.speed,
                elapsed_s=self._elapsed_s,
                history=self._s.history,
                running_s=(now_ns - self._sender.sent_ns) / 1e9,
            )
        )


def _is_too_short(task: Task, request: Request) -> bool:
    """Whether the answer ended by itself with fewer tokens than the suite prescribes."""
    out = request.tok.out
    is_short = out is not None and out < task.prompt.max_tokens
    return task.prompt.exact and request.status == "ok" and is_short
