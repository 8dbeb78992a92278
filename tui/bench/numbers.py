"""Numbers on their way into a record: finite, or not there."""

from __future__ import annotations

import math


def finite(value: float | None) -> float | None:
    """The value, or None where it is NaN or infinite."""
    return None if value is None or not math.isfinite(value) else float(value)


def ratio(top: float | None, bottom: float | None, scale: float = 1.0) -> float | None:
    """scale * top / bottom; None where a part is missing, the divisor is 0, or it overflows."""
    if top is None or bottom is None or bottom == 0:
        return None
    try:
        return finite(scale * top / bottom)
    except OverflowError:
        return None


def change_pct(before: float | None, after: float | None) -> float | None:
    """Change in per cent of ``before``; None at a baseline of zero."""
    if before is None or after is None:
        return None
    return ratio(after - before, abs(before), 100.0)
