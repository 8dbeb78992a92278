"""Parts of the bench screens: panels, rows that drop parts, forecasts, intervals."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from tui.bench.model.metrics import interval_digits
from tui.bench.model.screen import Span
from tui.core.text import format as fmt
from tui.widgets.kit.rows import Row, row_width


def parts_row(parts: Sequence[tuple[int, Row]], width: int) -> Row:
    """Parts side by side; whole ones are left out, highest order first, until the rest fits."""
    kept = list(parts)
    while len(kept) > 1 and sum(row_width(row) for _, row in kept) > width:
        kept.remove(max(kept, key=lambda part: part[0]))
    return tuple(span for _, row in kept for span in row)


def folded(text: str, width: int) -> list[str]:
    """A sentence in lines; never empty."""
    return textwrap.wrap(text, max(8, width)) or [""]


def number(value: float | None, digits: int, *, is_estimated: bool = False) -> str:
    """A value with fixed digits; ~ in front of an estimate, – where there is none."""
    if value is None:
        return fmt.UNKNOWN
    return f"{'~' if is_estimated else ''}{value:.{digits}f}"


def interval(pair: tuple[float, float] | None, digits: int) -> str:
    """Both ends of a confidence interval, with more digits where they would look alike."""
    if pair is None:
        return fmt.UNKNOWN
    digits = interval_digits(pair, digits)
    low, high = (round(value, digits) + 0.0 for value in pair)
    return f"{low:.{digits}f} to {high:.{digits}f}"


def short_seconds(value_s: float | None) -> str:
    """A forecast without seconds from ten minutes on: 42 s, 4 min 18 s, 34 min."""
    if value_s is None:
        return fmt.UNKNOWN
    if 600 <= value_s < 3570:
        return f"{round(value_s / 60)} min"
    return fmt.long_seconds(value_s)


def between(span: Span) -> str:
    """The ends of a forecast, with their unit once: 24 to 44 min. Empty where they are one."""
    if span.high_s >= 5400:
        low, high, unit = f"{span.low_s / 3600:.1f}", f"{span.high_s / 3600:.1f}", "h"
    elif span.high_s >= 120:
        low, high, unit = f"{span.low_s / 60:.0f}", f"{span.high_s / 60:.0f}", "min"
    else:
        low, high, unit = f"{span.low_s:.0f}", f"{span.high_s:.0f}", "s"
    return "" if low == high else f"{low} to {high} {unit}"
