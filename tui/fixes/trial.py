"""Compares answers before and after a change, by switching it on and off between them.

Eight short answers of about the same length are sent, in the order before, after, after, before,
after, before, before, after. So a drift (heat, a cache that fills) affects both sides equally. Four
values per side are the fewest with which a rank test can be significant at 5 %. The statistics are
those of ``npulse bench compare``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from tui.bench.analysis.compare import compare_values
from tui.bench.analysis.summary import headline_source, value_of
from tui.bench.analysis.trace import MIN_TOKENS
from tui.bench.model.comparison import Row
from tui.bench.model.metrics import metric, ratio
from tui.bench.model.options import GREEDY, Limits
from tui.bench.model.records import Request
from tui.bench.model.suite import Prompt
from tui.bench.run import request_record
from tui.bench.run.board_link import BoardLink
from tui.bench.run.connect import Connected
from tui.bench.run.plan import Task
from tui.bench.run.recorded_turn import RecordedTurn
from tui.bench.run.request_runner import RequestResult, RequestRunner
from tui.bench.store.controls import Controls
from tui.bench.store.runs import utc_now
from tui.core.board.fix import MeasuredBy
from tui.core.board.reading import Snapshot
from tui.core.text import format as fmt
from tui.core.text.sanitize import clean_line
from tui.core.turn.arrivals import arrivals_of
from tui.core.types import ChatRequest, Message

ORDER = (False, True, True, False, True, False, False, True)
"""Whether the change is in force, for each answer."""
TRIAL_S = 20.0
LEAST_TOKENS, MOST_TOKENS = 5, 96
"""Range of an answer's tokens; five tokens have four gaps."""
WARM_TOKENS = 5
UNKNOWN_TOKENS = 32
"""An answer's tokens if the warm-up gave no rate."""
TRIES = 3
PREFILL_TOKENS = 3
SAMPLE_S = 0.25
SETTLE_S = 0.35
"""Pause after a change, as governors evaluate the load a few times a second."""
LIMITS = Limits(first_s=120.0, idle_s=60.0, drain_s=10.0)
SUBJECTS = (
    "a harbour", "a lighthouse", "a bakery", "a bicycle", "a mountain hut", "a railway station",
    "a market", "an orchard", "a library", "a river", "a workshop", "a garden",
)  # fmt: skip
"""A different subject in each prompt, so that no prefix cache applies."""


@dataclass(frozen=True, slots=True)
class TrialProgress:
    """Progress: (whether the change was in force, rate) per finished answer. ``waits_for``: why the
    server does not accept the next request yet, without a full stop."""

    rates_tps: tuple[tuple[bool, float], ...] = ()
    total: int = len(ORDER)
    waits_for: str = ""

    @property
    def done(self) -> int:
        return len(self.rates_tps)

    def line(self) -> str:
        """The rates so far, such as ``before 1.42 1.41, after 3.13``."""
        words = []
        for name, side in (("before", False), ("after", True)):
            rates = [fmt.rate(rate) for is_after, rate in self.rates_tps if is_after is side]
            words += [f"{name} {' '.join(rates)}"] if rates else []
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Trial:
    """Result of a comparison. ``row`` is the compared metric; None if it failed, for the reason
    ``problem``. The snapshots are the last ones during an answer before and after the change."""

    row: Row | None = None
    problem: str | None = None
    before: Snapshot | None = None
    after: Snapshot | None = None

    @property
    def is_better(self) -> bool:
        return self.row is not None and self.row.verdict == "faster"

    def sentence(self) -> str:
        """The result, such as ``2.10 to 3.20 tok/s (+52 %, 48 to 55)``."""
        row = self.row
        if row is None:
            return self.problem or "nothing was measured"
        # Both sides have the same source, so that the change in per cent is valid for estimates
        # too.
        mark = "~" if any(row.is_estimated) else ""
        what = "" if row.metric == "decode_tps" else " prefill"
        rates = f"{mark}{fmt.rate(row.a)} to {mark}{fmt.rate(row.b)} tok/s{what}"
        if row.ci95_pct is not None and row.delta_pct is not None:
            low, high = row.ci95_pct
            digits = 0 if high - low >= 2 else 1
            share = f"{row.delta_pct:+.{digits}f} %, {low:.{digits}f} to {high:.{digits}f}"
            if row.verdict in ("faster", "slower"):
                return f"{rates} ({share})"
            if low > 0 or high < 0:
                return f"{rates} ({share}): too small to be relevant"
        smallest_pct = _smallest_detectable_pct(row)
        smallest = "" if smallest_pct is None else f" (smallest detectable {smallest_pct:.0f} %)"
        return f"no detectable difference{smallest}"


