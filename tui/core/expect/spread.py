"""An expected value with its spread, as it follows from earlier ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tui.core.turn.order_statistics import quantile_of_sorted

MIN_FOR_QUANTILES = 5
"""Of fewer values the least and the greatest are given."""


@dataclass(frozen=True, slots=True)
class Spread:
    """``likely`` is the median; eight of ten lie between ``low`` and ``high``, which are None where
    too little was seen. ``n`` earlier values stand behind it."""

    likely: float
    low: float | None = None
    high: float | None = None
    n: int = 0
    is_at_most: bool = False
    """It may well be less: ``likely`` is an upper limit."""

    def scaled(self, factor: float) -> Spread:
        """All of it, times ``factor``."""
        return Spread(
            self.likely * factor,
            None if self.low is None else self.low * factor,
            None if self.high is None else self.high * factor,
            self.n,
            self.is_at_most,
        )


def middle_of(values: Iterable[float]) -> float:
    """The median. Raises ValueError for no values."""
    middle = quantile_of_sorted(sorted(values), 0.5)
    if middle is None:
        raise ValueError("nothing has no middle")
    return middle


def spread_of(values: Sequence[float]) -> Spread | None:
    """Median and the middle eight tenths (all of them, of fewer than five); None of nothing. One
    value has no spread."""
    ordered = sorted(values)
    middle = quantile_of_sorted(ordered, 0.5)
    if middle is None:
        return None
    if len(ordered) == 1:
        return Spread(middle, n=1)
    if len(ordered) < MIN_FOR_QUANTILES:
        return Spread(middle, ordered[0], ordered[-1], len(ordered))
    low, high = quantile_of_sorted(ordered, 0.1), quantile_of_sorted(ordered, 0.9)
    return Spread(middle, low, high, len(ordered))
