"""Number and text formatting of reports: decimal points in every locale, – for no value."""

from __future__ import annotations

from tui.bench.model.metrics import metric
from tui.core.text.format import UNKNOWN
from tui.core.text.sanitize import clean

MAX_TEXT_CHARS = 1_000_000


def number(value: float | None, digits: int = 2) -> str:
    """Fixed digits, or – where there is no number."""
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def marked(text: str, source: str) -> str:
    """``~`` in front of a number that is only estimated."""
    return f"~{text}" if source == "estimated" and text != UNKNOWN else text


def figure(metric_id: str, value: float | None) -> str:
    """A metric with its own precision."""
    return number(value, metric(metric_id).digits)


def whole(value: float | None) -> str:
    """A count with separators: 12,263."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def interval(pair: tuple[float, float] | None, digits: int = 2) -> str:
    """A confidence interval in brackets."""
    return UNKNOWN if pair is None else f"[{pair[0]:.{digits}f}, {pair[1]:.{digits}f}]"


def line(text: str | None) -> str:
    """Foreign text in one harmless line."""
    return UNKNOWN if text is None else clean(text, newlines=False)


def block(text: str) -> str:
    """Foreign text of several lines, harmless and bounded."""
    kept = clean(text[:MAX_TEXT_CHARS])
    return kept if len(text) <= MAX_TEXT_CHARS else f"{kept}\n[cut after 1,000,000 characters]"


def minutes(seconds: float) -> str:
    """Seconds and minutes, as the board reports print a duration."""
    return f"{seconds:.1f} seconds ({seconds / 60:.1f} minutes)"