def _smallest_detectable_pct(row: Row) -> float | None:
    """The change that would have been called one in four of five such trials; None where the spread
    is unknown.

    It has to be clear of the spread: the minimal detectable change, 2.8 standard errors. And its
    estimate, which has that error too, has to reach the threshold of the metric: with 0.84 of the
    2.8 above it, four of five do.
    """
    if row.mdc_pct is None:
        return None
    return max(row.mdc_pct, metric(row.metric).threshold_pct + 0.84 / 2.8 * row.mdc_pct)


@dataclass(frozen=True, slots=True)
class TrialAnswer:
    """One answer of a trial. ``stamps_ns``: when each of its chunks came."""

    request: Request
    stamps_ns: Sequence[int]

    @property
    def short_decode_tps(self) -> float | None:
        """The rate of an answer that is too short for a figure of its own: here several stand
        beside each other, and their spread is in the interval. Chunks that came with the first one
        were made before it (:mod:`tui.core.turn.arrivals`). None where chunks are not tokens."""
        tok = self.request.tok
        # At the token limit, some servers count one more token than they send.
        has_overrun = tok.chunks is not None and tok.chunks == tok.cap and tok.out == tok.chunks + 1
        if tok.chunks is None or (tok.out != tok.chunks and not has_overrun):
            return None
        if "buffered_stream" in self.request.taint:
            return None
        arrivals = arrivals_of(self.stamps_ns)
        return ratio(tok.chunks - arrivals.first_chunks, arrivals.span_ns / 1e9)


