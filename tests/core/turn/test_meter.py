from __future__ import annotations

import statistics
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.turn.marks import MS, run
from tui.core.screen.footer import footer_line
from tui.core.turn.arrivals import ARRIVAL_NS
from tui.core.turn.chunk_log import ChunkMeaning
from tui.core.turn.meter import Meter
from tui.core.turn.turn_stats import TurnStats
from tui.core.types import Phase, SegmentKind, UsageDelta

LIVE = Phase.ANSWERING
NOT_YET_KNOWN = (
    "headers_ms",
    "ttft_ms",
    "ttfot_ms",
    "thinking_s",
    "latency_ms",
    "rate_now_tps",
    "decode_tps",
    "runtime_decode_tps",
    "itl_p50_ms",
    "itl_p90_ms",
    "itl_p99_ms",
    "itl_max_ms",
    "prefill_ms",
    "prefill_tps",
    "eta_s",
)
T0 = 5_000_000_000_000


def over(meter: Meter, t_ns: int) -> TurnStats:
    meter.end(t_ns)
    return meter.stats(t_ns + 10**12, Phase.DONE)


def test_before_anything_arrives() -> None:
    meter = Meter(T0, max_tokens=100, context_tokens=4096, prompt_tokens=50)
    stats = meter.stats(T0 + 1500 * MS, Phase.WAITING)
    assert stats.elapsed_s == 1.5
    assert (stats.chunks, stats.tokens, stats.tokens_source) == (0, 0, "unknown")
    assert (stats.context_used, stats.context_source) == (50, "estimated")
    for name in NOT_YET_KNOWN:
        assert getattr(stats, name) is None, name
    assert stats.rate_history_tps == ()
    assert (stats.decode_source, stats.prefill_source) == ("unknown", "unknown")


def test_the_board_at_its_usual_speed() -> None:
    """A known answer: 101 tokens, 320 ms apart, the first after 1250 ms."""
    meter = Meter(T0, max_tokens=1024, context_tokens=16384, prompt_tokens=40)
    meter.accepted(T0 + 3 * MS)
    last_ns = run(meter, 1250, [320] * 100)
    stats = meter.stats(last_ns + 100 * MS, LIVE)
    assert stats.headers_ms == 3
    assert stats.ttft_ms == stats.ttfot_ms == 1250
    assert stats.decode_tps == pytest.approx(3.125, rel=1e-12)
    assert stats.rate_now_tps == pytest.approx(3.125, rel=1e-12)
    assert stats.decode_source == "estimated"
    assert (stats.tokens, stats.tokens_source) == (101, "estimated")
    assert (stats.itl_p50_ms, stats.itl_p99_ms, stats.itl_max_ms) == (320, 320, 320)
    assert stats.eta_s == pytest.approx((1024 - 101) / 3.125)
    assert stats.context_used == 141
    assert stats.rate_history_tps == pytest.approx([3.125] * len(stats.rate_history_tps))
    assert sum(stats.rate_history_tps) > 0
    assert stats.latency_ms is None
    done = over(meter, last_ns + 40 * MS)
    assert done.latency_ms == 1250 + 32_000 + 40
    assert done.elapsed_s == done.latency_ms / 1e3
    assert done.decode_tps == stats.decode_tps
    assert done.rate_now_tps is None
    assert done.eta_s is None


@pytest.mark.parametrize(
    ("chunks", "gap_ms", "is_known"),
    [(7, 100, False), (8, 100, True), (8, 28, False), (9, 25, True), (2, 5000, False)],
)
def test_no_rate_from_too_little(chunks: int, gap_ms: float, is_known: bool) -> None:
    meter = Meter(T0)
    stats = over(meter, run(meter, 100, [gap_ms] * (chunks - 1)))
    assert (stats.decode_tps is not None) == is_known
    assert (stats.decode_source == "unknown") == (not is_known)
    if is_known:
        assert stats.decode_tps == pytest.approx(1000 / gap_ms)


