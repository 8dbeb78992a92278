"""Groups of gaps give the histograms that the gaps themselves would give."""

from __future__ import annotations

import json
from bisect import bisect_left
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.exporter.otlp import CHUNK_BUCKETS_S
from tui.exporter.request_metrics import GAP_BUCKETS_S
from tui.history.chunk_gaps import EDGES_NS, GapGroup, grouped_gaps, read_gaps

GAPS_NS = st.lists(
    st.one_of(st.integers(0, 20_000_000_000), st.sampled_from(EDGES_NS)), max_size=40
)


@pytest.mark.parametrize("bounds_s", [CHUNK_BUCKETS_S, GAP_BUCKETS_S])
@given(gaps_ns=GAPS_NS)
def test_a_histogram_of_the_groups_is_that_of_the_gaps(
    bounds_s: tuple[float, ...], gaps_ns: list[int]
) -> None:
    def counted(values_ns: list[int]) -> list[int]:
        counts = [0] * (len(bounds_s) + 1)
        for value_ns in values_ns:
            counts[bisect_left(bounds_s, value_ns / 1e9)] += 1
        return counts

    groups = grouped_gaps(list(accumulate(gaps_ns, initial=123)))
    values_ns = [mean_ns for count, mean_ns in groups for _ in range(count)]
    assert counted(values_ns) == counted(gaps_ns)
    assert sum(gaps_ns) - len(gaps_ns) <= sum(values_ns) <= sum(gaps_ns)
    assert read_gaps(json.loads(json.dumps(groups))) == groups


def test_times_that_fall_are_no_gap_and_few_times_have_none() -> None:
    assert grouped_gaps([]) == grouped_gaps([5]) == ()
    assert grouped_gaps([5, 3]) == (GapGroup(1, 0),)


@pytest.mark.parametrize(
    "stored", [None, 7, "text", [[1]], [[1, 2, 3]], [[0, 5]], [[-1, 5]], [["a", 5]], [[True, 5]],
               [[1 << 40, 5]], [5]]
)  # fmt: skip
def test_what_is_no_group_is_none(stored: object) -> None:
    assert read_gaps(stored) == ()