class TrialRunner:
    """Sends the requests of one comparison."""

    def __init__(
        self,
        connected: Connected,
        board: BoardLink,
        *,
        measured_by: MeasuredBy,
        controls: Controls | None = None,
        on_progress: Callable[[TrialProgress], None] = lambda _: None,
    ) -> None:
        self._connected = connected
        self._board = board
        self._measured_by = measured_by
        self._controls = controls or Controls()
        self._on_progress = on_progress
        self._progress = TrialProgress()
        self._asker = RequestRunner(
            connected.client, self._controls, on_tick=self._tick, tick_s=0.1
        )
        self._snapshots: dict[bool, Snapshot] = {}
        self._asked = 0
        self._tokens = MIN_TOKENS
        self._is_short = False
        """Whether answers are shorter than a benchmark requires for a rate."""
        self._is_estimated = False

    async def warm_up(self) -> str | None:
        """Send a request that is not counted: it loads the model, and its rate gives the length of
        the others. Returns None, or a sentence why the server does not answer."""
        for _ in range(TRIES):
            warm = await self._answer(WARM_TOKENS, is_after=None)
            if isinstance(warm, str):
                return warm
            self._tokens = self._tokens_after(warm)
            if warm.short_decode_tps is not None:
                break
        return None

    async def run(self, switch: Callable[[bool], None]) -> Trial:
        """Send the compared requests. ``switch(True)`` applies the change and ``switch(False)``
        undoes it; it may block, and its exceptions are raised here. At the end the change is in
        force; after a failed request, it is as during that request."""
        tokens = self._tokens
        sides: dict[bool, list[float]] = {False: [], True: []}
        was_after: bool | None = None
        for is_after in ORDER:
            if is_after is not was_after:
                await asyncio.to_thread(switch, is_after)
                await asyncio.sleep(SETTLE_S)
            was_after = is_after
            rate_tps = await self._rated(tokens, is_after=is_after)
            if isinstance(rate_tps, str):
                return Trial(problem=rate_tps)
            sides[is_after].append(rate_tps)
            rates_tps = (*self._progress.rates_tps, (is_after, rate_tps))
            self._progress = TrialProgress(rates_tps)
            self._on_progress(self._progress)
        # In a thread, as rank tests and 2,000 resamples take time.
        row = await asyncio.to_thread(
            compare_values,
            self._measured_by,
            sides[False],
            sides[True],
            is_estimated=(self._is_estimated,) * 2,
        )
        return Trial(row, None, self._snapshots.get(False), self._snapshots.get(True))

    async def _rated(self, tokens: int, *, is_after: bool) -> float | str:
        """The rate of one answer, or a sentence why there is none. An answer whose chunks arrived
        together has no rate, and is repeated."""
        for _ in range(TRIES):
            found = await self._answer(tokens, is_after=is_after)
            if isinstance(found, str):
                return found
            rate_tps = self._rate(found)
            if rate_tps is not None:
                return rate_tps
        return "The answers have no rate that could be compared."

    def _rate(self, answer: TrialAnswer) -> float | None:
        """The rate of a request, by the same measure for all answers of the comparison."""
        if self._measured_by == "prefill_tps":
            return _prefill_tps(answer.request)
        return answer.short_decode_tps if self._is_short else _decode_tps(answer.request)

    def _tokens_after(self, warm: TrialAnswer) -> int:
        """The tokens of an answer with which all eight take about 20 s."""
        if self._measured_by == "prefill_tps":
            self._is_estimated = "prefill_tps" not in warm.request.m
            return PREFILL_TOKENS
        rate, t = warm.short_decode_tps, warm.request.t
        self._is_estimated = warm.request.tok.source == "estimated"
        prefill_s = (t.t1_ns - t.t0_ns) / 1e9 if t.t1_ns is not None and t.t0_ns is not None else 0
        left_s = TRIAL_S / len(ORDER) - prefill_s - SETTLE_S / 2
        tokens = min(max(round((rate or 0.0) * left_s), LEAST_TOKENS), MOST_TOKENS)
        # Without chunk times, there is only the server's own rate of a whole answer.
        self._is_short = rate is not None and tokens < MIN_TOKENS
        if rate is None:
            return UNKNOWN_TOKENS
        return tokens if self._is_short else max(tokens, MIN_TOKENS)

    async def _answer(self, max_tokens: int, *, is_after: bool | None) -> TrialAnswer | str:
        """Send one request. Returns its record, or a sentence why there is no answer."""
        task = self._task(max_tokens)
        request = ChatRequest(
            self._connected.info.name,
            (Message("user", task.prompt.text),),
            replace(GREEDY, max_tokens=max_tokens),
        )
        watch = asyncio.create_task(self._watch(is_after))
        try:
            asked = await self._asker.ask(
                request, LIMITS, context_tokens=self._connected.context_tokens, can_skip=False
            )
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
        record = request_record.record(
            task,
            asked,
            segment=0,
            wall=utc_now(),
            prompt_sha256="",
            board=self._board.log,
        )
        if not record.is_scored:
            return _why(asked, record)
        return TrialAnswer(record, tuple(asked.turn.stamps_ns))

    def _tick(self, turn: RecordedTurn) -> None:
        reason = "" if turn.wait is None or turn.phase.is_over else turn.wait.reason
        if reason != self._progress.waits_for:
            self._progress = replace(self._progress, waits_for=reason)
            self._on_progress(self._progress)

    async def _watch(self, is_after: bool | None) -> None:
        """Sample during an answer, keeping the last snapshot of each side."""
        # The first sample early, as a fast answer ends soon.
        await asyncio.sleep(SAMPLE_S / 4)
        while True:
            snapshot = await self._board.sample()
            if snapshot is not None and is_after is not None:
                self._snapshots[is_after] = snapshot
            await asyncio.sleep(SAMPLE_S)

    def _task(self, max_tokens: int) -> Task:
        number = self._asked
        self._asked += 1
        subject = SUBJECTS[number % len(SUBJECTS)]
        text = f"Tell me about {subject}."
        if self._measured_by == "prefill_tps":
            # Long enough for a prefill of 1 to 2 s.
            others = ", ".join(SUBJECTS[number % len(SUBJECTS) :] + SUBJECTS[: number % 7])
            text += f" Say in plain words how it looks beside {others}."
        prompt = Prompt(id="trial", name="trial", text=text, max_tokens=max_tokens)
        return Task(prompt, number, number, "")


def _decode_tps(request: Request) -> float | None:
    return value_of(request, "decode_tps", headline_source([request]))


def _prefill_tps(request: Request) -> float | None:
    known = request.m.get("prefill_tps")
    return request.m.get("prefill_tps_est") if known is None else known


def _why(asked: RequestResult, record: Request) -> str:
    if asked.stopped == "abort":
        return "The comparison was stopped."
    reason = clean_line(record.error or record.status, 200).rstrip(".")
    return f"The comparison ended early: {reason}."
