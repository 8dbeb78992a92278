"""Forecast of request durations: from this run and earlier ones, else from published rates.

The time for P prompt tokens and N new ones is c + d * P + a * N + b * (P * N + N^2 / 2): a is the
decode time of a token without context, b its increase per token of context.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from tui.bench.model.events import Forecast as ForecastEvent
from tui.bench.model.records import NOT_ATTEMPTED, Document, Request
from tui.bench.run.plan import Task
from tui.core.theil_sen import Line, theil_sen
from tui.core.turn.order_statistics import quantile

PRIOR_BYTES = 4.6e9
PRIOR_PREFILL_MS = 34.0
PRIOR_DECODE_MS = 311.0
PRIOR_SLOPE_MS = 0.057
"""Priors: a model with 4 billion parameters of 8 bits on an RK3588; scaled by the file's size."""
MIN_POINTS = 4
MAX_POINTS = 200
"""Limit of points for a fit, whose time grows with their square."""


class _Points:
    """The newest points (x, y) of a relation, their Theil-Sen line, and medians.

    Line and medians are computed on demand and cached until a point is added, as a forecast uses
    them once per remaining request.
    """

    def __init__(self) -> None:
        self.seen: deque[tuple[float, float]] = deque(maxlen=MAX_POINTS)
        self._line: Line | None = None
        self._level = self._share = 0.0
        self._is_old = False

    def add(self, x: float, y: float) -> None:
        """Add a point; beyond ``MAX_POINTS`` it replaces the oldest."""
        self.seen.append((x, y))
        self._is_old = True

    @property
    def line(self) -> Line | None:
        """The fitted line; None with too few points, or if all have the same x."""
        self._renew()
        return self._line

    @property
    def level(self) -> float:
        """The median of y; 0 without points."""
        self._renew()
        return self._level

    @property
    def share(self) -> float:
        """The median of y / x; 0 without points."""
        self._renew()
        return self._share

    def _renew(self) -> None:
        if not self._is_old:
            return
        self._is_old = False
        has_enough = len(self.seen) >= MIN_POINTS
        self._line = theil_sen(*zip(*self.seen, strict=True)) if has_enough else None
        self._level = median(y for _, y in self.seen)
        self._share = median(y / x for x, y in self.seen)


@dataclass(slots=True)
class Speed:
    """The four constants of the formula, learnt from answers, and durations of whole runs.

    ``request_walls_s``: SHA-256 of a suite -> wall time per request of its complete runs, including
    the time between requests. ``pauses_s``: time between requests, per request.
    """

    size_bytes: int | None = None
    is_simulated: bool = False
    request_walls_s: dict[str, list[float]] = field(default_factory=dict)
    pauses_s: list[float] = field(default_factory=list)
    _prefill: _Points = field(default_factory=_Points)
    _decode: _Points = field(default_factory=_Points)
    _cap_shares: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_POINTS))

    @property
    def cap_shares(self) -> tuple[float, float, float] | None:
        """(likely, low, high) share of their token limit that answers used; None with too few
        answers."""
        seen = self._cap_shares
        if len(seen) < MIN_POINTS:
            return None
        low, middle, high = (quantile(seen, q) or 0.0 for q in (0.1, 0.5, 0.9))
        return middle, low, high

    @property
    def is_measured(self) -> bool:
        return bool(self._decode.seen) or bool(self._prefill.seen)

    def learn(self, request: Request) -> None:
        """Learn from a finished request."""
        ttft = request.m.get("ttft_client_ms")
        if ttft is not None and request.tok.input and "cache_hit" not in request.taint:
            self._prefill.add(request.tok.input, ttft)
        rate = request.m.get("decode_tps_cl") or request.m.get("decode_tps_rt")
        if rate is None:
            rate = request.m.get("decode_tps_est")
        if request.tok.out and request.tok.cap:
            self._cap_shares.append(min(1.0, request.tok.out / request.tok.cap))
        if rate and request.tok.out:
            context = (request.tok.input or 0) + request.tok.out / 2
            self._decode.add(context, 1000 / rate)

    def learn_run(self, document: Document) -> None:
        """Learn from the wall time of a finished run."""
        run = document.run
        tried = [r for r in document.requests if r.status not in NOT_ATTEMPTED]
        if not tried or run.wall_s <= 0:
            return
        took = [r.m.get("latency_ms") for r in tried]
        known_s = [ms / 1000 for ms in took if ms is not None]
        if len(known_s) == len(tried):
            self.pauses_s.append(max(0.0, run.wall_s - sum(known_s)) / len(tried))
        if run.status == "complete":
            walls_s = self.request_walls_s.setdefault(run.suite_sha256, [])
            walls_s.append(run.wall_s / len(tried))

    @property
    def _scale(self) -> float:
        return (self.size_bytes or PRIOR_BYTES) / PRIOR_BYTES

    def prefill_s(self, prompt_tokens: float) -> float:
        """Expected time until the first token."""
        if not self._prefill.seen:
            return PRIOR_PREFILL_MS * self._scale * prompt_tokens / 1000
        line = self._prefill.line
        if line is not None and line.slope > 0:
            return max(0.0, line.at(prompt_tokens)) / 1000
        return self._prefill.share * prompt_tokens / 1000

    def decode_s(self, prompt_tokens: float, tokens: float) -> float:
        """Expected time from the first token to the last."""
        base, slope = PRIOR_DECODE_MS * self._scale, PRIOR_SLOPE_MS * self._scale
        if self._decode.seen:
            line = self._decode.line
            if line is not None and line.slope >= 0:
                base, slope = max(0.0, line.intercept), line.slope
            else:
                base, slope = self._decode.level, 0.0
        context = prompt_tokens * tokens + tokens * tokens / 2
        return (base * tokens + slope * context) / 1000

    def request_s(self, prompt_tokens: float, tokens: float) -> float:
        """Expected time of a request."""
        return self.prefill_s(prompt_tokens) + self.decode_s(prompt_tokens, tokens)


