"""What a server says of its answer, held against what arrived."""

from __future__ import annotations

import pytest

from tests.core.turn.marks import MS, T0, over, run
from tui.core.screen.footer import footer_line
from tui.core.turn.meter import Meter
from tui.core.types import Phase, UsageDelta


def test_a_checked_count_makes_the_rate_measured() -> None:
    meter = Meter(T0)
    last_ns = run(meter, 1000, [100] * 100)
    meter.usage(UsageDelta(tokens_in=30, tokens_out=101, prefill_ms=950, decode_ms=10_000))
    stats = over(meter, last_ns)
    assert (stats.tokens, stats.tokens_source) == (101, "runtime")
    assert stats.decode_tps == pytest.approx(10)
    assert stats.decode_source == "measured"
    assert stats.runtime_decode_tps == pytest.approx(10.1)
    assert not stats.is_rate_disputed
    assert (stats.prefill_ms, stats.prefill_source) == (950, "runtime")
    assert stats.prefill_tps == pytest.approx(30 / 0.95)
    assert (stats.context_used, stats.context_source) == (131, "runtime")


def test_a_count_that_is_not_the_chunks_is_not_divided_by_their_time() -> None:
    """Tokens that nobody saw took a time that nobody saw: the usual gap tells the rate."""
    meter = Meter(T0)
    last_ns = run(meter, 1000, [100] * 100)
    meter.usage(UsageDelta(tokens_out=121))
    stats = over(meter, last_ns)
    assert (stats.tokens, stats.tokens_source) == (121, "runtime")
    assert stats.decode_tps == pytest.approx(10)
    assert stats.decode_source == "estimated"


def test_a_count_that_the_gaps_deny_is_disputed() -> None:
    meter = Meter(T0)
    last_ns = run(meter, 1000, [100] * 50 + [30] * 50 + [100])
    meter.usage(UsageDelta(tokens_out=140))
    stats = over(meter, last_ns)
    assert stats.is_rate_disputed
    assert stats.decode_source == "estimated"


@pytest.mark.parametrize("usage", [True, False])
def test_tokens_of_the_first_burst_do_not_belong_to_the_time_after_it(usage: bool) -> None:
    """Five bursts of 20 tokens, 1 s apart."""
    meter = Meter(T0, prompt_tokens=30)
    gaps_ms = ([0.05] * 19 + [1000 - 0.95]) * 4 + [0.05] * 19
    last_ns = run(meter, 1450, gaps_ms)
    if usage:
        meter.usage(UsageDelta(tokens_out=100))
    stats = over(meter, last_ns)
    assert stats.decode_tps == pytest.approx(20, rel=1e-6)
    assert stats.decode_source == ("measured" if usage else "estimated")
    assert (stats.itl_p50_ms, stats.prefill_tps) == (None, None)
    assert (stats.ttft_ms, stats.ttft_source) == (1450, "estimated")
    assert "TTFT ~1.45 s" in footer_line(stats, "complete")


@pytest.mark.parametrize("apart_ms", [1.0, 4.0, 10.0])
def test_a_burst_that_was_let_go_one_by_one_is_a_burst(apart_ms: float) -> None:
    """Five bursts of 20 tokens, 1 s from begin to begin."""
    meter = Meter(T0, prompt_tokens=30)
    burst = [apart_ms] * 19
    last_ns = run(meter, 1450, [*burst, 1000 - sum(burst)] * 4 + burst)
    meter.usage(UsageDelta(tokens_out=100))
    stats = over(meter, last_ns)
    assert stats.decode_tps == pytest.approx(20)
    assert stats.decode_source == "estimated"
    assert (stats.itl_p50_ms, stats.prefill_tps, stats.ttft_source) == (None, None, "estimated")


def test_pauses_of_a_steady_stream_are_no_bursts() -> None:
    meter = Meter(T0)
    last_ns = run(meter, 500, ([50.0] * 19 + [5000.0]) * 3 + [50.0] * 19)
    meter.usage(UsageDelta(tokens_out=80))
    stats = over(meter, last_ns)
    assert stats.decode_source == "measured"
    assert stats.decode_tps == pytest.approx(79 / (76 * 0.05 + 15))
    assert stats.itl_p50_ms == 50


