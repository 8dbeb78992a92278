"""Theil-Sen regression: a line that is robust against outliers."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from tui.core.turn.order_statistics import quantile_of_sorted

_EXACT_PAIRS = 250_000


@dataclass(frozen=True, slots=True)
class Line:
    """y = intercept + slope * x, with the interval of the slope where there is one."""

    intercept: float
    slope: float
    slope_low: float | None
    slope_high: float | None
    n: int

    def at(self, x: float) -> float:
        return self.intercept + self.slope * x


def theil_sen(
    x: Sequence[float], y: Sequence[float], *, confidence: float = 0.95, seed: int = 0
) -> Line | None:
    """Line through the median of all pairwise slopes, with Sen's interval of the slope.

    None where fewer than two different x exist. Beyond 250,000 pairs a seeded sample of them is
    used. Sources: Theil 1950, Sen 1968.
    """
    if len(x) != len(y):
        raise ValueError("a line needs pairs")
    points = sorted(zip(_finite(x), _finite(y), strict=True))
    slopes = _slopes(points, seed)
    if not slopes:
        return None
    slopes.sort()
    slope = _at(slopes, 0.5)
    intercept = _at(sorted(value - slope * at for at, value in points), 0.5)
    n = len(points)
    if n < 4:
        return Line(intercept, slope, None, None, n)
    # Sen: the slope's rank varies as Kendall's S does.
    reach = _two_sided_z(confidence) * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    pairs = n * (n - 1) / 2
    tail = max(0.0, (1 - reach / pairs) / 2)
    return Line(intercept, slope, _at(slopes, tail), _at(slopes, 1 - tail), n)


def _slopes(points: Sequence[tuple[float, float]], seed: int) -> list[float]:
    n = len(points)
    if n * (n - 1) // 2 <= _EXACT_PAIRS:
        pairs = ((points[i], points[j]) for i in range(n) for j in range(i + 1, n))
    else:
        draw = random.Random(seed).sample
        pairs = ((p, q) for p, q in (sorted(draw(points, 2)) for _ in range(_EXACT_PAIRS)))
    return [(q[1] - p[1]) / (q[0] - p[0]) for p, q in pairs if q[0] != p[0]]


def _finite(values: Sequence[float]) -> list[float]:
    found = [float(value) for value in values]
    if not all(map(math.isfinite, found)):
        raise ValueError("a line needs finite numbers")
    return found


def _two_sided_z(confidence: float) -> float:
    # Here, because it takes time to load, and a start needs no line.
    from statistics import NormalDist

    return NormalDist().inv_cdf((1 + confidence) / 2)


def _at(ordered: Sequence[float], q: float) -> float:
    value = quantile_of_sorted(ordered, q)
    assert value is not None  # there is at least one slope
    return value
