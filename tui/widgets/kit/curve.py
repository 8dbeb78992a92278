"""One curve of a timeline as cells: the mean of each column as a line, its range behind it.

A cell has two columns and four rows of dots (braille); in ASCII one column, and a character says
what stands in it. What was drawn is kept, and only columns that changed are drawn again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tui.timeline.binning import Bin, BinnedSeries
from tui.timeline.series import SeriesSpec
from tui.widgets.kit.bars import BRAILLE, LEFT_DOTS, RIGHT_DOTS, heat
from tui.widgets.kit.rows import Span

DOTS = 4
CLIP_SHARE = 2.0
NOISE_SHARE = 0.2
"""A curve whose values differ by less than this share of them is drawn nearly flat."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The values at the bottom and the top of a chart."""

    low: float
    high: float


def limits_of(spec: SeriesSpec, binned: Sequence[BinnedSeries]) -> Limits:
    """A scale with round ends that holds the means of all columns; a value far above all others
    does not make the rest flat."""
    if spec.top is not None:
        return Limits(0.0, spec.top)
    means = sorted(
        mean
        for one in binned
        for mean in (one.at(place).mean for place in range(one.axis.count))
        if mean is not None and math.isfinite(mean)
    )
    if not means:
        return Limits(0.0, 1.0)
    low, high = means[0], means[-1]
    usual = means[int(0.95 * (len(means) - 1))]
    high = min(high, max(CLIP_SHARE * usual, usual + spec.least_span))
    low = min(low, high)
    span = max(high - low, spec.least_span, NOISE_SHARE * abs(high))
    missing = span - (high - low)
    # The room above a steady curve is as large as that below it.
    low, high = low - missing / 2, high + missing / 2
    if means[0] >= 0:
        high += max(-low, 0.0)
        low = max(low, 0.0)
    step = _round_step(span / 4)
    if not math.isfinite(step) or step <= 0 or not math.isfinite(high / step):
        return Limits(low, high if high > low else low + 1.0)
    return Limits(math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step)


def _round_step(value: float) -> float:
    if not 1e-300 < value < math.inf:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((m * power for m in (1, 2, 5) if m * power >= value), 10 * power)


class CurveCells:
    """The cells of one chart: ``binned`` are its curves (the cores of an NPU are one chart),
    ``others`` those of the answer that it is compared with."""

    def __init__(
        self,
        spec: SeriesSpec,
        binned: Sequence[BinnedSeries],
        others: Sequence[BinnedSeries],
        height: int,
        width: int,
        *,
        is_ascii: bool,
        limits: Limits | None = None,
        role: str | None = None,
    ) -> None:
        """``limits`` is a scale that does not follow the curves, ``role`` that of their line."""
        self.spec = spec
        self._fixed, self._role_of_line = limits, role
        self.binned = binned
        self.others = others
        self.height = height
        self.limits = limits or Limits(math.nan, math.nan)
        """Those of the curves are set by the first update."""
        self._is_ascii = is_ascii
        self._per_cell = 1 if is_ascii else 2
        self._steps = height if is_ascii else height * DOTS
        self.width = width
        self.columns: list[tuple[Span, ...]] = [()] * self.width
        """For each cell its spans, from the top down."""
        self.draws = 0
        """Columns that were drawn so far: the cost."""

    def update(self) -> None:
        """Take what is new and draw the columns that it changes."""
        curves = (*self.binned, *self.others)
        cells = self.width * self._per_cell
        first, after = min((one.update() for one in curves), default=cells), cells
        if self.draws and first >= cells:
            return
        limits = self._fixed or limits_of(self.spec, curves)
        if limits != self.limits or not self.draws:
            # Other curves may have been brought up to date before.
            self.limits, first = limits, 0
        else:
            after = min(max((one.last_bin for one in curves), default=-1) + 1, cells)
        for x in range(first // self._per_cell, -(-after // self._per_cell)):
            self.columns[x] = self._column(x)
            self.draws += 1

    def at(self, x: int, *, of_other: bool = False) -> Bin:
        """Least, largest and mean value of a cell, over all its curves."""
        start = x * self._per_cell
        curves = self.others if of_other else self.binned
        return _joined([self._bin(curves, start + n) for n in range(self._per_cell)])

    def _bin(self, curves: Sequence[BinnedSeries], place: int) -> Bin:
        if len(curves) == 1:
            return curves[0].at(place)
        return _joined([curve.at(place) for curve in curves])

    def _step(self, value: float) -> int:
        """The row of dots of a value, the lowest is 0."""
        low, high = self.limits.low, self.limits.high
        share = (value - low) / (high - low) if high > low else 0.0
        # Not a number where both are endless.
        share = min(max(share, 0.0), 1.0) if share == share else 0.0
        return round(share * (self._steps - 1))

    def row_of(self, value: float) -> int | None:
        """The row from the top in which that value is drawn; None outside of the scale."""
        if not self.limits.low <= value <= self.limits.high:
            return None
        step = self._step(value)
        return self.height - 1 - (step if self._is_ascii else step // DOTS)

    def _column(self, x: int) -> tuple[Span, ...]:
        lines = [0] * self.height
        ranges = [0] * self.height
        role = "dim"
        for side in range(self._per_cell):
            place = x * self._per_cell + side
            bits = LEFT_DOTS if side == 0 else RIGHT_DOTS
            found = self._bin(self.binned, place)
            if found.mean is not None and found.low is not None and found.high is not None:
                role = self._role_of_line or self._role(found.mean)
                self._fill(ranges, self._step(found.low), self._step(found.high), bits)
                middle = self._step(found.mean)
                before = self._bin(self.binned, place - 1).mean if place else None
                start = middle if before is None else self._step(before)
                self._fill(lines, min(start, middle), max(start, middle), bits)
            if self.others and (self._is_ascii or side == 0):
                other = self._bin(self.others, place).mean
                if other is not None:
                    step = self._step(other)
                    self._fill(ranges, step, step, bits)
        if self._is_ascii:
            return tuple(_ascii(line, dim, role) for line, dim in zip(lines, ranges, strict=True))
        return tuple(
            (chr(BRAILLE + (line | dim)), role if line else "rule") if line | dim else (" ", "dim")
            for line, dim in zip(lines, ranges, strict=True)
        )

    def _fill(self, rows: list[int], low: int, high: int, bits: tuple[int, ...]) -> None:
        for step in range(low, high + 1):
            row, dot = (step, 0) if self._is_ascii else divmod(step, DOTS)
            rows[self.height - 1 - row] |= bits[dot]

    def _role(self, value: float) -> str:
        if self.spec.name == "rate":
            return "live"
        if self.spec.unit == "°C":
            role, word = heat(value)
            return role if word else "soft"
        return "soft"


def _ascii(line: int, dim: int, role: str) -> Span:
    return ("*", role) if line else (":", "rule") if dim else (" ", "dim")


def _joined(bins: Sequence[Bin]) -> Bin:
    """Several bins as one."""
    known = [one for one in bins if one.mean is not None]
    if not known:
        return Bin()
    return Bin(
        min(one.low for one in known if one.low is not None),
        max(one.high for one in known if one.high is not None),
        sum(one.mean for one in known if one.mean is not None) / len(known),
    )
