"""Formats numbers and text for reports: decimal point in every locale, – without a value."""

from __future__ import annotations

from tui.bench.model.metrics import metric
from tui.core.text.format import UNKNOWN
from tui.core.text.sanitize import clean

MAX_TEXT_CHARS = 1_000_000


def number(value: float | None, digits: int = 2) -> str:
    """A number with fixed decimals; – for None."""
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def marked(text: str, source: str) -> str:
    """A formatted number, with ``~`` before it if its source is ``estimated``."""
    return f"~{text}" if source == "estimated" and text != UNKNOWN else text


def figure(metric_id: str, value: float | None) -> str:
    """A metric's value with the metric's number of decimals."""
    return number(value, metric(metric_id).digits)


def whole(value: float | None) -> str:
    """A count with thousands separators: 12,263."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def interval(pair: tuple[float, float] | None, digits: int = 2) -> str:
    """A confidence interval in brackets; – for None."""
    return UNKNOWN if pair is None else f"[{pair[0]:.{digits}f}, {pair[1]:.{digits}f}]"


def line(text: str | None) -> str:
    """Text from outside, sanitised, as one line; – for None."""
    return UNKNOWN if text is None else clean(text, newlines=False)


def block(text: str) -> str:
    """Text from outside, sanitised, of several lines and limited length."""
    kept = clean(text[:MAX_TEXT_CHARS])
    return kept if len(text) <= MAX_TEXT_CHARS else f"{kept}\n[cut after 1,000,000 characters]"


def minutes(seconds: float) -> str:
    """A duration in seconds and minutes."""
    return f"{seconds:.1f} seconds ({seconds / 60:.1f} minutes)"
