"""Formats a reading with its unit."""

from __future__ import annotations

import math

from tui.core.board.reading import Reading
from tui.core.text import format as fmt
from tui.core.text.sanitize import clean


def value_text(reading: Reading) -> str:
    """The formatted value with its unit, and ``~`` where it is estimated."""
    mark = "~" if "estimated" in reading.flags else ""
    value = reading.value
    if isinstance(value, tuple):
        return mark + ", ".join(_one(item, reading.unit) for item in value)
    return mark + _one(value, reading.unit)


def _one(value: float | int | str | None, unit: str) -> str:
    if value is None:
        return fmt.UNKNOWN
    if isinstance(value, str):
        return clean(value, newlines=False)
    number = float(value)
    if not math.isfinite(number):
        return fmt.UNKNOWN
    if unit == "%":
        is_small = 0 < number < 10 and not number.is_integer()
        return f"{number:.1f} %" if is_small else fmt.percent(number)
    known = {"Hz": fmt.megahertz, "B": fmt.size, "°C": fmt.celsius}
    if unit in known:
        return known[unit](number)
    text = f"{number:.3f}" if unit == "V" else f"{number:g}"
    return f"{text} {unit}".rstrip()