def test_gaps_against_a_known_answer() -> None:
    """Type 7 of 10, 20, ... 100: the same as numpy.quantile gives."""
    meter = Meter(T0)
    stats = over(meter, run(meter, 100, [100, 10, 90, 20, 80, 30, 70, 40, 60, 50]))
    assert stats.itl_p50_ms == pytest.approx(55)
    assert stats.itl_p90_ms == pytest.approx(91)
    assert stats.itl_p99_ms == pytest.approx(99.1)
    assert stats.itl_max_ms == 100


def test_one_token_has_no_gap_and_two_have_one() -> None:
    meter = Meter(T0)
    run(meter, 100, [])
    assert meter.stats(T0 + 200 * MS, LIVE).itl_p50_ms is None
    meter.mark(T0 + 350 * MS, "text", 4, 1.0)
    stats = meter.stats(T0 + 400 * MS, LIVE)
    assert (stats.itl_p50_ms, stats.itl_p99_ms, stats.itl_max_ms) == (250, 250, 250)


def test_gap_of_nothing_is_a_gap() -> None:
    meter = Meter(T0)
    stats = over(meter, run(meter, 100, [0, 0, 300]))
    assert (stats.itl_p50_ms, stats.itl_max_ms) == (0, 300)


def test_a_clock_that_steps_back_gives_no_negative_gap() -> None:
    meter = Meter(T0)
    stats = over(meter, run(meter, 100, [50, -30, 40]))
    assert (stats.itl_p50_ms, stats.itl_max_ms) == (10, 50)
    assert min(b - a for a, b in pairwise(meter.stamps_ns)) == 0


# -- the rate of the moment ---------------------------------------------------------------------


def test_rate_now_follows_a_change_and_forgets_the_past() -> None:
    meter = Meter(T0)
    last_ns = run(meter, 100, [20] * 500)
    assert meter.stats(last_ns, LIVE).rate_now_tps == pytest.approx(50)
    for _ in range(9):
        last_ns += 400 * MS
        meter.mark(last_ns, "text", 4, 1.0)
    assert meter.stats(last_ns, LIVE).rate_now_tps == pytest.approx(2.5)
    assert meter.stats(last_ns, LIVE).decode_tps == pytest.approx(509 / 13.6)


def test_rate_now_of_a_very_slow_model() -> None:
    meter = Meter(T0)
    last_ns = run(meter, 100, [5000] * 20)
    assert meter.stats(last_ns + 6000 * MS, LIVE).rate_now_tps == pytest.approx(0.2)


def test_rate_now_goes_stale() -> None:
    meter = Meter(T0, max_tokens=100)
    last_ns = run(meter, 100, [100] * 50)
    assert meter.stats(last_ns + 2900 * MS, LIVE).rate_now_tps is not None
    stale = meter.stats(last_ns + 3100 * MS, LIVE)
    assert stale.rate_now_tps is None
    assert stale.decode_tps == pytest.approx(10)
    assert stale.eta_s == pytest.approx(4.9)


def test_rate_now_needs_three_chunks_and_a_tenth_of_a_second() -> None:
    meter = Meter(T0)
    last_ns = run(meter, 100, [320])
    assert meter.stats(last_ns, LIVE).rate_now_tps is None
    meter.mark(last_ns + 320 * MS, "text", 4, 1.0)
    assert meter.stats(last_ns + 320 * MS, LIVE).rate_now_tps == pytest.approx(3.125)
    meter = Meter(T0)
    assert meter.stats(run(meter, 100, [1] * 50), LIVE).rate_now_tps is None


# -- what a chunk is ----------------------------------------------------------------------------


def test_characters_are_not_tokens() -> None:
    meter = Meter(T0, "character")
    last_ns = run(meter, 100, [25] * 399, n_chars=1, weight=0.25)
    stats = meter.stats(last_ns, LIVE)
    assert (stats.chunks, stats.tokens, stats.tokens_source) == (400, 100, "estimated")
    assert stats.decode_tps == pytest.approx(99 / (399 * 0.025))
    assert stats.rate_now_tps == pytest.approx(10)
    assert stats.itl_p50_ms is None
    assert stats.rate_history_tps[5] == pytest.approx(10)


