from __future__ import annotations

from itertools import pairwise

import pytest

from tests.core.turn.marks import MS, T0, over, run
from tui.core.screen.footer import footer_line
from tui.core.turn.meter import Meter
from tui.core.types import Phase, SegmentKind

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
