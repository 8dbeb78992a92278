"""Figures of a run, checked against a calculation by hand."""

from __future__ import annotations

import dataclasses

import pytest
from msgspec.structs import replace

from tests.bench.made import profile, request, run, trace
from tui.bench.analysis.check_figures import accuracy, review
from tui.bench.analysis.fits import decay_fit, prefill_fit, rate_at, usable_context
from tui.bench.analysis.suite_figures import depth
from tui.bench.analysis.summary import headline_source, summaries
from tui.bench.analysis.totals import failures, totals
from tui.bench.analysis.trace import decay_bins
from tui.bench.model.conditions import Model
from tui.bench.model.records import Check, Fit, Request, RuntimeTimes


def _totals(requests: list[Request]) -> dict[str, float | None]:
    found = totals(requests, wall_s=1000.0, good_ttft_ms=3000, good_decode_tps=2.0)
    return {name: total.value for name, total in found.items()}


def test_long_answers_weigh_more() -> None:
    slow = request("slow", made=trace(tokens=301, tps=2.0))
    fast = request("fast", made=trace(tokens=101, tps=4.0))
    found = _totals([slow, fast])
    assert found["run_decode_tps"] == pytest.approx(400 / (150 + 25))
    assert found["median_decode_tps"] == pytest.approx(3.0)
    assert found["tokens_out"] == 402
    assert found["run_wall_tps"] == pytest.approx(0.402)
    assert found["success_pct"] == 100
    assert found["goodput_pct"] == 100


def test_failures_are_counted_and_feed_nothing() -> None:
    lost = Request(id="x", rep=0, order=1, status="timeout_first")
    skipped = Request(id="y", rep=0, order=2, status="skipped_budget")
    found = _totals([request(), lost, skipped])
    assert found["success_pct"] == 50
    assert found["tokens_per_success"] == 64
    assert found["tokens_per_attempt"] == 32
    counts = {f.status: f.count for f in failures([request(), lost, skipped, lost])}
    assert counts == {"timeout_first": 2, "skipped_budget": 1}


def test_nothing_at_all() -> None:
    found = _totals([])
    assert found["run_decode_tps"] is None
    assert found["success_pct"] is None
    assert found["check_pass_pct"] is None
    assert summaries([], seed=1)["decode_tps"].n == 0


def test_one_source_for_the_headline() -> None:
    runtime = RuntimeTimes(generate_ms=10_000, generate_tokens=30)
    made = trace(tokens=30, tps=3.0)
    reported = request(made=dataclasses.replace(made, runtime=runtime))
    assert headline_source([reported]) == "runtime"
    assert headline_source([reported, request("b")]) == "client"
    assert headline_source([]) == "unknown"
    assert summaries([reported, request("b")], seed=1)["decode_tps"].source == "client"


def test_cached_answers_stay_out_of_cold_figures() -> None:
    cold = request("a")
    warm = replace(request("b"), taint=("cache_hit",))
    assert summaries([cold, warm], seed=1)["ttft_client_ms"].n == 1
    assert summaries([cold, warm], seed=1)["decode_tps"].n == 2


def test_checks_are_apart_from_success() -> None:
    checks = (
        Check(id="a", passed=True),
        Check(id="b", passed=False),
        Check(id="c", passed=None),
        Check(id="d", passed=False, info=True),
    )
    found = _totals([replace(request(), checks=checks)])
    assert found["check_pass_pct"] == 50
    assert found["success_pct"] == 100


def test_decay_is_found() -> None:
    bins = []
    for prompt in (30, 500, 1500):
        bins += decay_bins(trace(tokens=200, tps=1000 / 311, prompt=prompt, slope_ms=0.057))
    fit = decay_fit(bins)
    assert fit is not None
    assert fit.n == 36
    # Within one answer the made-up cost rises by 0.057 ms per token, across prompts it does not.
    assert 0 < fit.b < 0.06
    assert rate_at(fit, 0) == pytest.approx(1000 / fit.a)
    limit = usable_context(fit, 3.0)
    assert limit is not None
    assert rate_at(fit, limit) == pytest.approx(3.0)
    assert decay_fit([]) is None


def test_usable_context_ends_with_the_context() -> None:
    model = Model(name="m", ctx=16_384)
    fast = Fit(id="tpot_over_context", a=7.7, b=0.0014, n=9, x_max=16e3)
    whole = depth(model, [fast], [])["usable_context"]
    assert whole.value == 16_384
    assert "full context" in whole.formula
    slow = replace(fast, a=310.0, b=0.057)
    assert depth(model, [slow], [])["usable_context"].value == pytest.approx(190 / 0.057)


def test_what_has_no_rate_is_neither_good_nor_bad() -> None:
    short = [request("a", made=trace(tokens=1)), request("b", made=trace(tokens=1))]
    found = run(short).totals
    assert found["goodput_pct"].value is None
    assert found["good_per_h"].value is None
    assert found["goodput_pct"].why
    both = run([*short, request("c", status="timeout_first")]).totals
    assert (both["goodput_pct"].value, both["goodput_pct"].n) == (0, 1)


def test_a_task_without_a_judged_instruction_is_not_passed() -> None:
    judged = replace(request("a", group="file"), checks=(Check(id="x", passed=True, loose=True),))
    cut = replace(request("b", group="file"), checks=(Check(id="x"),))
    found = accuracy([judged, cut])
    assert found["prompt_strict_pct"].value == 50
    assert found["prompt_strict_pct.file"].value == 50
    missed = review([cut])["code_missed"]
    assert (missed.value, missed.n) == (None, 0)


def test_prefill_over_prompt_length() -> None:
    rows = [
        request(str(p), made=trace(tokens=1, ttft_ms=123 + 30.8 * p, prompt=p))
        for p in (16, 32, 64, 128, 256)
    ]
    fit = prefill_fit(rows)
    assert fit is not None
    assert fit.a == pytest.approx(123, abs=1e-3)
    assert fit.b == pytest.approx(30.8, abs=1e-5)


def test_percentiles_wait_for_their_sample() -> None:
    found = profile(3).summary["decode_tps"]
    assert found.n == 10
    assert found.p90 is None
    assert found.p99 is None
    assert found.ci95 is not None
    assert found.median is not None
    assert found.ci95[0] < found.median < found.ci95[1]


def test_same_seed_same_figures() -> None:
    one, other = run([request()]), run([request()])
    assert one.summary == other.summary
    assert profile(5).summary == profile(5).summary
