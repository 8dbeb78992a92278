"""Comparison: what may be compared, how a change is called, and how often that is right."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tests.bench.made import CONFIG, ENV, MODEL, light, profile, request, run, trace
from tui.bench.analysis.comparability import differences
from tui.bench.analysis.compare import NotComparableError, compare
from tui.bench.model.conditions import Model, Runtime
from tui.bench.model.records import Document, Request
from tui.bench.report.comparison import as_html, as_json, as_markdown

PAIRS = 50


@pytest.mark.slow
def test_two_profiles_five_per_cent_apart_are_told_apart() -> None:
    """At the level of records: fifty real pairs of runs would take weeks of board time."""
    told = [
        compare(light(2 * seed), light(2 * seed + 1, factor=1.05)).row("decode_tps")
        for seed in range(PAIRS)
    ]
    verdicts = [row.verdict for row in told if row is not None]
    assert len(verdicts) == PAIRS
    assert verdicts.count("faster") >= 0.8 * PAIRS
    assert "slower" not in verdicts
    assert "same" not in verdicts


@pytest.mark.slow
def test_two_equal_profiles_are_not_called_different() -> None:
    rows = [
        row
        for seed in range(PAIRS)
        for row in compare(light(1000 + 2 * seed), light(1001 + 2 * seed)).rows
    ]
    wrong = [row for row in rows if row.verdict in ("faster", "slower")]
    assert wrong == []
    decode = [row.verdict for row in rows if row.metric == "decode_tps"]
    assert decode.count("same") >= 0.8 * PAIRS


def test_only_the_settings_that_differ_are_named() -> None:
    one = {"temperature": 0.6, "top_k": 20, "max_tokens": "per prompt"}
    a, b = (
        run([request()], config=msgspec.structs.replace(CONFIG, sampling=sampling))
        for sampling in (one, {**one, "temperature": 0.0})
    )
    (found,) = [d for d in differences(a, b) if d.field == "sampling"]
    assert found.is_blocking
    assert found.sentence == "sampling: temperature 0.6 against temperature 0.0"


def test_a_slow_down_is_called_slower_and_is_a_regression() -> None:
    found = compare(profile(1), profile(2, factor=0.93))
    decode, first = found.row("decode_tps"), found.row("ttft_client_ms")
    assert decode is not None
    assert first is not None
    assert decode.verdict == first.verdict == "slower"
    assert decode.delta_pct == pytest.approx(-7, abs=1.5)
    assert first.delta_pct is not None
    assert first.delta_pct > 0
    assert found.is_regression
    assert not compare(profile(2, factor=0.93), profile(1)).is_regression


def test_a_shorter_first_token_is_better() -> None:
    row = compare(profile(1), profile(2, factor=1.2)).row("ttft_client_ms")
    assert row is not None
    assert row.verdict == "faster"
    assert row.delta_pct is not None
    assert row.delta_pct < 0


def _runs(rates: list[float]) -> Document:
    return run([request("tg", rep, made=trace(tps=tps)) for rep, tps in enumerate(rates)])


def test_too_few_repetitions_are_inconclusive_not_equal() -> None:
    row = compare(_runs([3.1, 3.11, 3.12]), _runs([3.6, 3.61, 3.62])).row("decode_tps")
    assert row is not None
    assert not row.is_paired
    assert row.verdict == "inconclusive"
    assert row.delta_pct == pytest.approx(16, abs=1)


def test_five_repetitions_are_enough() -> None:
    row = compare(_runs([3.1, 3.11, 3.12, 3.1, 3.11]), _runs([3.6, 3.61, 3.62, 3.6, 3.6])).row(
        "decode_tps"
    )
    assert row is not None
    assert row.verdict == "faster"
    assert row.p == pytest.approx(0.0079, abs=1e-3)


def test_one_against_one() -> None:
    row = compare(_runs([3.1]), _runs([3.2])).row("decode_tps")
    assert row is not None
    assert (row.verdict, row.ci95_pct) == ("inconclusive", None)


def test_identical_runs_are_the_same() -> None:
    found = compare(profile(4), profile(4))
    assert {row.verdict for row in found.rows} == {"same"}
    assert all(row.delta_pct == 0 for row in found.rows)


def test_only_prompts_that_both_answered_are_paired() -> None:
    whole = profile(1)
    kept = [
        r if at < 6 else Request(id=r.id, rep=0, order=at, status="timeout_idle")
        for at, r in enumerate(profile(2).requests)
    ]
    found = compare(run(kept), whole)
    row = found.row("decode_tps")
    assert row is not None
    assert row.is_paired
    assert (row.n_a, row.n_b) == (6, 6)
    assert {d.id for d in found.dropped} == {"p1", "k1", "i1", "e1"}
    assert all((d.a, d.b) == ("timeout_idle", "ok") for d in found.dropped)
    assert (found.shares[0].name, found.shares[0].a, found.shares[0].b) == (
        "answered",
        "6/10",
        "10/10",
    )


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("suite", {"suite_sha256": "other"}),
        ("simulated", {"is_simulated": True}),
        ("model", {"model": msgspec.structs.replace(MODEL, size=1)}),
        ("quant", {"model": msgspec.structs.replace(MODEL, quant="w4a16")}),
        ("ctx", {"model": msgspec.structs.replace(MODEL, ctx=4096)}),
        ("sampling", {"config": msgspec.structs.replace(CONFIG, sampling={"top_k": 20})}),
        ("stream_mode", {"config": msgspec.structs.replace(CONFIG, stream_mode="buffered")}),
        ("runtime", {"env": msgspec.structs.replace(ENV, runtime=Runtime(version="1.3.0"))}),
    ],
)
def test_guards(field: str, change: dict[str, Any]) -> None:
    a, b = run([request()]), run([request()], **change)
    with pytest.raises(NotComparableError, match=field):
        compare(a, b)
    assert compare(a, b, vary=[field]).blocking == ()
    forced = compare(a, b, is_forced=True)
    assert forced.is_forced
    assert any(field in sentence for sentence in forced.blocking)


def test_unknown_is_a_warning_not_a_difference() -> None:
    b = run([request()], model=Model(name="qwen3-4b", size=MODEL.size, ctx=16384))
    found = differences(run([request()]), b)
    assert [(d.field, d.is_blocking) for d in found] == [("quant", False)]


def test_simulated_against_real_is_said_aloud() -> None:
    simulated = run(profile(1).requests, is_simulated=True)
    forced = compare(simulated, profile(2), is_forced=True)
    assert "SIMULATED against real" in as_markdown([forced])
    both = compare(simulated, run(profile(2).requests, is_simulated=True))
    assert "SIMULATED: both runs come from" in as_html([both])


def test_a_zero_baseline_has_no_change() -> None:
    a = run([Request(id="x", rep=0, order=0, status="ok", m={"latency_ms": 0.0})])
    row = compare(a, a).row("latency_ms")
    assert row is not None
    assert row.delta_pct is None
    assert row.verdict == "inconclusive"


def test_tainted_requests_can_be_left_out() -> None:
    tainted = [
        msgspec.structs.replace(r, taint=("throttled",)) if at < 4 else r
        for at, r in enumerate(profile(1).requests)
    ]
    row = compare(run(tainted), profile(2), excludes_tainted=True).row("decode_tps")
    assert row is not None
    assert row.n_a == 6


def test_machine_output() -> None:
    found = compare(profile(1), profile(2, factor=1.05))
    value = json.loads(as_json([found]))
    assert value["rows"][0]["metric"] == "decode_tps"
    assert value["rows"][0]["verdict"] == "faster"
    assert isinstance(json.loads(as_json([found, found])), list)
    text = as_markdown([found])
    assert "▲ faster" in text
    assert "pairs" in text
