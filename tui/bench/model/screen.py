"""State of the benchmark screens, made of the records in :mod:`tui.bench.model`.

Strings are sanitised (:mod:`tui.bench.session.sanitized`). None means unknown. Times are in
seconds unless the name has another unit.
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
    """An expected duration with its lower and upper bound."""

    likely_s: float
    low_s: float
    high_s: float

    def times(self, factor: float) -> Span:
        """The duration multiplied by ``factor``."""
        return Span(self.likely_s * factor, self.low_s * factor, self.high_s * factor)


@dataclass(frozen=True, slots=True)
class SuiteChoice:
    """One suite in the list. ``key`` is its name or the path of its file."""

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
    """Whether it is repeated for a time instead of a number of runs."""
    is_of_one_board: bool = False
    """Whether it cannot be distributed to several boards."""

    def span(self, runs: int | None, *, is_quick: bool) -> Span:
        """The expected duration with these options; ``runs`` None: as the suite defines."""
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
    """Options of a run to be started."""

    suite: str
    runs: int | None = None
    seed: int = 1
    is_quick: bool = False
    max_time_s: float | None = None
    is_of_boards: bool = False
    """Shared out to all boards of the config."""


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One planned request and its state. ``share`` is the number of tokens divided by the limit;
    ``request`` is its record after its end; ``board`` is the one it was sent to, of several."""

    planned: Planned
    state: PlanState = "waiting"
    share: float | None = None
    request: Request | None = None
    board: str = ""


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """The running answer. ``rates_tps`` are its decode rates so far, oldest first."""

    started: RequestStarted
    progress: Progressed | None = None
    rates_tps: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveText:
    """The end of the answer's text. ``serial`` counts answers; ``dropped`` is the number of
    characters before the kept text."""

    serial: int = 0
    text: str = ""
    dropped: int = 0
    is_thinking: bool = False
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class LiveBoard:
    """The newest board sample and short histories, oldest first."""

    latest: Sampled
    temperatures_c: tuple[float | None, ...] = ()
    ddr_loads_pct: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class BoardNow:
    """One board of a run on several boards.

    ``board`` has the figures of its answers so far. ``asked`` is its present request, ``asked_s``
    how long that has run.
    """

    board: Board
    asked: RequestStarted | None = None
    asked_s: float = 0.0

    @property
    def asked_words(self) -> str:
        """Name and duration of its present request; empty without one."""
        if self.asked is None:
            return ""
        return f"{self.asked.name or self.asked.id}  {clock(self.asked_s)}"


@dataclass(frozen=True, slots=True)
class RunView:
    """A run in progress or just ended. ``time`` is extrapolated between two forecasts."""

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
    """Whether its prompts are distributed to several boards."""
    boards: tuple[BoardNow, ...] = ()
    """The boards of a run on several, in the order of their first event."""
    is_pausing: bool = False
    """A pause was requested; it begins after the present request."""
    retries_after: bool = False
    """Failed prompts are retried at the end."""

    @property
    def run_id(self) -> str:
        """The run's id; empty until it has one."""
        if self.started is not None:
            return self.started.run_id
        return "" if self.finished is None else self.finished.run_id

    @property
    def title(self) -> str:
        return "" if self.started is None else self.started.title or self.started.suite

    @property
    def planned(self) -> int:
        """Number of planned requests; 0 for a run by time."""
        is_by_time = self.started is None or self.started.minutes is not None
        return 0 if is_by_time else len(self.plan)

    @property
    def is_paused(self) -> bool:
        return self.stage.stage == "paused" and not self.is_over

    @property
    def is_over(self) -> bool:
        return self.finished is not None

    def count(self, state: PlanState) -> int:
        """The number of planned requests in this state."""
        return sum(item.state == state for item in self.plan)


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a chart. Bars have ``labels`` in place of ``xs``."""

    name: str
    ys: tuple[float | None, ...]
    xs: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    ranges: tuple[tuple[float, float] | None, ...] = ()
    """The least and largest value of each bar."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The content of one chart. ``why`` is the reason if it is empty."""

    title: str
    kind: Literal["bars", "dots", "lines", "columns"]
    x_name: str
    y_name: str
    series: tuple[Series, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class OpenedRequest:
    """One request of a result with its texts. ``text`` is partial if the request failed."""

    number: int
    of: int
    request: Request
    prompt: str = ""
    thinking: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class ResultView:
    """An opened result: its document, charts and remarks."""

    document: Document
    pictures: tuple[Picture, ...] = ()
    remarks: tuple[str, ...] = ()
    can_resume: bool = False


@dataclass(frozen=True, slots=True)
class BenchMessage:
    """A sentence for the message line. ``serial`` grows with each message."""

    serial: int = 0
    text: str = ""
    role: Role = "soft"


@dataclass(frozen=True, slots=True)
class BenchView:
    """The complete state of the benchmark screens."""

    suites: tuple[SuiteChoice, ...] = ()
    is_measured: bool = False
    """Whether expected durations are from earlier runs of this model, not from published
    figures."""
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
    """Id of a benchmark in another process that uses the NPU."""
    result: ResultView | None = None
    comparison: Comparison | None = None
    work: str | None = None
    """What is being read or computed, as text; None: nothing."""
    message: BenchMessage = BenchMessage()


class BenchSession(Protocol):
    """Interface of :mod:`tui.bench.session.session` for screens. No method blocks.

    A Protocol, for what draws must not start runs or read their files.
    """

    def view(self) -> BenchView:
        """The present state."""

    def look(self) -> None:
        """Read suites and earlier runs again, and find a running benchmark."""

    def seek(self) -> None:
        """Find a run that another process has started."""

    def start(self, wish: RunWish) -> str | None:
        """Start a run. Returns None, or a sentence why it cannot start."""

    def resume(self, run_id: str) -> str | None:
        """Resume a run: its failed and missing requests. Returns None, or a sentence why not."""

    def pause(self) -> None:
        """Pause after the present request; if paused, continue."""

    def skip(self) -> None:
        """Skip the present request. Its partial numbers are kept."""

    def abort(self) -> None:
        """Stop the run. Its results are kept."""

    def retry(self) -> None:
        """Retry failed requests: at once if the run is over, else at its end."""

    def export(self, run_id: str) -> None:
        """Write the report in all formats to the run's folder. A message gives the path."""

    def open_result(self, run_id: str) -> None:
        """Open a run as ``view().result``."""

    def request(self, run_id: str, at: int) -> OpenedRequest | None:
        """The request at index ``at`` of the opened result; None if that is another run or has no
        such request."""

    def timelines(self, run_id: str) -> Sequence[TimelineSource]:
        """The timelines of the opened result's requests, in their order; empty if that is another
        run."""

    def compare(self, a: str, b: str, *, is_forced: bool = False) -> None:
        """Compare two runs; the result becomes ``view().comparison``."""

    def partner_of(self, run_id: str) -> str | None:
        """Id of the run to compare this one with: its baseline, else the run before; None
        without."""