def test_a_large_first_piece_is_no_first_token() -> None:
    """58 tokens in one piece, and two more a quarter of a second later."""
    meter = Meter(T0, prompt_tokens=30)
    meter.mark(T0 + 3500 * MS, "text", 232, 58.0)
    meter.mark(T0 + 3750 * MS, "text", 8, 2.0)
    stats = over(meter, T0 + 3750 * MS)
    assert stats.decode_tps == pytest.approx(8)
    assert (stats.ttft_source, stats.prefill_tps) == ("estimated", None)


@pytest.mark.parametrize(("per_chunk", "gap_ms"), [(2, 100), (5, 250)])
def test_chunks_of_several_tokens(per_chunk: int, gap_ms: int) -> None:
    meter = Meter(T0)
    count = 120 // per_chunk
    gaps_ms = [gap_ms] * (count - 1)
    last_ns = run(meter, 500, gaps_ms, n_chars=3 * per_chunk, weight=1.1 * per_chunk)
    meter.usage(UsageDelta(tokens_out=120))
    stats = over(meter, last_ns)
    assert stats.decode_tps == pytest.approx(20)
    assert stats.decode_source == "estimated"
    assert (stats.itl_p50_ms, stats.is_rate_disputed) == (None, False)


def test_many_tokens_in_the_last_chunk() -> None:
    meter = Meter(T0)
    last_ns = run(meter, 500, [50] * 59) + 2000 * MS
    meter.mark(last_ns, "text", 160, 40.0)
    meter.usage(UsageDelta(tokens_out=100))
    stats = over(meter, last_ns)
    assert stats.decode_tps == pytest.approx(20)
    assert stats.itl_p99_ms is None


def test_tokens_between_two_channels_that_were_swallowed() -> None:
    """14 of 18 tokens: 6 of thinking, 2 that were swallowed, 8 of the answer; 50 ms each."""
    meter = Meter(T0)
    last_ns = run(meter, 500, [50] * 5 + [150] + [50] * 7)
    meter.usage(UsageDelta(tokens_out=18))
    stats = over(meter, last_ns)
    assert (stats.tokens, stats.tokens_source) == (18, "runtime")
    assert stats.decode_tps == pytest.approx(20)
    assert stats.decode_source == "estimated"


def test_the_server_lost_the_last_token() -> None:
    meter = Meter(T0)
    last_ns = run(meter, 500, [50] * 10)
    meter.usage(UsageDelta(tokens_out=12))
    stats = over(meter, last_ns)
    assert stats.tokens == 12
    assert stats.decode_tps == pytest.approx(20)


def test_the_last_token_of_the_answer_before_is_no_first_token() -> None:
    """A chunk after 8 ms, the next one after the time of a prefill."""
    meter = Meter(T0, prompt_tokens=23)
    last_ns = run(meter, 8.4, [1146.6] + [50] * 39)
    meter.usage(UsageDelta(tokens_out=40))
    stats = over(meter, last_ns)
    assert stats.ttft_ms == pytest.approx(1155)
    assert stats.decode_tps == pytest.approx(20)
    assert stats.decode_source == "measured"
    assert stats.prefill_tps == pytest.approx(23 / 1.155)


def test_no_prefill_rate_from_a_cached_prompt_or_a_load() -> None:
    meter = Meter(T0, prompt_tokens=35)
    last_ns = run(meter, 40, [9] * 40)
    meter.usage(UsageDelta(tokens_in=35, tokens_out=41, tokens_cached=34))
    assert over(meter, last_ns).prefill_tps is None
    meter.usage(UsageDelta(prefill_ms=15.8))
    assert over(meter, last_ns).prefill_tps == pytest.approx(1 / 0.0158)
    loads = Meter(T0, prompt_tokens=35)
    loads.ttft_includes = ("load",)
    assert over(loads, run(loads, 5000, [9] * 40)).prefill_tps is None


