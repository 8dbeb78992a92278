"""Order statistics: plain, exact, and None instead of a number that does not exist.

Values must be finite; NaN has no place in an order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def quantile_of_sorted(ordered: Sequence[float], share: float) -> float | None:
    """The quantile of values in ascending order, None where there are none.

    Type 7 of Hyndman and Fan (1996), "Sample Quantiles in Statistical Packages", The American
    Statistician 50(4): linear between the two order statistics around ``(n - 1) * share``. The
    same rule as ``numpy.quantile`` by default. ``share`` outside 0..1 raises ValueError.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"a quantile lies between 0 and 1, not at {share}")
    if not ordered:
        return None
    position = (len(ordered) - 1) * share
    below = int(position)
    low = ordered[below]
    if below + 1 >= len(ordered):
        return float(low)
    return low + (ordered[below + 1] - low) * (position - below)


def quantile(values: Iterable[float], share: float) -> float | None:
    """:func:`quantile_of_sorted` for values in any order."""
    return quantile_of_sorted(sorted(values), share)


def median(values: Iterable[float]) -> float | None:
    """The middle value, or the mean of the two in the middle; None where there are none."""
    return quantile(values, 0.5)


def median_absolute_deviation(values: Iterable[float]) -> float | None:
    """The median distance from the median, not scaled; None where there are no values."""
    kept = list(values)
    centre = median(kept)
    if centre is None:
        return None
    return median(abs(value - centre) for value in kept)
