"""Gaps between the chunks of an answer, grouped for histograms.

The gaps that fall between two neighbours of :data:`EDGES_NS` become one group: how many they are,
and their mean. A histogram whose bounds are among these edges gets the same counts from the groups
as from the gaps themselves, and the same sum to a nanosecond a gap.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

EDGES_NS = tuple(
    ms * 1_000_000
    for ms in (10, 20, 25, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1_000, 2_000, 2_500, 5_000,
               10_000)
)  # fmt: skip
"""Inclusive upper bounds of the groups; longer gaps are one more group."""


class GapGroup(NamedTuple):
    """``n_gaps`` gaps of ``mean_ns`` on the average, all between the same two edges."""

    n_gaps: int
    mean_ns: int


def grouped_gaps(times_ns: Sequence[int]) -> tuple[GapGroup, ...]:
    """The gaps between these times, the shortest first. One that falls counts as no gap."""
    counts = [0] * (len(EDGES_NS) + 1)
    sums_ns = [0] * len(counts)
    for before, after in pairwise(times_ns):
        gap_ns = max(after - before, 0)
        place = bisect_left(EDGES_NS, gap_ns)
        counts[place] += 1
        sums_ns[place] += gap_ns
    # Rounded down, so that a mean stays between its edges.
    return tuple(
        GapGroup(count, total_ns // count)
        for count, total_ns in zip(counts, sums_ns, strict=True)
        if count
    )


def read_gaps(value: object) -> tuple[GapGroup, ...]:
    """The groups as they were stored, in JSON; none where these are no groups."""
    rows = value if isinstance(value, list | tuple) else ()
    return tuple(GapGroup(*row) for row in rows if _is_group(row))


def _is_group(row: object) -> bool:
    return (
        isinstance(row, list | tuple)
        and len(row) == 2
        and all(isinstance(n, int) and not isinstance(n, bool) for n in row)
        and 0 < row[0] < 1 << 31
        and 0 <= row[1] < 1 << 60
    )