def test_a_whole_answer_in_one_chunk_is_not_one_token() -> None:
    meter = Meter(T0)
    meter.mark(T0 + 900 * MS, "text", 2000, 500.0)
    stats = over(meter, T0 + 910 * MS)
    assert (stats.chunks, stats.tokens, stats.tokens_source) == (1, 500, "estimated")
    assert stats.decode_tps is None
    assert stats.ttft_ms == 900


def test_one_long_token_is_still_one_token() -> None:
    meter = Meter(T0)
    meter.mark(T0 + 900 * MS, "text", 70, 17.5)
    assert meter.stats(T0 + 900 * MS, LIVE).tokens == 1


def test_an_unknown_server_that_sends_characters_is_found_out() -> None:
    meter = Meter(T0, "unknown")
    run(meter, 100, [10] * 99, n_chars=1, weight=0.25)
    stats = meter.stats(T0 + 2000 * MS, LIVE)
    assert stats.tokens == 25
    assert stats.itl_p50_ms is None
    known = Meter(T0, "token")
    run(known, 100, [10] * 99, n_chars=1, weight=0.25)
    assert known.stats(T0 + 2000 * MS, LIVE).tokens == 100


def test_everything_at_once_is_buffered_and_has_no_rate() -> None:
    meter = Meter(T0, prompt_tokens=30)
    stats = over(meter, run(meter, 5000, [0.01] * 199))
    assert stats.is_buffered
    assert stats.decode_tps is None
    assert (stats.itl_p50_ms, stats.itl_p99_ms, stats.itl_max_ms) == (None, None, None)
    # The first chunk came when the decoding was over.
    assert (stats.prefill_tps, stats.prefill_source) == (None, "unknown")
    assert "came all at once" in footer_line(stats, "complete")
    steady = Meter(T0)
    assert not over(steady, run(steady, 100, [5] * 199)).is_buffered


# -- what the server says -----------------------------------------------------------------------


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


# -- arrivals -----------------------------------------------------------------------------------


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


# -- forecasts ----------------------------------------------------------------------------------


def test_eta_ends_at_a_full_context() -> None:
    meter = Meter(T0, max_tokens=2048, context_tokens=400, prompt_tokens=300)
    stats = meter.stats(run(meter, 1000, [100] * 49), LIVE)
    assert stats.eta_s == pytest.approx(5)
    assert Meter(T0, max_tokens=10).stats(T0, LIVE).eta_s is None


def test_eta_never_falls_below_nothing() -> None:
    meter = Meter(T0, max_tokens=10)
    assert meter.stats(run(meter, 1000, [100] * 49), LIVE).eta_s == 0


# -- thinking -----------------------------------------------------------------------------------


def test_thinking_is_timed_and_counted() -> None:
    meter = Meter(T0)
    t_ns = run(meter, 1000, [100] * 37, kind="thinking")
    live = meter.stats(t_ns + 50 * MS, Phase.THINKING)
    assert live.thinking_s == pytest.approx(3.75)
    assert live.ttfot_ms is None
    meter.mark(t_ns + 100 * MS, None, 2, 0.5)
    meter.mark(t_ns + 200 * MS, "text", 4, 1.0)
    stats = meter.stats(t_ns + 9000 * MS, LIVE)
    assert stats.ttft_ms == 1000
    assert stats.ttfot_ms == 1000 + 3700 + 100
    assert stats.thinking_s == pytest.approx(3.8)
    assert (stats.thinking_tokens, stats.tokens) == (38, 40)


def test_chunks_of_unknown_kind_take_the_next_one() -> None:
    meter = Meter(T0)
    kinds: tuple[SegmentKind | None, ...] = (None, None, "thinking", "text")
    for offset_ms, kind in zip((1000, 1010, 1020, 1100), kinds, strict=True):
        meter.mark(T0 + offset_ms * MS, kind, 1, 0.25)
    stats = meter.stats(T0 + 1200 * MS, LIVE)
    assert (stats.ttft_ms, stats.ttfot_ms) == (1000, 1100)
    assert stats.thinking_s == pytest.approx(0.1)
    assert stats.thinking_tokens == 3


