"""Numbers of one request: formulae, and the cases where there is no number."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.made import trace
from tui.bench.analysis.trace import Trace, decay_bins, looks_buffered, measure
from tui.bench.model.metrics import change_pct, finite, ratio
from tui.bench.model.records import RuntimeTimes


def test_the_formulae() -> None:
    found = measure(trace(tokens=101, tps=4.0, ttft_ms=1500.0, prompt=30))
    assert found.m["ttft_client_ms"] == pytest.approx(1500)
    assert found.m["decode_tps_cl"] == pytest.approx(4.0, rel=1e-6)
    assert found.m["itl_mean_ms"] == pytest.approx(250)
    assert found.m["itl_p50_ms"] == pytest.approx(250)
    assert found.m["itl_p99_ms"] is None
    assert found.why["itl_p99_ms"] == "n=100"
    assert found.m["latency_ms"] == pytest.approx(1500 + 101 * 250)
    assert found.m["e2e_tps"] == pytest.approx(101 / 26.75)
    assert found.m["chunk_ratio"] == 1
    assert found.m["last_vs_first"] == pytest.approx(1)
    assert found.m["prefill_tps_est"] == pytest.approx(20)
    assert found.m["decode_tps_rt"] is None
    assert found.gaps.n == 100
    assert found.gaps.stalls == 0


def test_the_runtime_beside_the_client() -> None:
    made = trace(tokens=100, tps=3.0)
    runtime = RuntimeTimes(
        prefill_ms=1000.0, prefill_tokens=30, generate_ms=31_000.0, generate_tokens=100
    )
    both = measure(replace(made, runtime=runtime))
    assert both.m["decode_tps_rt"] == pytest.approx(100 / 31)
    assert both.m["prefill_tps"] == pytest.approx(30)
    assert both.m["overhead_ttft_ms"] == pytest.approx(250)
    assert both.m["rt_cl_delta_pct"] == pytest.approx(100 * (100 / 31 / 3.0 - 1), rel=1e-3)
    assert any("differs from npulse" in text for text in both.warnings)
    late = RuntimeTimes(prefill_ms=5000.0, prefill_tokens=30)
    early = measure(replace(made, runtime=late))
    assert any("longer than the time" in text for text in early.warnings)


@pytest.mark.parametrize(("tokens", "gaps"), [(0, 0), (1, 0), (2, 1), (7, 6)])
def test_short_answers_have_no_rate(tokens: int, gaps: int) -> None:
    found = measure(trace(tokens=tokens))
    assert found.m["decode_tps_cl"] is None
    assert found.gaps.n == gaps
    assert (found.m["ttft_client_ms"] is None) == (tokens == 0)
    assert (found.m["itl_p50_ms"] is None) == (gaps == 0)


def test_eight_tokens_within_200_ms_have_no_rate() -> None:
    found = measure(trace(tokens=8, tps=100))
    assert found.m["decode_tps_cl"] is None
    assert "200 ms" in found.why["decode_tps_cl"]


def test_two_tokens_have_exactly_one_gap() -> None:
    found = measure(trace(tokens=2, tps=2.0))
    assert (found.gaps.n, found.gaps.max) == (1, 500.0)


def test_a_buffered_stream_has_no_ttft_and_no_gaps() -> None:
    stamps = tuple(60_000_000_000 + i * 10_000 for i in range(200))
    assert looks_buffered(0, stamps)
    found = measure(
        Trace(
            t0_ns=0,
            stamps_ns=stamps,
            te_ns=60_100_000_000,
            tokens_out=200,
            out_source="client",
            is_buffered=True,
        )
    )
    assert found.m["ttft_client_ms"] is None
    assert found.m["itl_p50_ms"] is None
    assert found.m["decode_tps_cl"] is None
    assert found.m["latency_ms"] == pytest.approx(60_100)
    assert "buffered" in found.why["ttft_client_ms"]


def test_a_long_prefill_is_not_buffering() -> None:
    spread = trace(tokens=8, tps=3.0, ttft_ms=20_000.0)
    assert not looks_buffered(spread.t0_ns, spread.stamps_ns)
    assert not looks_buffered(0, (5, 6))


@pytest.mark.parametrize(("tokens", "tps"), [(8, 3.0), (8, 50.0), (20, 50.0), (4, 250.0)])
def test_a_short_answer_after_a_long_wait_is_not_buffering(tokens: int, tps: float) -> None:
    """16,000 prompt tokens take an NPU nine minutes."""
    spread = trace(tokens=tokens, tps=tps, ttft_ms=540_000.0)
    assert not looks_buffered(spread.t0_ns, spread.stamps_ns)


def test_estimated_counts_stay_out_of_the_headline() -> None:
    made = trace(tokens=100)
    found = measure(replace(made, out_source="estimated", is_token_per_chunk=False))
    assert found.m["decode_tps_cl"] is None
    assert found.m["decode_tps_est"] is not None
    assert found.m["itl_p50_ms"] is None
    assert found.gaps.n == 0


def test_chunks_rarer_than_tokens() -> None:
    # Emoji and CJK: the runtime holds back half a character, so 100 tokens came in 60 chunks.
    made = trace(tokens=60)
    found = measure(replace(made, tokens_out=100, out_source="runtime"))
    assert found.m["chunk_ratio"] == pytest.approx(0.6)
    assert found.tokens.out == 100
    assert found.tokens.chunks == 60


def test_thinking_makes_two_first_tokens() -> None:
    made = trace(tokens=40, tps=4.0, ttft_ms=1000.0)
    thought = replace(made, tc_ns=made.stamps_ns[20], reasoning=20)
    found = measure(thought)
    assert found.m["ttfot_ms"] == pytest.approx(6000)
    assert found.m["ttft_client_ms"] == pytest.approx(1000)
    only = measure(replace(thought, tc_ns=None))
    assert only.m["ttfot_ms"] is None


def test_contradicting_counts_are_told() -> None:
    found = measure(replace(trace(tokens=100), server_out=70))
    assert found.tokens.server_out == 70
    assert any("counts 70" in text for text in found.warnings)


def test_equal_times_are_legal() -> None:
    found = measure(
        Trace(
            t0_ns=0, stamps_ns=(10**9,) * 5 + (2 * 10**9,) * 5, tokens_out=10, out_source="client"
        )
    )
    # Five tokens in the second between two bursts; the gaps within them say nothing.
    assert found.m["itl_p50_ms"] is None
    assert found.why["itl_p50_ms"] == "the tokens came in bursts"
    assert found.m["decode_tps_cl"] == pytest.approx(5)


def test_stalls_are_counted() -> None:
    stamps = [i * 300_000_000 for i in range(1, 30)]
    stamps += [stamps[-1] + 5_000_000_000 + i * 300_000_000 for i in range(10)]
    found = measure(
        Trace(t0_ns=0, stamps_ns=tuple(stamps), tokens_out=len(stamps), out_source="client")
    )
    assert found.gaps.stalls == 1
    assert found.gaps.max == 5000


def test_bins_for_the_decay() -> None:
    bins = decay_bins(trace(tokens=65, tps=4.0, prompt=100))
    assert [x for x, _ in bins] == [108, 124, 140, 156]
    assert all(y == pytest.approx(250) for _, y in bins)


def test_numbers() -> None:
    assert finite(math.nan) is None
    assert finite(math.inf) is None
    assert ratio(1, 0) is None
    assert ratio(None, 1) is None
    assert ratio(1e308, 1e-308) is None
    assert change_pct(0.0, 1.0) is None
    assert change_pct(-2.0, -1.0) == 50


@given(
    st.lists(st.integers(0, 10**12), max_size=60),
    st.integers(0, 10**6),
    st.booleans(),
    st.integers(0, 10**12),
)
def test_any_times_give_finite_numbers(
    stamps: list[int], tokens: int, buffered: bool, end: int
) -> None:
    found = measure(
        Trace(
            t0_ns=0,
            stamps_ns=tuple(sorted(stamps)),
            te_ns=end,
            tokens_out=tokens,
            out_source="client",
            tokens_in=tokens,
            is_buffered=buffered,
        )
    )
    for name, value in found.m.items():
        assert value is None or math.isfinite(value)
        assert value is not None or name in found.why