def tokens_in(task: Task) -> float:
    """Expected number of prompt tokens."""
    if task.wanted_in is not None:
        return max(8, task.wanted_in)
    if task.prompt.prompt_tokens is not None:
        return task.prompt.prompt_tokens
    said = sum(len(past.content) for past in task.prompt.history)
    return 8 + (said + len(task.prompt.text + task.prompt.file)) / 4


def tokens_out(
    task: Task, seen: Sequence[float] = (), shares: tuple[float, float, float] | None = None
) -> tuple[float, float, float]:
    """(likely, low, high) expected new tokens: from earlier answers, the suite, or the token limit
    and the shares of it that the run's answers used."""
    cap = float(task.prompt.max_tokens)
    if seen:
        low, middle, high = (quantile(seen, q) or 0.0 for q in (0.1, 0.5, 0.9))
        return min(middle, cap), min(low, cap), min(high, cap)
    if task.prompt.expected is not None:
        low, high = map(float, task.prompt.expected)
        return min((low + high) / 2, cap), min(low, cap), min(high, cap)
    if shares is not None:
        return cap * shares[0], cap * shares[1], cap * shares[2]
    return cap / 2, cap / 10, cap


def forecast(
    tasks: Iterable[Task],
    speed: Speed,
    *,
    elapsed_s: float,
    history: Mapping[str, Sequence[float]],
    extra_s: float = 0.0,
    running_s: float = 0.0,
) -> ForecastEvent:
    """The remaining time of these tasks. ``extra_s`` is added per task (cool-downs). ``running_s``
    is how long the first task has run. ``history``: prompt id -> tokens of earlier answers."""
    likely = low = high = most = 0.0
    shares = speed.cap_shares
    for index, task in enumerate(tasks):
        size = tokens_in(task)
        middle, few, many = tokens_out(task, history.get(task.prompt.id, ()), shares)
        gone = running_s if index == 0 else 0.0
        likely += max(0.0, speed.request_s(size, middle) - gone) + extra_s
        low += max(0.0, speed.request_s(size, few) - gone) + extra_s
        high += max(0.0, speed.request_s(size, many) - gone) + extra_s
        most += max(0.0, speed.request_s(size, task.prompt.max_tokens) - gone) + extra_s
    total = elapsed_s + likely
    return ForecastEvent(
        elapsed_s=elapsed_s,
        left_s=likely,
        left_low_s=low,
        left_high_s=high,
        left_most_s=most,
        share=min(1.0, elapsed_s / total) if total > 0 else 1.0,
    )
