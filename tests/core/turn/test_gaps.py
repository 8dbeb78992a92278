from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.core.turn.gaps import GapQuantiles, GapSummary
from tui.core.turn.order_statistics import quantile


def test_nothing_yet() -> None:
    gaps = GapQuantiles()
    assert len(gaps) == 0
    assert gaps.summary() == GapSummary(None, None, None, None)


@given(st.lists(st.lists(st.integers(0, 10**13), max_size=60), max_size=12))
def test_the_same_as_sorting_all_of_them_at_every_question(batches: list[list[int]]) -> None:
    gaps = GapQuantiles()
    seen: list[int] = []
    for batch in batches:
        for gap_ns in batch:
            gaps.add(gap_ns)
        seen += batch
        for share in (0, 0.5, 0.9, 0.99, 1):
            assert gaps.quantile_ns(share) == quantile(seen, share)
        assert len(gaps) == len(seen)
        assert gaps.largest_ns == max(seen, default=None)


def test_summary_is_in_milliseconds() -> None:
    gaps = GapQuantiles()
    for gap_ns in (1_000_000, 2_000_000, 3_000_000):
        gaps.add(gap_ns)
    assert gaps.summary() == GapSummary(p50=2.0, p90=2.8, p99=2.98, max=3.0)


def test_very_many_gaps_in_runs() -> None:
    gaps = GapQuantiles()
    seen = [(number * 7919) % 100_003 for number in range(150_000)]
    for at in (0, 100_000, 149_990):
        for gap_ns in seen[at : {0: 100_000, 100_000: 149_990}.get(at)]:
            gaps.add(gap_ns)
        gaps.summary()
    for share in (0, 0.5, 0.99, 1):
        assert gaps.quantile_ns(share) == quantile(seen, share)
