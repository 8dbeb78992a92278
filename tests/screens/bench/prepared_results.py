"""A finished run, its requests and a comparison, as the screens show them."""

from __future__ import annotations

from tui.bench.model.comparison import Comparison, Dropped, Row, Share
from tui.bench.model.conditions import Gate, Model
from tui.bench.model.past_run import PastRun
from tui.bench.model.records import Check, Document, Gaps, Request, Run, Summary, Tokens, Total
from tui.bench.model.screen import (
    OpenedRequest,
    Picture,
    ResultView,
    Series,
)

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
        warnings=("the reported prefill is longer than the time to first token",),
    ),
)
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
