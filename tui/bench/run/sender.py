"""Sends the requests of a run with their time limits and events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter_ns

from tui.bench.model.events import RequestStarted, StageChanged
from tui.bench.model.options import Limits
from tui.bench.model.records import Request
from tui.bench.model.suite import Sampling
from tui.bench.run import request_record
from tui.bench.run.forecast import tokens_in
from tui.bench.run.plan import Task
from tui.bench.run.recorded_turn import RecordedTurn
from tui.bench.run.request_runner import RequestResult, RequestRunner
from tui.bench.run.run_context import RunContext
from tui.bench.store.runs import utc_now
from tui.core.board.npu_busy import is_busy_for_others
from tui.core.types import ChatRequest, Message, TtftPart
from tui.servers.tokenizer import ModelTokenizer

PROOF_S = 10.0


class RequestSender:
    """Sends the requests of a run, one at a time."""

    def __init__(
        self, context: RunContext, on_tick: Callable[[RecordedTurn], None] = lambda _: None
    ) -> None:
        self._s = context
        self._on_tick = on_tick
        self._key = ("", 0)
        self._is_measured = False
        self._tokenizer = ModelTokenizer(context.options.tokenizer, context.ledger.note)
        self._reason: str | None = None
        """The last emitted reason why the request waits for the server."""
        self.limits = Limits()
        self.sent_ns = perf_counter_ns()
        self.drain_sentence = ""
        self._ended_ns: int | None = None
        """The end of npulse's last answer (monotonic)."""
        self.has_to_load = context.connected.has_to_load
        """Whether the server has to load the model for the next request."""
        self._runner = RequestRunner(
            context.connected.client,
            context.controls,
            on_tick=self._tick,
            on_drain=self._drains,
            is_npu_idle=context.board.is_npu_idle,
            tick_s=context.options.tick_s,
        )

    async def send(
        self,
        task: Task,
        text: str,
        *,
        segment: int,
        sha: str,
        attempt: int = 0,
        number: int = 0,
        planned: int = 0,
        is_measured: bool,
    ) -> RequestResult:
        """Send ``text`` and wait for the end of the answer, in any state. ``sha``: hash of the
        prompt."""
        self._key, self._is_measured = task.key, is_measured
        self.sent_ns = perf_counter_ns()
        self.limits = self._limits(task)
        self._s.ledger.begin_answer()
        self._s.ledger.emit(
            RequestStarted(
                id=task.prompt.id,
                rep=task.rep,
                order=task.order,
                segment=segment,
                wall=utc_now(),
                t_ns=self.sent_ns,
                prompt=text,
                prompt_sha256=sha,
                system=task.prompt.system,
                attempt=attempt,
                name=task.prompt.name,
                number=number,
                planned=planned,
                max_tokens=task.prompt.max_tokens,
                is_warmup=not is_measured,
            )
        )
        messages = [Message(past.role, past.content) for past in task.prompt.history]
        if task.prompt.system:
            messages.insert(0, Message("system", task.prompt.system))
        messages.append(Message("user", text))
        log = self._s.board.runtime_log
        if log is not None:
            await log.begin()
        asked = await self._runner.ask(
            self._request(tuple(messages), task.prompt.max_tokens, task.prompt.sampling),
            self.limits,
            context_tokens=self._s.connected.context_tokens,
            can_skip=is_measured,
            stops_loops=self._s.options.stops_loops and is_measured,
            before_prefill=self._before_prefill(),
        )
        self.has_to_load = False
        self._ended_ns = perf_counter_ns()
        if log is not None and asked.stopped is None:
            numbers = await log.numbers_of(asked.turn)
            if numbers is not None:
                asked.turn.note_runtime(numbers)
        if self._tokenizer.is_usable:
            await asyncio.to_thread(self._tokenizer.note_counts, asked.turn)
        self._s.ledger.follow(
            asked.turn, task.key, self.limits.idle_s, is_warmup=not is_measured, is_last=True
        )
        return asked

    def _before_prefill(self) -> tuple[TtftPart, ...]:
        """What TTFT will include before prefill: loading the model, other clients' requests."""
        found: list[TtftPart] = ["load"] if self.has_to_load else []
        load_pct = self._s.board.npu_load_pct()
        if is_busy_for_others(load_pct, perf_counter_ns(), self._ended_ns):
            found.append("queue")
        return tuple(found)

    def _request(
        self, messages: tuple[Message, ...], max_tokens: int, sampling: Sampling | None = None
    ) -> ChatRequest:
        base = self._s.settings if sampling is None else sampling.over(self._s.settings)
        settings = replace(base, max_tokens=max_tokens)
        return ChatRequest(self._s.connected.info.name, messages, settings)

    def _limits(self, task: Task) -> Limits:
        speed, policy, size = self._s.speed, self._s.options.policy, tokens_in(task)
        full_s = speed.decode_s(size, task.prompt.max_tokens)
        gap_s = speed.decode_s(size, 1) if speed.is_measured else None
        limits = policy.limits(speed.prefill_s(size), gap_s, full_s)
        return policy.buffered(limits, full_s) if self._s.is_buffered else limits

    def record(
        self,
        task: Task,
        asked: RequestResult,
        *,
        segment: int,
        sha: str,
        clock_step: str | None = None,
        earlier: Request | None = None,
    ) -> Request:
        """The record of a finished request, without checks."""
        is_filler = task.prompt.filler is not None
        return request_record.record(
            task,
            asked,
            segment=segment,
            wall=utc_now(),
            prompt_sha256=sha,
            board=self._s.board.log,
            is_buffered_run=self._s.is_buffered,
            words_in=task.wanted_in or None if is_filler else None,
            clock_step=clock_step,
            earlier=earlier,
        )

    async def is_idle_after(self, asked: RequestResult) -> bool:
        """Whether the server is idle, so that the next request may be sent. If unknown, it is
        tested with a tiny request. Also True after an abort."""
        if asked.is_idle or self._s.controls.is_aborted:
            return True
        proof = self._request((Message("user", "Say ok."),), 1)
        if await self._runner.answers_now(proof, min(PROOF_S, self.limits.drain_s)):
            return True
        self.drain_sentence = (
            f"The server did not become idle within {self.limits.drain_s:.0f} s after a request "
            "that npulse ended; the remaining requests are skipped."
        )
        self._s.ledger.note(self.drain_sentence)
        return False

    def _tick(self, turn: RecordedTurn) -> None:
        reason = None if turn.wait is None else turn.wait.reason
        if reason != self._reason:
            self._reason = reason
            # Without a reason, the request is no longer waiting.
            stage = StageChanged(stage="queue", sentence=f"Waiting: {reason}.")
            self._s.ledger.emit(StageChanged(stage="measure") if reason is None else stage)
        self._s.ledger.follow(turn, self._key, self.limits.idle_s, is_warmup=not self._is_measured)
        self._on_tick(turn)

    def _drains(self) -> None:
        sentence = "The server is still working on the answer."
        self._s.ledger.emit(StageChanged(stage="drain", sentence=sentence))