def test_reclassified_text_was_thinking() -> None:
    meter = Meter(T0)
    t_ns = run(meter, 1000, [100] * 20)
    meter.reclassify()
    meter.mark(t_ns + 300 * MS, "text", 4, 1.0)
    stats = meter.stats(t_ns + 5000 * MS, LIVE)
    assert stats.ttft_ms == 1000
    assert stats.ttfot_ms == 1000 + 2000 + 300
    assert stats.thinking_s == pytest.approx(2.3)
    assert (stats.thinking_tokens, stats.tokens) == (21, 22)


# -- our own lateness ---------------------------------------------------------------------------


def test_a_late_loop_marks_the_answer() -> None:
    meter = Meter(T0)
    meter.note_lag(20)
    assert not meter.stats(T0, LIVE).is_marked
    meter.note_lag(35)
    meter.note_lag(1)
    stats = meter.stats(T0, LIVE)
    assert stats.is_marked
    assert stats.max_lag_ms == 35


# -- silence ------------------------------------------------------------------------------------


def test_a_silence_is_told_once_it_is_far_longer_than_usual() -> None:
    meter = Meter(T0)
    assert meter.stats(T0 + 9000 * MS, LIVE).silent_s is None, "nothing has come yet"
    last_ns = run(meter, 100, [16] * 50)
    assert meter.stats(last_ns + 3000 * MS, LIVE).silent_s is None
    assert meter.stats(last_ns + 12_000 * MS, LIVE).silent_s == 12
    assert meter.stats(last_ns + 12_000 * MS, Phase.DONE).silent_s is None
    slow = Meter(T0)
    last_ns = run(slow, 100, [1000] * 20)
    assert slow.stats(last_ns + 8000 * MS, LIVE).silent_s is None
    assert slow.stats(last_ns + 8001 * MS, LIVE).silent_s == 8.001


# -- any stream ---------------------------------------------------------------------------------


@given(
    st.lists(st.integers(0, 10**12), min_size=1, max_size=80),
    st.sampled_from(["token", "character", "unknown"]),
    st.integers(0, 10**10),
)
def test_any_stream_against_the_formulae(
    gaps_ns: list[int], meaning: ChunkMeaning, later_ns: int
) -> None:
    meter = Meter(T0, meaning, max_tokens=50, context_tokens=100, prompt_tokens=5)
    stamps = [T0 + gaps_ns[0]]
    for gap_ns in gaps_ns[1:]:
        stamps.append(stamps[-1] + gap_ns)
    for t_ns in stamps:
        meter.mark(t_ns, "text", 3, 0.75)
    stats = meter.stats(stamps[-1] + later_ns, LIVE)
    count = len(stamps)
    assert stats.ttft_ms in (gaps_ns[0] / 1e6, (gaps_ns[0] + sum(gaps_ns[1:2])) / 1e6)
    assert stats.elapsed_s == pytest.approx((stamps[-1] + later_ns - T0) / 1e9)
    arrivals = [stamps[0]]
    for t_ns in stamps:
        if t_ns - arrivals[-1] >= ARRIVAL_NS:
            arrivals.append(t_ns)
    first = sum(t_ns - stamps[0] < ARRIVAL_NS for t_ns in stamps)
    is_leftover = stats.ttft_ms != gaps_ns[0] / 1e6
    if meaning != "character" and not is_leftover:
        assert stats.tokens == count
        is_single = count > 1 and len(arrivals) > 1 and (count <= 4 or len(arrivals) >= 0.8 * count)
        if is_single:
            between = gaps_ns[1:]
            assert stats.itl_max_ms == max(between) / 1e6
            assert stats.itl_p50_ms == pytest.approx(statistics.median(between) / 1e6)
        else:
            assert stats.itl_max_ms is None
        span_ns = arrivals[-1] - arrivals[0]
        if count >= 8 and span_ns >= 200 * MS:
            expected = Fraction((count - first) * 10**9, span_ns)
            assert stats.decode_tps == pytest.approx(float(expected))
        else:
            assert stats.decode_tps is None
    rates = stats.rate_history_tps
    assert len(rates) <= 120
    assert all(rate >= 0 for rate in rates)
