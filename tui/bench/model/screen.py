"""What the bench screens show: frozen records, made by whoever runs benchmarks.

Strings are sanitised. None is not known, never 0. Times are seconds unless the name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from tui.bench.model.conditions import Gate

PlanState = Literal["waiting", "running", "ok", "failed", "skipped"]
Verdict = Literal["faster", "slower", "less", "more", "same", "inconclusive"]
Role = Literal["soft", "warn", "bad"]
CheckOutcome = Literal["failed", "passed", "info", "not applicable"]
"""info: for information only, never counted as a failure."""


@dataclass(frozen=True, slots=True)
class Span:
    """How long something will take: likely, and between low and high."""

    likely_s: float
    low_s: float
    high_s: float

    def times(self, factor: float) -> Span:
        """As often as that."""
        return Span(self.likely_s * factor, self.low_s * factor, self.high_s * factor)


@dataclass(frozen=True, slots=True)
class SuiteChoice:
    """One suite that can be run. ``key`` is a name or the path of a file."""

    key: str
    id: str
    title: str
    about: str
    prompts: int
    runs: int
    full: Span
    quick: Span
    quick_prompts: int
    quick_runs: int = 1
    is_by_time: bool = False
    """It is repeated for a time instead of a number of runs."""

    def span(self, runs: int | None, *, is_quick: bool) -> Span:
        """How long it takes with these options; ``runs`` None is as the suite says."""
        whole, own = (self.quick, self.quick_runs) if is_quick else (self.full, self.runs)
        if self.is_by_time or runs is None:
            return whole
        return whole.times(runs / max(1, own))

    def counts(self, runs: int | None, *, is_quick: bool) -> tuple[int, int]:
        """(prompts, repetitions) with these options."""
        prompts, own = (
            (self.quick_prompts, self.quick_runs) if is_quick else (self.prompts, self.runs)
        )
        return prompts, runs or own


@dataclass(frozen=True, slots=True)
class RunWish:
    """What is to be run."""

    suite: str
    runs: int | None = None
    seed: int = 1
    is_quick: bool = False
    max_time_s: float | None = None


@dataclass(frozen=True, slots=True)
class PastRun:
    """One earlier run in a list."""

    id: str
    started_utc: str
    suite: str
    model: str
    status: str
    scored: int
    planned: int
    decode_tps: float | None
    decode_ci: tuple[float, float] | None
    ttft_ms: float | None
    is_simulated: bool = False
    is_imported: bool = False
    baseline: str | None = None
    can_resume: bool = False


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One request of the plan. ``expected_s`` is a forecast; ``share`` is that of its cap."""

    id: str
    rep: int
    name: str
    state: PlanState
    word: str = ""
    """How it ended: capped, timeout_idle, skipped_budget ..."""
    rate_tps: float | None = None
    is_estimated: bool = False
    tokens: int | None = None
    expected_s: float | None = None
    share: float | None = None
    checks: tuple[int, int] | None = None
    """(passed, applicable)"""
    taints: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """The answer in flight. ``rates_tps`` are the rates seen so far, oldest first."""

    name: str
    number: int
    planned: int
    is_warmup: bool
    phase: str
    elapsed_s: float
    tokens: int
    is_estimated: bool
    cap: int
    rate_now_tps: float | None = None
    rate_tps: float | None = None
    ttft_ms: float | None = None
    itl_p50_ms: float | None = None
    itl_p99_ms: float | None = None
    idle_s: float = 0.0
    idle_limit_s: float = 0.0
    context_used: int | None = None
    context_tokens: int | None = None
    rates_tps: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveText:
    """The answer's text. ``serial`` counts answers; ``dropped`` characters are no longer kept."""

    serial: int = 0
    text: str = ""
    dropped: int = 0
    is_thinking: bool = False
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class StatRow:
    """One metric over the requests so far."""

    label: str
    unit: str
    n: int
    digits: int = 2
    is_estimated: bool = False
    median: float | None = None
    mad: float | None = None
    ci95: tuple[float, float] | None = None
    mdc_pct: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class HardwareNow:
    """The board as the run saw it last; histories are oldest first."""

    npu_hz: float | None = None
    npu_load_pct: tuple[float | None, ...] = ()
    ddr_hz: float | None = None
    ddr_load_pct: float | None = None
    temperature_c: float | None = None
    temperatures_c: tuple[float | None, ...] = ()
    ddr_loads_pct: tuple[float | None, ...] = ()
    available_bytes: float | None = None
    server_bytes: float | None = None
    swap_bytes: float | None = None
    throttle: str | None = None
    power_w: float | None = None
    own_cpu_pct: float | None = None


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """How far the run is, by time."""

    elapsed_s: float
    left_s: float | None = None
    low_s: float | None = None
    high_s: float | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class RunView:
    """A run in progress, or just over."""

    run_id: str = ""
    folder: str = ""
    suite: str = ""
    title: str = ""
    model: str = ""
    server: str = ""
    is_simulated: bool = False
    seed: int = 1
    stage: str = "connect"
    sentence: str = ""
    plan: tuple[PlanRow, ...] = ()
    planned: int = 0
    time: TimeLeft = TimeLeft(0.0)
    answer: LiveAnswer | None = None
    text: LiveText = LiveText()
    stats: tuple[StatRow, ...] = ()
    hardware: HardwareNow | None = None
    gates: tuple[Gate, ...] = ()
    notes: tuple[str, ...] = ()
    is_paused: bool = False
    is_pausing: bool = False
    """Asked to pause; the current request is finished first."""
    retries_after: bool = False
    """Failed prompts are retried at the end."""
    outcome: str | None = None
    outcome_sentence: str = ""

    @property
    def is_over(self) -> bool:
        return self.outcome is not None

    def count(self, state: PlanState) -> int:
        """How many requests of the plan are in that state."""
        return sum(row.state == state for row in self.plan)


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or one set of dots or bars. ``labels`` name bars in place of ``xs``."""

    name: str
    ys: tuple[float | None, ...]
    xs: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """What one chart shows. ``why`` says why it is empty."""

    title: str
    kind: Literal["bars", "dots", "lines", "columns"]
    x_name: str
    y_name: str
    series: tuple[Series, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and what is known of it."""

    label: str
    value: str
    role: str = "text"


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check of an answer and why it came out so."""

    id: str
    outcome: CheckOutcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request of a result, whole: how it ended, its checks, its timing and its texts.

    ``checks`` has the failed ones first; ``text`` is partial where ``row`` is not ok.
    """

    number: int
    of: int
    row: PlanRow
    facts: tuple[Fact, ...]
    checks: tuple[CheckRow, ...] = ()
    warnings: tuple[str, ...] = ()
    prompt: str = ""
    thinking: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class ResultView:
    """A run that can be read: figures, charts, requests, observations."""

    run_id: str
    title: str
    model: str
    status: str
    is_simulated: bool
    folder: str
    facts: tuple[Fact, ...]
    stats: tuple[StatRow, ...]
    pictures: tuple[Picture, ...]
    requests: tuple[PlanRow, ...]
    remarks: tuple[str, ...]
    gates: tuple[Gate, ...] = ()
    can_resume: bool = False


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One metric on both sides."""

    label: str
    unit: str
    digits: int
    a: float | None
    b: float | None
    delta_pct: float | None
    ci95_pct: tuple[float, float] | None
    p: float | None
    mdc_pct: float | None
    n: str
    verdict: Verdict
    symbol: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class CompareView:
    """A against B, A being the baseline; or why they cannot be compared."""

    a: str
    b: str
    model_a: str = ""
    model_b: str = ""
    is_simulated: tuple[bool, bool] = (False, False)
    blocking: tuple[str, ...] = ()
    """Differences that forbid the comparison; with ``is_forced`` it was made all the same."""
    is_forced: bool = False
    warnings: tuple[str, ...] = ()
    rows: tuple[ComparedRow, ...] = ()
    shares: tuple[tuple[str, str, str], ...] = ()
    dropped: tuple[tuple[str, str, str], ...] = ()
    prompts: tuple[tuple[str, float | None, float | None], ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class BenchMessage:
    """One sentence for the bottom line. ``serial`` grows with each."""

    serial: int = 0
    text: str = ""
    role: Role = "soft"


@dataclass(frozen=True, slots=True)
class BenchView:
    """A moment of everything around benchmarks."""

    suites: tuple[SuiteChoice, ...] = ()
    is_measured: bool = False
    """Expected durations come from earlier runs of this model, not from published figures."""
    model: str | None = None
    server: str | None = None
    is_looking: bool = False
    problems: tuple[str, ...] = ()
    past: tuple[PastRun, ...] = ()
    """Earlier runs, latest first."""
    run: RunView | None = None
    other_run: str | None = None
    """A benchmark of another process that holds the NPU."""
    result: ResultView | None = None
    comparison: CompareView | None = None
    work: str | None = None
    """What is being read or computed."""
    message: BenchMessage = BenchMessage()


class BenchSession(Protocol):
    """What a screen may ask of :mod:`tui.bench.session.session`. Methods return at once."""

    def view(self) -> BenchView:
        """The moment as it is now."""

    def look(self) -> None:
        """Read suites and earlier runs again, and find a running benchmark."""

    def seek(self) -> None:
        """Find a run that another process began since the last look."""

    def start(self, wish: RunWish) -> str | None:
        """Begin a run. Returns one sentence why not, or None."""

    def resume(self, run_id: str) -> str | None:
        """Ask again what failed or is missing of a run. Returns why not, or None."""

    def pause(self) -> None:
        """Pause after the present request, or go on."""

    def skip(self) -> None:
        """End the present request; its partial numbers are kept."""

    def abort(self) -> None:
        """End the run safely."""

    def retry(self) -> None:
        """Ask again what failed: at once where the run is over, else at its end."""

    def export(self, run_id: str) -> None:
        """Write the report in every form into the run's folder; a message says where."""

    def open_result(self, run_id: str) -> None:
        """Read a run; it becomes ``view().result``."""

    def request(self, run_id: str, at: int) -> RequestView | None:
        """The request at index ``at`` of the result that was opened last; None where that is of
        another run or has no such request."""

    def compare(self, a: str, b: str, *, is_forced: bool = False) -> None:
        """Compare two runs; the outcome becomes ``view().comparison``."""

    def partner_of(self, run_id: str) -> str | None:
        """The run that this one is best compared with: its baseline, else the one before."""