def test_reports_in_parts_add_up() -> None:
    meter = Meter(T0)
    last_ns = run(meter, 1000, [100] * 20)
    meter.usage(UsageDelta(tokens_out=21))
    meter.usage(UsageDelta(prefill_ms=900, tokens_in=27))
    stats = over(meter, last_ns)
    assert (stats.tokens, stats.tokens_source) == (21, "runtime")
    assert stats.prefill_tps == pytest.approx(30)
    meter.usage(UsageDelta(tokens_out=22, source="estimated"))
    assert meter.stats(last_ns, Phase.DONE).tokens_source == "estimated"


@pytest.mark.parametrize("count", [0, -3, 8, 99, 100])
def test_a_count_below_what_arrived_is_of_another_answer(count: int) -> None:
    meter = Meter(T0)
    last_ns = run(meter, 1000, [100] * 100)
    meter.usage(UsageDelta(tokens_out=count, decode_ms=10_000))
    stats = over(meter, last_ns)
    assert (stats.tokens, stats.tokens_source) == (101, "estimated")
    assert stats.runtime_decode_tps is None


def test_a_count_without_any_chunk_is_not_believed() -> None:
    meter = Meter(T0)
    meter.usage(UsageDelta(tokens_out=80, decode_ms=1000))
    stats = over(meter, T0 + 2000 * MS)
    assert (stats.tokens, stats.tokens_source) == (0, "unknown")
    assert stats.decode_tps is None


def test_rates_that_differ_by_a_third_are_disputed_and_ours_is_shown() -> None:
    meter = Meter(T0)
    last_ns = run(meter, 1000, [100] * 100)
    meter.usage(UsageDelta(tokens_out=101, decode_ms=101e3 / 14))
    stats = over(meter, last_ns)
    assert stats.is_rate_disputed
    assert stats.decode_tps == pytest.approx(10)
    assert stats.runtime_decode_tps == pytest.approx(14)


def test_a_buffered_answer_has_the_rate_of_the_runtime() -> None:
    meter = Meter(T0)
    meter.mark(T0 + 11_000 * MS, "text", 2000, 500.0)
    meter.usage(UsageDelta(tokens_in=100, tokens_out=480, prefill_ms=1000, decode_ms=9600))
    stats = over(meter, T0 + 11_000 * MS)
    assert (stats.tokens, stats.tokens_source) == (480, "runtime")
    assert (stats.decode_tps, stats.decode_source) == (50, "runtime")


@pytest.mark.parametrize("decode_ms", [9.6e9, 9.6e-6, 0.0, -5.0, float("inf"), float("nan")])
def test_a_time_in_the_wrong_unit_is_not_shown(decode_ms: float) -> None:
    meter = Meter(T0)
    meter.mark(T0 + 11_000 * MS, "text", 2000, 500.0)
    meter.usage(UsageDelta(tokens_out=480, decode_ms=decode_ms))
    stats = over(meter, T0 + 11_000 * MS)
    assert (stats.decode_tps, stats.decode_source) == (None, "unknown")


@pytest.mark.parametrize("prefill_ms", [1e6, 1e-6, 0.0, -1.0, float("inf"), float("nan")])
def test_a_prefill_that_cannot_be_is_replaced_by_an_estimate(prefill_ms: float) -> None:
    meter = Meter(T0, prompt_tokens=30)
    last_ns = run(meter, 1000, [100] * 10)
    meter.usage(UsageDelta(tokens_in=28, prefill_ms=prefill_ms))
    stats = over(meter, last_ns)
    assert (stats.prefill_ms, stats.prefill_source) == (1000, "estimated")
    assert stats.prefill_tps == pytest.approx(28)


def test_prefill_is_not_guessed_where_a_part_may_be_cached() -> None:
    meter = Meter(T0, prompt_tokens=3000, is_prompt_new=False)
    stats = over(meter, run(meter, 1000, [100] * 10))
    assert (stats.prefill_ms, stats.prefill_tps, stats.prefill_source) == (None, None, "unknown")
    assert stats.context_used == 3011


def test_a_count_of_the_new_part_only_is_not_the_context() -> None:
    meter = Meter(T0, prompt_tokens=3000)
    last_ns = run(meter, 1000, [100] * 10)
    meter.usage(UsageDelta(tokens_in=4, tokens_out=11))
    stats = over(meter, last_ns)
    assert (stats.context_used, stats.context_source) == (3011, "estimated")
