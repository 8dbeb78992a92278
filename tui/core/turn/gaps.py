"""Quantiles of the gaps between tokens: exact, and cheap while gaps keep coming."""

from __future__ import annotations

from array import array
from bisect import insort
from dataclasses import dataclass
from heapq import merge
from itertools import chain

from tui.core.turn.order_statistics import quantile_of_sorted

_REBUILD_SHARE = 16
_RUN = 1 << 16
"""So many gaps are sorted at once."""


@dataclass(frozen=True, slots=True)
class GapSummary:
    """Gaps between tokens in milliseconds (quantiles of type 7), each None where there are none."""

    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    max: float | None = None


class GapQuantiles:
    """Exact quantiles over a growing set of gaps, in nanoseconds.

    Adding is O(1). A question first sorts in what is new: a few gaps by insertion, many in one
    sort, so that asking four times a second costs microseconds at any length. Every gap is kept
    (8 bytes each), because a histogram would blur the largest ones, which matter most.
    """

    __slots__ = ("_new", "_sorted", "largest_ns")

    def __init__(self) -> None:
        self._sorted: array[int] = array("q")
        self._new: array[int] = array("q")
        self.largest_ns: int | None = None

    def __len__(self) -> int:
        return len(self._sorted) + len(self._new)

    def add(self, gap_ns: int) -> None:
        self._new.append(gap_ns)
        if self.largest_ns is None or gap_ns > self.largest_ns:
            self.largest_ns = gap_ns

    def quantile_ns(self, share: float) -> float | None:
        """The type 7 quantile, see :mod:`tui.core.turn.order_statistics`; None without gaps."""
        if self._new:
            self._sort_in()
        return quantile_of_sorted(self._sorted, share)

    def summary(self) -> GapSummary:
        """The usual quantiles in milliseconds."""
        p50, p90, p99, largest = (
            None if gap_ns is None else gap_ns / 1e6
            for gap_ns in (
                self.quantile_ns(0.5),
                self.quantile_ns(0.9),
                self.quantile_ns(0.99),
                self.largest_ns,
            )
        )
        return GapSummary(p50, p90, p99, largest)

    def _sort_in(self) -> None:
        new = self._new
        if len(new) * _REBUILD_SHARE <= len(self._sorted):
            for gap_ns in new:
                insort(self._sorted, gap_ns)
        elif len(self) <= _RUN:
            self._sorted = array("q", sorted(chain(self._sorted, new)))
        else:
            # A list of all of them would take five times their room.
            runs = (array("q", sorted(new[at : at + _RUN])) for at in range(0, len(new), _RUN))
            self._sorted = array("q", merge(self._sorted, *runs))
        self._new = array("q")
