"""One time axis for several charts: bins that stand still while time goes on.

The bins lie at fixed times and the last one is the last that is complete. So a chart changes once a
bin, not once a sample, and what changes is what is new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.core.board.answer_log import AnswerMark
from tui.core.board.history import Point

LEAST_BIN_NS = 1_000_000_000
"""The board is sampled once a second: narrower bins would only be gaps."""
GAP_NS = 10_000_000_000
"""No line is drawn over a longer time without a sample."""


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """``n_bins`` bins of ``bin_ns``, beginning with number ``first`` since time 0."""

    first: int
    n_bins: int
    bin_ns: int

    @property
    def since_ns(self) -> int:
        """Where the axis begins."""
        return self.first * self.bin_ns

    @property
    def span(self) -> tuple[float, float]:
        """The edges of the axis, in bins."""
        return -0.5, self.n_bins - 0.5

    def stretches(self, points: Sequence[Point]) -> list[list[tuple[float, float]]]:
        """The points as means per bin, one list for each stretch without a gap."""
        found: list[dict[int, list[float]]] = []
        last_ns: int | None = None
        longest_ns = max(GAP_NS, 2 * self.bin_ns)
        bin_ns, first = self.bin_ns, self.first
        for t_ns, value in points:
            at = t_ns // bin_ns - first
            if value is None:
                last_ns = None
            elif 0 <= at < self.n_bins:
                if last_ns is None or t_ns - last_ns > longest_ns:
                    found.append({})
                found[-1].setdefault(at, []).append(value)
                last_ns = t_ns
        return [[(float(at), sum(some) / len(some)) for at, some in bins.items()] for bins in found]

    def lines(self, points: Sequence[Point]) -> list[tuple[tuple[float, float], ...]]:
        """The stretches as the fewest points that give the same lines."""
        return [_without_repeats(stretch) for stretch in self.stretches(points)]

    def per_column(self, points: Sequence[Point], cells: int) -> list[float | None]:
        """The mean of each column of a row of ``cells``; None where nothing was read."""
        means = dict(point for stretch in self.stretches(points) for point in stretch)
        found: list[float | None] = []
        for column in range(cells):
            first = column * self.n_bins // cells
            after = max(first + 1, (column + 1) * self.n_bins // cells)
            some = [means[at] for at in range(first, after) if at in means]
            found.append(sum(some) / len(some) if some else None)
        return found

    def columns(self, mark: AnswerMark, cells: int) -> range:
        """The columns of a canvas of ``cells`` that the answer touches; empty outside."""
        start = mark.start_ns // self.bin_ns - self.first
        end = mark.end_ns // self.bin_ns - self.first
        if end < 0 or start >= self.n_bins:
            return range(0)
        left = max(start, 0) * cells // self.n_bins
        right = min(end, self.n_bins - 1) * cells // self.n_bins
        return range(left, right + 1)


def time_axis(now_ns: int, window_ns: int, dots: int) -> TimeAxis:
    """The axis that ends at ``now_ns`` and covers ``window_ns`` with at most ``dots`` bins."""
    bin_ns = max(LEAST_BIN_NS, -(-window_ns // max(dots, 1)))
    n_bins = max(2, window_ns // bin_ns)
    return TimeAxis(now_ns // bin_ns - n_bins, n_bins, bin_ns)


def _without_repeats(points: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Without what lies on a level between two neighbours: the line is the same, and cheaper."""
    kept = [
        point
        for number, point in enumerate(points)
        if number in (0, len(points) - 1)
        or not points[number - 1][1] == point[1] == points[number + 1][1]
    ]
    return tuple(kept)
