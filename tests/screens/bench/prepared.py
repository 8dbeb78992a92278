"""A bench session without a server: prepared views, and a record of what was asked."""

from __future__ import annotations

from dataclasses import replace

from tui.bench.model.conditions import Gate
from tui.bench.model.screen import (
    BenchMessage,
    BenchView,
    CheckRow,
    ComparedRow,
    CompareView,
    Fact,
    HardwareNow,
    LiveAnswer,
    LiveText,
    PastRun,
    Picture,
    PlanRow,
    RequestView,
    ResultView,
    RunView,
    RunWish,
    Series,
    Span,
    StatRow,
    SuiteChoice,
    TimeLeft,
)

STATS = (
    StatRow("decode", "tok/s", 4, 2, False, 3.15, 0.02, (3.12, 3.18), 1.2, 3.0, 3.2),
    StatRow("TTFT", "ms", 4, 0, False, 1250.0, 90.0, (1048.0, 1382.0), 12.0),
    StatRow("prefill", "tok/s", 4, 1, True, 29.4, 0.3, (28.9, 29.9), 1.9),
    StatRow("gap p50", "ms", 4, 0, False, 317.0, 1.0, (316.0, 318.0), 0.4),
    StatRow("gap p99", "ms", 0),
)
PLAN = (
    PlanRow("completion_01", 0, "Historical Analysis", "ok", "ok", 3.16, False, 119, 40.0, 0.5),
    PlanRow("creativity_01", 0, "Fantasy Story", "ok", "capped", 3.0, False, 639, 215.0, 1.0),
    PlanRow(
        "coding_01",
        0,
        "Python Data Processing Pipeline",
        "failed",
        "timeout_idle",
        None,
        False,
        12,
        error="no token for 30 s",
        taints=("throttled", "clock_low"),
    ),
    PlanRow("completion_05", 0, "Technology Trends", "running", share=0.24, tokens=61),
    PlanRow("planning_01", 0, "Software Development Plan", "waiting", expected_s=364.0),
)
ANSWER = LiveAnswer(
    "Technology Trends",
    5,
    10,
    False,
    "answering",
    21.0,
    61,
    True,
    256,
    3.15,
    3.14,
    1250.0,
    317.0,
    341.0,
    0.3,
    30.0,
    94,
    16384,
    (3.1, 3.15, 3.15, 3.14),
)
TEXT = "Technology moves.\n\nEach year memory grows, 内存带宽, and bandwidth less. " * 9
RUN = RunView(
    run_id="20250131T120000Z-prompts-qwen3-4b-0a1b",
    folder="/nowhere",
    suite="prompts",
    title="Ten prompts",
    model="qwen3-4b",
    server="RockchipLlama :8021",
    is_simulated=True,
    stage="measure",
    plan=PLAN,
    planned=5,
    time=TimeLeft(702.0, 840.0, 660.0, 1020.0, 0.45),
    answer=ANSWER,
    text=LiveText(
        1, "Technology moves.\n\nEach year memory grows, 内存带宽, and bandwidth less. " * 9
    ),
    stats=STATS,
    hardware=HardwareNow(
        1e9,
        (98.0, 97.0, None),
        2.112e9,
        62.0,
        71.0,
        (60.0, 65.0, 71.0),
        (50.0, None, 62.0),
        9.7 * 2**30,
        5.0 * 2**30,
        0.0,
        "none",
        None,
        2.2,
    ),
    gates=(
        Gate(id="npu_idle", ok=True, severity="ok", sentence="The NPU is idle."),
        Gate(
            id="ddr_clock",
            ok=False,
            severity="warn",
            sentence="DDR clock: 534 of 2400 MHz, governor dmc_ondemand.",
            fix="echo performance | sudo tee /sys/class/devfreq/dmc/governor",
        ),
    ),
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
        f"2025013{day}T120000Z-prompts-qwen3-4b-000{day}",
        f"2025-01-3{day}T12:00:00Z",
        "prompts",
        "qwen3-4b",
        "complete" if day else "partial",
        10 if day else 6,
        10,
        3.15 + day / 100,
        (3.12, 3.18),
        1250.0,
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
    PAST[0].id,
    "Ten prompts",
    "qwen3-4b",
    "partial",
    True,
    "/nowhere",
    (Fact("answered", "6 of 10", "warn"), Fact("took", "26 min 48 s")),
    STATS,
    PICTURES,
    PLAN[:3],
    ("4 timeouts took 300 s each: one time limit ended them, not the model. [O2 equal timeouts]",),
    RUN.gates,
    can_resume=True,
)
REQUEST = RequestView(
    3,
    3,
    PLAN[2],
    (
        Fact("decode", "–  no token for 30 s", "soft"),
        Fact("TTFT", "1250 ms"),
        Fact("gaps", "p50 317, p99 341, max 30112 ms; 11 gaps, 1 stall", "warn"),
    ),
    (
        CheckRow("python", "failed", "line 3: the list is never closed"),
        CheckRow("language", "passed", "English"),
    ),
    ("the reported prefill is longer than our time to first token",),
    prompt="Write a pipeline.",
    text="import csv\n\nrows = [ 内存带宽 " + "word " * 200 + "\nthe very end",
)
COMPARISON = CompareView(
    PAST[1].id,
    PAST[0].id,
    "qwen3-4b",
    "qwen3-4b",
    (True, False),
    warnings=("kernel: 5.10 against 6.1",),
    rows=(
        ComparedRow(
            "decode", "tok/s", 2, 3.0, 3.15, 5.0, (4.1, 5.9), 0.01, 1.0, "10 pairs", "faster", "▲"
        ),
        ComparedRow(
            "TTFT",
            "ms",
            0,
            1250.0,
            1251.0,
            0.1,
            None,
            None,
            None,
            "1/1",
            "inconclusive",
            "?",
            "one",
        ),
    ),
    shares=(("answered", "6/10", "10/10"),),
    dropped=(("coding_01", "timeout_idle", "ok"),),
    prompts=(("completion_01", 3.0, 3.16), ("creativity_01", 2.9, None)),
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

    def request(self, run_id: str, at: int) -> RequestView | None:
        self.asked.append(("request", run_id, at))
        rows = RESULT.requests
        return replace(REQUEST, number=at + 1, row=rows[at]) if at < len(rows) else None

    def compare(self, a: str, b: str, *, is_forced: bool = False) -> None:
        self.asked.append(("compare", a, b, is_forced))

    def partner_of(self, run_id: str) -> str | None:
        self.asked.append(("partner", run_id))
        return PAST[1].id
