"""A bench session without a server: prepared views, and a record of what was asked."""

from __future__ import annotations

from dataclasses import replace

from tui.bench.model.comparison import Comparison, Dropped, Row, Share
from tui.bench.model.conditions import Gate, Model
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
from tui.bench.model.records import Check, Document, Gaps, Request, Run, Summary, Tokens, Total
from tui.bench.model.screen import (
    BenchMessage,
    BenchView,
    LiveAnswer,
    LiveBoard,
    LiveText,
    OpenedRequest,
    Picture,
    PlanItem,
    ResultView,
    RunView,
    RunWish,
    Series,
    Span,
    SuiteChoice,
)
from tui.timeline.source import TimelineSource

SUMMARY = {
    "decode_tps": Summary(
        n=4, median=3.15, mad=0.02, ci95=(3.12, 3.18), mdc_pct=1.2, source="runtime"
    ),
    "ttft_client_ms": Summary(n=4, median=1250.0, mad=90.0, ci95=(1048.0, 1382.0), mdc_pct=12.0),
    "prefill_tps_est": Summary(n=4, median=29.4, mad=0.3, ci95=(28.9, 29.9), mdc_pct=1.9),
    "itl_p50_ms": Summary(n=4, median=317.0, mad=1.0, ci95=(316.0, 318.0), mdc_pct=0.4),
}
REQUESTS = (
    Request(
        id="completion_01",
        rep=0,
        order=0,
        status="ok",
        name="Historical Analysis",
        tok=Tokens(out=119, cap=256, source="runtime"),
        m={"decode_tps_cl": 3.16},
    ),
    Request(
        id="creativity_01",
        rep=0,
        order=1,
        status="capped",
        name="Fantasy Story",
        tok=Tokens(out=639, cap=639, source="runtime"),
        m={"decode_tps_cl": 3.0},
    ),
    Request(
        id="coding_01",
        rep=0,
        order=2,
        status="timeout_idle",
        name="Python Data Processing Pipeline",
        tok=Tokens(out=12),
        m={"ttft_client_ms": 1250.0},
        why={"decode_tps_cl": "no token for 30 s"},
        itl_ms=Gaps(n=11, p50=317.0, p99=341.0, max=30112.0, stalls=1),
        error="no token for 30 s",
        taint=("throttled", "clock_low"),
        checks=(
            Check(id="language", passed=True, detail="English"),
            Check(id="python", passed=False, detail="line 3: the list is never closed"),
        ),
        warnings=("the reported prefill is longer than our time to first token",),
    ),
)


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
GATES = (
    Gate(id="npu_idle", ok=True, severity="ok", sentence="The NPU is idle."),
    Gate(
        id="ddr_clock",
        ok=False,
        severity="warn",
        sentence="DDR clock: 534 of 2400 MHz, governor dmc_ondemand.",
        fix="echo performance | sudo tee /sys/class/devfreq/dmc/governor",
    ),
)
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
        name.title(),
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
PAST = tuple(
    PastRun(
        id=f"2025013{day}T120000Z-prompts-qwen3-4b-000{day}",
        started_utc=f"2025-01-3{day}T12:00:00Z",
        suite="prompts",
        model="qwen3-4b",
        status="complete" if day else "partial",
        scored=10 if day else 6,
        planned=10,
        decode_median=3.15 + day / 100,
        decode_ci=(3.12, 3.18),
        ttft_median_ms=1250.0,
        is_simulated=day == 1,
        baseline="cold" if day == 0 else None,
        can_resume=day == 0,
    )
    for day in (1, 0)
)
PICTURES = (
    Picture(
        "decode rate per prompt",
        "bars",
        "",
        "tok/s",
        (Series("decode", (3.16, 3.0, 3.19), labels=("completion_01", "creativity_01", "x" * 30)),),
    ),
    Picture(
        "decode rate against context",
        "dots",
        "tokens of context",
        "tok/s",
        (
            Series("16 tokens", (3.2, 3.1, 3.0), (20.0, 300.0, 900.0)),
            Series("fit", (3.2, 3.0), (20.0, 900.0)),
        ),
    ),
    Picture(
        "gaps between tokens",
        "columns",
        "ms",
        "gaps",
        (Series("gaps", (1, 30, 12, 0, 2), (310.0, 315.0, 320.0, 325.0, 330.0)),),
    ),
    Picture("board over the run", "lines", "seconds", "", (), "the board was not sampled"),
)
RESULT = ResultView(
    Document(
        run=Run(
            id=PAST[0].id,
            suite="prompts",
            suite_sha256="",
            title="Ten prompts",
            status="partial",
            started_utc="2025-01-31T12:00:00Z",
            wall_s=1608.0,
            planned=10,
            simulated=True,
        ),
        model=Model(name="qwen3-4b"),
        gates=GATES,
        requests=REQUESTS,
        summary=SUMMARY,
        totals={"tokens_out": Total(value=770, n=3, source="runtime")},
    ),
    PICTURES,
    ("4 timeouts took 300 s each: one time limit ended them, not the model. [O2 equal timeouts]",),
    can_resume=True,
)
REQUEST = OpenedRequest(
    3,
    3,
    REQUESTS[2],
    prompt="Write a pipeline.",
    text="import csv\n\nrows = [ 内存带宽 " + "word " * 200 + "\nthe very end",
)
COMPARISON = Comparison(
    a=PAST[1].id,
    b=PAST[0].id,
    model_a="qwen3-4b",
    model_b="qwen3-4b",
    is_simulated=(True, False),
    is_forced=False,
    vary=(),
    blocking=(),
    warnings=("kernel: 5.10 against 6.1",),
    rows=(
        Row(
            metric="decode_tps",
            unit="tok/s",
            a=3.0,
            b=3.15,
            delta_pct=5.0,
            ci95_pct=(4.1, 5.9),
            p=0.01,
            p_holm=0.02,
            mdc_pct=1.0,
            n_a=10,
            n_b=10,
            is_paired=True,
            verdict="faster",
        ),
        Row(
            metric="ttft_client_ms",
            unit="ms",
            a=1250.0,
            b=1251.0,
            delta_pct=0.1,
            ci95_pct=None,
            p=None,
            p_holm=None,
            mdc_pct=None,
            n_a=1,
            n_b=1,
            is_paired=False,
            verdict="inconclusive",
            why="one",
        ),
    ),
    shares=(Share(name="answered", a="6/10", b="10/10"),),
    dropped=(Dropped(id="coding_01", a="timeout_idle", b="ok"),),
    per_prompt=(("completion_01", 3.0, 3.16), ("creativity_01", 2.9, None)),
)
VIEW = BenchView(
    suites=SUITES,
    model="qwen3-4b",
    server="RockchipLlama :8021",
    past=PAST,
    result=RESULT,
    comparison=COMPARISON,
)


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
