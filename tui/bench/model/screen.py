"""State of the bench screens at one moment, made of the records of :mod:`tui.bench.model`.

Strings are sanitised (:func:`tui.bench.session.cleaned.cleaned`). None is not known, never 0. Times
are seconds unless the name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from tui.bench.model.boards import Board
from tui.bench.model.comparison import Comparison
from tui.bench.model.conditions import Gate
from tui.bench.model.events import (
    Finished,
    Forecast,
    Planned,
    Progressed,
    RequestStarted,
    Sampled,
    StageChanged,
    Started,
)
from tui.bench.model.past_run import PastRun
from tui.bench.model.records import Document, Request, Summary
from tui.core.text.format import clock
from tui.timeline.source import TimelineSource

CONNECTING = StageChanged(stage="connect")

PlanState = Literal["waiting", "running", "ok", "failed", "skipped"]
Role = Literal["soft", "warn", "bad"]


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
    about: str
    prompts: int
    runs: int
    full: Span
    quick: Span
    quick_prompts: int
    quick_runs: int = 1
    is_by_time: bool = False
    """It is repeated for a time instead of a number of runs."""
    is_of_one_board: bool = False
    """Many boards cannot share it out."""

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
    is_of_boards: bool = False
    """Shared out to all boards of the config."""


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One request of the plan and what has become of it. ``share`` is that of its token limit;
    ``request`` is its record, once it is over; ``board`` is which of many is asked."""

    planned: Planned
    state: PlanState = "waiting"
    share: float | None = None
    request: Request | None = None
    board: str = ""


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """The answer in flight. ``rates_tps`` are the rates seen so far, oldest first."""

    started: RequestStarted
    progress: Progressed | None = None
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
class LiveBoard:
    """The board as the run saw it last; histories are oldest first."""

    latest: Sampled
    temperatures_c: tuple[float | None, ...] = ()
    ddr_loads_pct: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class BoardNow:
    """One board of a run on many: what it has answered, and what it is asked now.

    ``board`` has the figures of its answers so far. ``asked_s`` is how long the request runs.
    """

    board: Board
    asked: RequestStarted | None = None
    asked_s: float = 0.0

    @property
    def asked_words(self) -> str:
        """The request that it works on, and for how long; empty where there is none."""
        if self.asked is None:
            return ""
        return f"{self.asked.name or self.asked.id}  {clock(self.asked_s)}"


@dataclass(frozen=True, slots=True)
class RunView:
    """A run in progress, or just over. ``time`` goes on between two forecasts of the run."""

    started: Started | None = None
    stage: StageChanged = CONNECTING
    finished: Finished | None = None
    plan: tuple[PlanItem, ...] = ()
    time: Forecast | None = None
    answer: LiveAnswer | None = None
    text: LiveText = LiveText()
    summary: Mapping[str, Summary] = field(default_factory=dict)
    board: LiveBoard | None = None
    gates: tuple[Gate, ...] = ()
    notes: tuple[str, ...] = ()
    is_of_boards: bool = False
    """Its prompts are shared out to many boards."""
    boards: tuple[BoardNow, ...] = ()
    """Of a run on many: each, in the order in which they were seen."""
    is_pausing: bool = False
    """Asked to pause; the current request is finished first."""
    retries_after: bool = False
    """Failed prompts are retried at the end."""

    @property
    def run_id(self) -> str:
        """Empty until the run has one."""
        if self.started is not None:
            return self.started.run_id
        return "" if self.finished is None else self.finished.run_id

    @property
    def title(self) -> str:
        return "" if self.started is None else self.started.title or self.started.suite

    @property
    def planned(self) -> int:
        """Requests of the plan; 0 for a run that is repeated for a time."""
        is_by_time = self.started is None or self.started.minutes is not None
        return 0 if is_by_time else len(self.plan)

    @property
    def is_paused(self) -> bool:
        return self.stage.stage == "paused" and not self.is_over

    @property
    def is_over(self) -> bool:
        return self.finished is not None

    def count(self, state: PlanState) -> int:
        """How many requests of the plan are in that state."""
        return sum(item.state == state for item in self.plan)


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or one set of dots or bars. ``labels`` name bars in place of ``xs``."""

    name: str
    ys: tuple[float | None, ...]
    xs: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    ranges: tuple[tuple[float, float] | None, ...] = ()
    """Of each bar, the least and the largest value that it stands for."""


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
class OpenedRequest:
    """One request of a result, whole. ``text`` is partial where it was not answered."""

    number: int
    of: int
    request: Request
    prompt: str = ""
    thinking: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class ResultView:
    """A run that can be read: its document, charts, and what there is to remark."""

    document: Document
    pictures: tuple[Picture, ...] = ()
    remarks: tuple[str, ...] = ()
    can_resume: bool = False


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
    boards: tuple[str, ...] = ()
    """Names of the boards that a run can be shared out to."""
    is_looking: bool = False
    problems: tuple[str, ...] = ()
    past: tuple[PastRun, ...] = ()
    """Earlier runs, latest first."""
    run: RunView | None = None
    other_run: str | None = None
    """A benchmark of another process that holds the NPU."""
    result: ResultView | None = None
    comparison: Comparison | None = None
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

    def request(self, run_id: str, at: int) -> OpenedRequest | None:
        """The request at index ``at`` of the result that was opened last; None where that is of
        another run or has no such request."""

    def timelines(self, run_id: str) -> Sequence[TimelineSource]:
        """The timelines of the requests of the result that was opened last, in their order; none
        where that is of another run."""

    def compare(self, a: str, b: str, *, is_forced: bool = False) -> None:
        """Compare two runs; the outcome becomes ``view().comparison``."""

    def partner_of(self, run_id: str) -> str | None:
        """The run that this one is best compared with: its baseline, else the one before."""
