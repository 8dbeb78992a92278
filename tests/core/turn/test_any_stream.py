"""The numbers of any stream against their formulae, written down here once more."""

from __future__ import annotations

import statistics
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.core.turn.marks import MS, T0
from tui.core.turn.chunk_log import ChunkMeaning
from tui.core.turn.meter import Meter
from tui.core.types import Phase

TOGETHER_NS = 3 * MS


def arrivals_of(stamps: list[int]) -> list[list[int]]:
    """The chunks of each moment at which something came.

    What comes within 3 ms came together. Of 12 chunks and more half of whose gaps are at most 12 ms
    and at most a quarter of the mean gap, something held bursts back and let each go chunk by
    chunk: there a burst ends where the gap is the mean one or longer.
    """
    gaps = [after - before for before, after in pairwise(stamps)]
    together: list[list[int]] = []
    for t_ns in stamps:
        if together and t_ns - together[-1][0] < TOGETHER_NS:
            together[-1].append(t_ns)
        else:
            together.append([t_ns])
    if len(stamps) < 12:
        return together
    usual, mean = Fraction(statistics.median(gaps)), Fraction(sum(gaps), len(gaps))
    if usual > 12 * MS or 4 * usual > mean:
        return together
    bursts = [[stamps[0]]]
    for gap_ns, t_ns in zip(gaps, stamps[1:], strict=True):
        if gap_ns >= max(round(mean), TOGETHER_NS):
            bursts.append([])
        bursts[-1].append(t_ns)
    return bursts


def test_what_came_together() -> None:
    """The groups of this file, held against streams that a person has grouped."""
    assert arrivals_of([0, 2 * MS, 4 * MS, 9 * MS]) == [[0, 2 * MS], [4 * MS], [9 * MS]]
    trickled = [burst * 1000 * MS + at * 4 * MS for burst in range(3) for at in range(6)]
    assert arrivals_of(trickled) == [trickled[:6], trickled[6:12], trickled[12:]]
    steady = [at * 50 * MS for at in range(20)]
    assert arrivals_of(steady) == [[t_ns] for t_ns in steady]


@given(
    st.lists(st.integers(0, 10**12), min_size=1, max_size=80)
    | st.lists(st.sampled_from([0, MS, 3 * MS, 5 * MS, 12 * MS, 50 * MS, 1000 * MS]), min_size=1),
    st.sampled_from(["token", "character", "unknown"]),
    st.integers(0, 10**10),
)
@example([0] * 11 + [3 * MS, 197 * MS], "token", 0)
def test_any_stream_against_the_formulae(
    gaps_ns: list[int], meaning: ChunkMeaning, later_ns: int
) -> None:
    meter = Meter(T0, meaning, max_tokens=50, context_tokens=100, prompt_tokens=5)
    stamps = [T0 + gaps_ns[0]]
    for gap_ns in gaps_ns[1:]:
        stamps.append(stamps[-1] + gap_ns)
    for t_ns in stamps:
        meter.mark(t_ns, "text", 3, 0.75)
    stats = meter.stats(stamps[-1] + later_ns, Phase.ANSWERING)
    count = len(stamps)
    assert stats.ttft_ms in (gaps_ns[0] / 1e6, (gaps_ns[0] + sum(gaps_ns[1:2])) / 1e6)
    assert stats.elapsed_s == pytest.approx((stamps[-1] + later_ns - T0) / 1e9)
    arrivals = arrivals_of(stamps)
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
        span_ns = arrivals[-1][0] - arrivals[0][0]
        if count >= 8 and span_ns >= 200 * MS:
            expected = Fraction((count - len(arrivals[0])) * 10**9, span_ns)
            assert stats.decode_tps == pytest.approx(float(expected))
        else:
            assert stats.decode_tps is None
    rates = stats.rate_history_tps
    assert len(rates) <= 120
    assert all(rate >= 0 for rate in rates)
