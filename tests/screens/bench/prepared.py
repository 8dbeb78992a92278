"""A bench session without a server: prepared views, and a record of what was asked."""

from __future__ import annotations

from dataclasses import replace

from msgspec.structs import replace as replace_event

from tests.screens.bench.prepared_results import (
    COMPARISON,
    GATES,
    PAST,
    REQUEST,
    REQUESTS,
    RESULT,
    SUMMARY,
)
from tui.bench.model.boards import Board
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
from tui.bench.model.screen import (
    BenchMessage,
    BenchView,
    BoardNow,
    LiveAnswer,
    LiveBoard,
    LiveText,
    OpenedRequest,
    PlanItem,
    RunView,
    RunWish,
    Span,
    SuiteChoice,
)
from tui.timeline.source import TimelineSource


def planned(prompt_id: str, name: str, expected_s: float | None = None) -> Planned:
    return Planned(id=prompt_id, rep=0, name=name, group="", max_tokens=256, expected_s=expected_s)


PLAN = (
    *(PlanItem(planned(r.id, r.name, 40.0), r.outcome, request=r) for r in REQUESTS),
    PlanItem(planned("completion_05", "Technology Trends"), "running", 0.24),
    PlanItem(planned("planning_01", "Software Development Plan", 364.0)),
)
ANSWER = LiveAnswer(
    RequestStarted(
        id="completion_05",
        rep=0,
        order=4,
        segment=0,
        wall="",
        t_ns=0,
        prompt="",
        prompt_sha256="",
        name="Technology Trends",
        number=5,
        planned=10,
        max_tokens=256,
    ),
    Progressed(
        id="completion_05",
        rep=0,
        phase="answering",
        elapsed_s=21.0,
        tokens=61,
        tokens_source="estimated",
        rate_now_tps=3.15,
        rate_tps=3.14,
        ttft_ms=1250.0,
        itl_p50_ms=317.0,
        itl_p99_ms=341.0,
        idle_s=0.3,
        idle_limit_s=30.0,
        context_used=94,
        context_tokens=16384,
    ),
    (3.1, 3.15, 3.15, 3.14),
)
TEXT = "Technology moves.\n\nEach year memory grows, 内存带宽, and bandwidth less. " * 9
RUN_ID = "20250131T120000Z-prompts-qwen3-4b-0a1b"
RUN = RunView(
    started=Started(
        run_id=RUN_ID,
        folder="/nowhere",
        suite="prompts",
        title="Ten prompts",
        model="qwen3-4b",
        server="RockchipLlama :8021",
        is_simulated=True,
        seed=1,
        plan=(),
    ),
    stage=StageChanged(stage="measure"),
    plan=PLAN,
    time=Forecast(
        elapsed_s=702.0,
        left_s=840.0,
        left_low_s=660.0,
        left_high_s=1020.0,
        left_most_s=2000.0,
        share=0.45,
    ),
    answer=ANSWER,
    text=LiveText(1, TEXT),
    summary=SUMMARY,
    board=LiveBoard(
        Sampled(
            t_ns=0,
            values={
                "npu.freq": 1e9,
                "npu.load.0": 98.0,
                "npu.load.1": 97.0,
                "npu.load.2": None,
                "ddr.freq": 2.112e9,
                "ddr.load": 62.0,
                "temp.max": 71.0,
                "ram.available": 9.7 * 2**30,
                "server.rss": 5.0 * 2**30,
                "swap.used": 0.0,
                "throttle": "none",
                "npulse.cpu": 2.2,
            },
        ),
        (60.0, 65.0, 71.0),
        (50.0, None, 62.0),
    ),
    gates=GATES,
)
OVER = replace(
    RUN, finished=Finished(outcome="incomplete", sentence="Not everything was answered.")
)
SUITES = tuple(
    SuiteChoice(
        name,
        name,
        "Ten whole answers, short and long: speed, first token, decay, and checks of each answer.",
        10,
        runs,
        Span(2037.0, 1466.0, 2629.0),
        Span(95.0, 90.0, 100.0),
        3,
        is_by_time=name == "soak",
    )
    for name, runs in (("prompts", 1), ("standard", 5), ("soak", 1), ("instructions", 1))
)
VIEW = BenchView(
    suites=SUITES,
    model="qwen3-4b",
    server="RockchipLlama :8021",
    past=PAST,
    result=RESULT,
    comparison=COMPARISON,
)


BOARDS_RUN = replace(
    RUN,
    is_of_boards=True,
    answer=None,
    board=None,
    text=LiveText(),
    summary={},
    gates=(),
    plan=(
        PlanItem(planned("n7", "n7"), "running", board="kitchen"),
        PlanItem(planned("n8", "n8", 20.0)),
    ),
    boards=(
        BoardNow(
            Board(
                name="attic",
                state="refused",
                sentence="npulse is not installed there: pip install 'npulse[fleet]' on the board",
            )
        ),
        BoardNow(
            Board(
                name="kitchen",
                address="ssh://orangepi@192.168.1.20",
                answered=24,
                decode_tps=3.13,
                mad_tps=0.02,
                source="client",
                ttft_median_ms=410.0,
                t_max_c=61.0,
                requests_per_h=36.0,
            ),
            replace_event(ANSWER.started, id="n7", name="n7", board="kitchen"),
            5.0,
        ),
        BoardNow(
            Board(
                name="cellar",
                state="lost",
                sentence="its connection was lost",
                answered=10,
                failed=1,
                lost=1,
                decode_tps=2.9,
                source="estimated",
            )
        ),
    ),
    notes=("kitchen: has joined", "cellar: its connection was lost"),
)  # fmt: skip


class Prepared:
    """Answers with a view that a test sets; remembers every question."""

    def __init__(self, view: BenchView = VIEW, refusal: str | None = None) -> None:
        self.shown = view
        self.refusal = refusal
        self.asked: list[tuple[object, ...]] = []

    def view(self) -> BenchView:
        return self.shown

    def say(self, text: str) -> None:
        serial = self.shown.message.serial + 1
        self.shown = replace(self.shown, message=BenchMessage(serial, text))

    def look(self) -> None:
        self.asked.append(("look",))

    def seek(self) -> None:
        pass

    def start(self, wish: RunWish) -> str | None:
        self.asked.append(("start", wish))
        if self.refusal is None:
            self.shown = replace(self.shown, run=RUN)
        return self.refusal

    def resume(self, run_id: str) -> str | None:
        self.asked.append(("resume", run_id))
        return self.refusal

    def pause(self) -> None:
        self.asked.append(("pause",))

    def skip(self) -> None:
        self.asked.append(("skip",))

    def abort(self) -> None:
        self.asked.append(("abort",))

    def retry(self) -> None:
        self.asked.append(("retry",))

    def export(self, run_id: str) -> None:
        self.asked.append(("export", run_id))

    def open_result(self, run_id: str) -> None:
        self.asked.append(("open", run_id))

    def request(self, run_id: str, at: int) -> OpenedRequest | None:
        self.asked.append(("request", run_id, at))
        if at >= len(REQUESTS):
            return None
        return replace(REQUEST, number=at + 1, request=REQUESTS[at])

    def timelines(self, run_id: str) -> list[TimelineSource]:
        self.asked.append(("timelines", run_id))
        return []

    def compare(self, a: str, b: str, *, is_forced: bool = False) -> None:
        self.asked.append(("compare", a, b, is_forced))

    def partner_of(self, run_id: str) -> str | None:
        self.asked.append(("partner", run_id))
        return PAST[1].id
