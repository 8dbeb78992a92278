"""Groups chunks that arrived together, however a proxy has cut or joined them.

Tokens of the first arrival were made before it: they do not belong to the time after it. With n1
of N tokens in the first arrival at t1, and the last arrival at tN, the rate is
``(N - n1) / (tN - t1)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

ARRIVAL_NS = 3_000_000
"""What comes within this time came together."""
BURST_CHUNKS = 4
"""So many chunks that came together were held back by something."""


SINGLE_SHARE = 0.8
"""The least share of chunks that came by themselves, for gaps between them to mean something."""


MIN_SPREAD_CHUNKS = 12
SPREAD_GAP_NS = 12_000_000
SPREAD_FACTOR = 4
"""A burst that is spread: half of the gaps are shorter than 12 ms, and than a quarter of the mean.
No pause of a model leaves such gaps: something held its tokens back and let them go one by one."""


def _spread_ns(stamps_ns: Sequence[int], median_gap_ns: float | None) -> int | None:
    """The shortest gap between two bursts of chunks that were let go one by one; None where chunks
    come as they are made, or all of a burst at once."""
    if len(stamps_ns) < MIN_SPREAD_CHUNKS or median_gap_ns is None:
        return None
    mean_ns = (stamps_ns[-1] - stamps_ns[0]) / (len(stamps_ns) - 1)
    if median_gap_ns > SPREAD_GAP_NS or median_gap_ns * SPREAD_FACTOR > mean_ns:
        return None
    return round(max(mean_ns, ARRIVAL_NS))


def arrivals_of(stamps_ns: Sequence[int]) -> Arrivals:
    """The chunks of these times by the moment at which they came; all weigh 1."""
    plain = _grouped(stamps_ns, None)
    if len(stamps_ns) < MIN_SPREAD_CHUNKS:
        return plain
    middle_ns = median(after - before for before, after in pairwise(stamps_ns))
    return with_spread(plain, stamps_ns, middle_ns)


def with_spread(plain: Arrivals, stamps_ns: Sequence[int], median_gap_ns: float | None) -> Arrivals:
    """``plain`` of these chunks, or their bursts where those were let go chunk by chunk."""
    apart_ns = _spread_ns(stamps_ns, median_gap_ns)
    if apart_ns is None:
        return plain
    found = _grouped(stamps_ns, apart_ns)
    return plain if found.count == plain.count else found


def _grouped(stamps_ns: Sequence[int], apart_ns: int | None) -> Arrivals:
    """The chunks by the moment at which they came, with bursts at least ``apart_ns`` from each
    other; None: of chunks that came together."""
    arrivals = Arrivals(is_spread=apart_ns is not None)
    before_ns: int | None = None
    for t_ns in stamps_ns:
        if apart_ns is None or before_ns is None:
            arrivals.add(t_ns, 1.0)
        else:
            arrivals.add(t_ns, 1.0, is_new=t_ns - before_ns >= apart_ns)
        before_ns = t_ns
    return arrivals


def arrive_in_bursts(stamps_ns: Sequence[int]) -> bool:
    """Whether gaps between these chunks say nothing about gaps between tokens."""
    arrivals = arrivals_of(stamps_ns)
    return len(stamps_ns) > BURST_CHUNKS and arrivals.count < SINGLE_SHARE * len(stamps_ns)


@dataclass(slots=True)
class Arrivals:
    """Running counts of one answer; O(1) for a chunk."""

    count: int = 0
    first_chunks: int = 0
    first_weight: float = 0.0
    """Estimated tokens of the first arrival."""
    first_ns: int = 0
    second_ns: int | None = None
    last_ns: int = 0
    """When the last arrival began."""
    most_weight: float = 0.0
    """Estimated tokens of the largest chunk."""
    is_spread: bool = False
    """Whether these are bursts whose chunks were let go one by one."""

    def add(self, t_ns: int, weight: float, *, is_new: bool | None = None) -> None:
        """One chunk at ``t_ns``, not before the one before it. ``is_new``: whether an arrival
        begins with it; None: by the time since the last one began."""
        if weight > self.most_weight:
            self.most_weight = weight
        if is_new is None:
            is_new = t_ns - self.last_ns >= ARRIVAL_NS
        if not self.count or is_new:
            self.count += 1
            self.last_ns = t_ns
            if self.count == 1:
                self.first_ns = t_ns
            elif self.count == 2:
                self.second_ns = t_ns
        if self.count == 1:
            self.first_chunks += 1
            self.first_weight += weight

    @property
    def span_ns(self) -> int:
        """From the first arrival to the last."""
        return self.last_ns - self.first_ns

    @property
    def is_first_burst(self) -> bool:
        """Whether the first tokens came together, so that the first one is older than they are."""
        return self.first_chunks >= BURST_CHUNKS
