"""Sends one request with the time limits of a benchmark, and waits until the server is idle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Literal

from tui.bench.model.options import Limits
from tui.bench.run.recorded_turn import RecordedTurn
from tui.bench.store.controls import Controls
from tui.core.turn.last_usage import LastUsage
from tui.core.types import ChatRequest, TtftPart
from tui.servers.client import Client
from tui.servers.exchange import StreamedRequest
from tui.servers.slot import Slot

StopReason = Literal[
    "timeout_first", "timeout_idle", "timeout_total", "cap", "loop", "skip", "abort"
]

TICK_S = 0.25
LATE_S = 1.0
ABORT_DRAIN_S = 1.0
"""Wait for an idle server after an abort: short, as no request follows; the next run checks
again."""
CAP_GRACE = 1
"""Tokens that a server may send beyond its limit."""


@dataclass(frozen=True, slots=True)
class RequestResult:
    """A finished request. ``stopped``: why npulse ended it, None if the server did.

    ``is_idle``: the server is known to be idle again, or ended the answer itself. ``drained_s``:
    how long npulse waited for that.
    """

    turn: RecordedTurn
    stopped: StopReason | None
    is_idle: bool


class RequestRunner:
    """Sends requests to one server, one at a time."""

    def __init__(
        self,
        client: Client,
        controls: Controls,
        *,
        on_tick: Callable[[RecordedTurn], None] = lambda _: None,
        on_drain: Callable[[], None] = lambda: None,
        is_npu_idle: Callable[[], bool | None] = lambda: None,
        tick_s: float = TICK_S,
    ) -> None:
        self._client = client
        self._controls = controls
        self._on_tick = on_tick
        self._on_drain = on_drain
        self._is_npu_idle = is_npu_idle
        self._tick_s = tick_s
        self._slot = Slot()
        self._last_usage = LastUsage()

    async def ask(
        self,
        request: ChatRequest,
        limits: Limits,
        *,
        context_tokens: int | None = None,
        can_skip: bool = True,
        stops_loops: bool = False,
        before_prefill: tuple[TtftPart, ...] = (),
    ) -> RequestResult:
        """Send a request and wait for its end; at a limit, stop it and wait for an idle server.

        Raises nothing but CancelledError, after the connection is closed.
        """
        meaning = self._client.dialect.chunk_meaning
        turn = RecordedTurn(request, perf_counter_ns(), meaning, context_tokens, self._last_usage)
        for part in before_prefill:
            turn.note_before_prefill(part)
        exchange = StreamedRequest(self._client, request, turn, self._slot)
        task = asyncio.create_task(exchange.run())
        watch = _Watch(turn, exchange, limits, self._controls, can_skip, stops_loops)
        try:
            while not task.done():
                due_ns = perf_counter_ns() + round(self._tick_s * 1e9)
                await asyncio.wait((task,), timeout=self._tick_s)
                # If this tick is late, the event loop was, and so were the chunks' times.
                turn.note_lag(max(0, perf_counter_ns() - due_ns) / 1e6)
                self._on_tick(turn)
                reason = None if task.done() else watch.look()
                if reason is not None:
                    is_idle = await self._end(exchange, task, limits)
                    self._on_tick(turn)
                    return RequestResult(turn, reason, is_idle)
        finally:
            if not task.done():
                exchange.close()
                await asyncio.wait((task,), timeout=5.0)
        return RequestResult(turn, None, is_idle=True)

    async def _end(
        self, exchange: StreamedRequest, task: asyncio.Task[None], limits: Limits
    ) -> bool:
        """Stop the answer. Returns whether the server became idle."""
        start_ns = perf_counter_ns()
        exchange.stop()
        await asyncio.wait((task,), timeout=0.2)
        if not task.done():
            self._on_drain()
        quiet = 0
        drain_s = limits.drain_s
        if self._controls.is_aborted:
            drain_s = min(drain_s, ABORT_DRAIN_S)
        while not task.done() and (perf_counter_ns() - start_ns) / 1e9 < drain_s:
            await asyncio.wait((task,), timeout=min(1.0, drain_s))
            # Three idle results in a row, as the load is an average over 1 s.
            quiet = quiet + 1 if self._is_npu_idle() else 0
            if quiet >= 3:
                break
        is_idle = task.done() or quiet >= 3
        if not task.done():
            exchange.close()
            await asyncio.wait((task,), timeout=5.0)
        return is_idle

    async def answers_now(self, request: ChatRequest, within_s: float) -> bool:
        """Whether the server answers a tiny request in time, and so is idle."""
        limits = Limits(first_s=within_s, idle_s=within_s, drain_s=min(within_s, 5.0))
        asked = await self.ask(request, limits, can_skip=False)
        return asked.stopped is None and bool(asked.turn.stamps_ns)


@dataclass(slots=True)
class _Watch:
    """Decides whether a running answer has to be ended."""

    turn: RecordedTurn
    exchange: StreamedRequest
    limits: Limits
    controls: Controls
    can_skip: bool
    stops_loops: bool
    _looked_ns: int = 0
    _grace_ns: int = 0

    def look(self) -> StopReason | None:
        now_ns = perf_counter_ns()
        if self._looked_ns and now_ns - self._looked_ns > LATE_S * 1e9 + TICK_S * 1e9:
            # This process was suspended: what arrived meanwhile has to be read first.
            self._grace_ns = now_ns + round(LATE_S * 1e9)
        self._looked_ns = now_ns
        if self.controls.is_aborted:
            return "abort"
        if self.can_skip and self.controls.take_skip():
            return "skip"
        if self.turn.phase.is_over:
            return None
        cap = self.turn.request.settings.max_tokens
        is_counted = self.exchange.turn is self.turn and self.is_token_per_chunk
        if is_counted and len(self.turn.stamps_ns) > cap + CAP_GRACE:
            return "cap"
        if self.stops_loops and self.turn.detector.loop is not None:
            return "loop"
        return None if now_ns < self._grace_ns else self._overdue(now_ns)

    @property
    def is_token_per_chunk(self) -> bool:
        stats = self.turn.stats(perf_counter_ns())
        return stats.tokens == stats.chunks

    def _overdue(self, now_ns: int) -> StopReason | None:
        sent_ns = self.exchange.sent_ns
        if sent_ns is None:
            return None
        if self.limits.total_s is not None and now_ns - sent_ns > self.limits.total_s * 1e9:
            return "timeout_total"
        if not self.turn.stamps_ns:
            is_late = now_ns - sent_ns > self.limits.first_s * 1e9
            return "timeout_first" if is_late else None
        is_idle = now_ns - self.turn.stamps_ns[-1] > self.limits.idle_s * 1e9
        return "timeout_idle" if is_idle else None
