"""Bins curves into columns: minimum, maximum and mean of each.

The bins lie at fixed times, and what comes later is added to the last ones: a curve that grows
costs what is new.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tui.timeline.record import Series
from tui.timeline.series import GAP, RATE

MANY = 4
"""From this many new points per bin on, points are added bin by bin."""
HOLD_NS = 5_000_000_000
"""Longest time for which a reading holds."""


class Bin(NamedTuple):
    """Least, largest and mean value; all None where there is none."""

    low: float | None = None
    high: float | None = None
    mean: float | None = None


EMPTY = Bin()


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """``count`` bins of ``bin_ns``, the first one from ``start_ns`` on."""

    start_ns: int
    bin_ns: int
    count: int

    @property
    def end_ns(self) -> int:
        """Where the last bin ends."""
        return self.start_ns + self.bin_ns * self.count

    def bin_of(self, t_ns: int) -> int:
        """The bin of that moment; below 0 or from ``count`` on where it is not on the axis."""
        return (t_ns - self.start_ns) // self.bin_ns

    def time_of(self, place: int) -> int:
        """Where that bin begins."""
        return self.start_ns + place * self.bin_ns


def axis_of(start_ns: int, end_ns: int, count: int) -> TimeAxis:
    """The axis of ``count`` bins that just holds both times."""
    count = max(count, 1)
    return TimeAxis(start_ns, max(-(-(end_ns - start_ns + 1) // count), 1), count)


class BinnedSeries:
    """One curve on an axis. ``place_of`` gives where a time stands on it, where that is not the
    time itself (an axis of tokens); it must not fall. A reading holds for ``hold_ns`` at most."""

    __slots__ = ("_highs", "_hold_ns", "_is_ahead", "_last", "_lows", "_next", "_place_of", "_sums",
                 "_weights", "axis", "series")  # fmt: skip

    def __init__(
        self,
        axis: TimeAxis,
        series: Series,
        place_of: Callable[[int], int] | None = None,
        hold_ns: int = HOLD_NS,
    ) -> None:
        self.axis = axis
        self._hold_ns = hold_ns
        self.series = series
        self._place_of = place_of
        # A gap is known at its end, and so is a rate: they are those of the time before.
        self._is_ahead = series.name in (RATE, GAP)
        self._lows = array("d", [math.inf]) * axis.count
        self._highs = array("d", [-math.inf]) * axis.count
        self._sums = array("d", [0.0]) * axis.count
        self._weights = array("q", [0]) * axis.count
        self._last: tuple[int, int, float] | None = None
        """Time, bin and value of the last point."""
        self._next = 0 if place_of is not None else self._first_point()

    def _first_point(self) -> int:
        """The last point before the axis: its value may hold into it."""
        return max(bisect_left(self.series.times_ns, self.axis.start_ns) - 1, 0)

    def update(self) -> int:
        """Adds the new points of the series. Returns the first changed bin, or the number of bins
        where none changed.
        """
        end = len(self.series.values)
        if self._place_of is None and end - self._next > MANY * self.axis.count:
            return self._take_whole_bins(end)
        return self._take(end)

    def _take_whole_bins(self, end: int) -> int:
        """As :meth:`_take`, for many points: the points of one bin are added at once."""
        times, values, axis = self.series.times_ns, self.series.values, self.axis
        first = axis.count
        while self._next < end:
            number = self._next
            place = axis.bin_of(times[number])
            if place >= axis.count:
                break
            after = bisect_left(times, axis.time_of(place + 1), number, end)
            points = values[number:after]
            total = sum(points)
            if place < 0 or not math.isfinite(total):
                first = min(first, self._take(after))
                continue
            if self._last is not None and place - self._last[1] > 1:
                first = min(first, self._hold_until(times[number], place, points[0]))
            self._lows[place] = min(self._lows[place], min(points))
            self._highs[place] = max(self._highs[place], max(points))
            self._sums[place] += total
            self._weights[place] += after - number
            self._last = (times[after - 1], place, points[-1])
            self._next = after
            first = min(first, place)
        return min(first, self._take(end))

    def _take(self, end: int) -> int:
        """Takes the points before number ``end``, one after the other."""
        times, values = self.series.times_ns, self.series.values
        start_ns, bin_ns, count = self.axis.start_ns, self.axis.bin_ns, self.axis.count
        first, place_of = count, self._place_of
        lows, highs, sums, weights = self._lows, self._highs, self._sums, self._weights
        for number in range(self._next, end):
            t_ns, value = times[number], values[number]
            x = t_ns if place_of is None else place_of(t_ns)
            place = (x - start_ns) // bin_ns
            if place >= count and self._last is not None and self._last[1] >= count:
                end = number
                break
            if value != value:
                self._last = None
                continue
            if self._last is not None and place - self._last[1] > 1:
                first = min(first, self._hold_until(t_ns, place, value))
            if 0 <= place < count:
                # In line, for an answer of 16,384 tokens may come by here.
                if value < lows[place]:
                    lows[place] = value
                if value > highs[place]:
                    highs[place] = value
                sums[place] += value
                weights[place] += 1
                if place < first:
                    first = place
            self._last = (t_ns, place, value)
        self._next = end
        return max(first, 0)

    def _hold_until(self, t_ns: int, place: int, value: float) -> int:
        """Fills the bins between the last point and this one. Returns the first of them."""
        count = self.axis.count
        if self._last is None:
            return count
        last_ns, last_place, last_value = self._last
        if place - last_place <= 1 or (not self._is_ahead and t_ns - last_ns > self._hold_ns):
            return count
        first, after = max(last_place + 1, 0), min(place, count)
        held = value if self._is_ahead else last_value
        for between in range(first, after):
            if not self._weights[between]:
                self._put(between, held)
        return first

    def _put(self, place: int, value: float) -> None:
        if value < self._lows[place]:
            self._lows[place] = value
        if value > self._highs[place]:
            self._highs[place] = value
        self._sums[place] += value
        self._weights[place] += 1

    @property
    def last_bin(self) -> int:
        """The bin of the last point that was taken; none beyond it has a value. -1 before that."""
        if not self._next:
            return -1
        t_ns = self.series.times_ns[self._next - 1]
        return self.axis.bin_of(t_ns if self._place_of is None else self._place_of(t_ns))

    def at(self, place: int) -> Bin:
        """The values of one bin."""
        weight = self._weights[place] if 0 <= place < self.axis.count else 0
        if not weight:
            return EMPTY
        low, high = self._lows[place], self._highs[place]
        mean = self._sums[place] / weight
        return Bin(low, high, min(max(mean, low), high) if mean == mean else low)

    def limits(self) -> tuple[float, float] | None:
        """The least and the largest value on the axis; None where there is none."""
        low = min(self._lows, default=math.inf)
        high = max(self._highs, default=-math.inf)
        return (low, high) if low <= high else None


TOKEN_STEPS = 1024
"""Steps of an axis of tokens between one token and the next."""


def token_place(times_ns: Sequence[int]) -> Callable[[int], int]:
    """Where a time stands on an axis of tokens: the number of the token before it times
    :data:`TOKEN_STEPS`, and the share of the time to the next one. Times before the first token
    are below 0."""

    def place_of(t_ns: int) -> int:
        number = bisect_left(times_ns, t_ns)
        if not times_ns or (number == 0 and t_ns < times_ns[0]):
            return -1
        if number == len(times_ns):
            return (number - 1) * TOKEN_STEPS
        if times_ns[number] == t_ns:
            return number * TOKEN_STEPS
        before_ns, after_ns = times_ns[number - 1], times_ns[number]
        share = (t_ns - before_ns) * TOKEN_STEPS // (after_ns - before_ns)
        return (number - 1) * TOKEN_STEPS + share

    return place_of
