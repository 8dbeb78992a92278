"""Number formatting: fixed precision, with unit, en dash where there is no value.

``~`` marks an estimate. No function here ever writes 0 for what is not known.
"""

from __future__ import annotations

from tui.core.types import NumberSource

UNKNOWN = "–"


def marked(text: str, source: NumberSource) -> str:
    """``text`` with the mark of its source: ``~`` in front of an estimate, – for no number."""
    if source == "unknown":
        return UNKNOWN
    return f"~{text}" if source == "estimated" else text


def rate(rate_tps: float | None) -> str:
    """Tokens a second with three significant digits: 3.14, 15.6, 249."""
    if rate_tps is None:
        return UNKNOWN
    if rate_tps < 9.995:
        return f"{rate_tps:.2f}"
    return f"{rate_tps:.1f}" if rate_tps < 99.95 else f"{rate_tps:.0f}"


def seconds(value_s: float | None) -> str:
    """A measured duration: 1.25 s, 41.3 s, 4 min 18 s, 1 h 02 min."""
    if value_s is None:
        return UNKNOWN
    if value_s < 9.995:
        return f"{value_s:.2f} s"
    return f"{value_s:.1f} s" if value_s < 59.95 else long_seconds(value_s)


def long_seconds(value_s: float | None) -> str:
    """A duration without fractions, for clocks and forecasts: 12 s, 4 min 18 s, 1 h 02 min."""
    if value_s is None:
        return UNKNOWN
    whole = round(value_s)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def forecast_text(likely_s: float, low_s: float, high_s: float) -> str:
    """``~34 s (25 s to 44 s)``; one figure where both ends read alike."""
    low, high = long_seconds(low_s), long_seconds(high_s)
    return f"~{long_seconds(likely_s)}" + ("" if low == high else f" ({low} to {high})")


def clock(value_s: float | None) -> str:
    """A duration in the least room: 0:41, 4:18, 1:02:09."""
    if value_s is None:
        return UNKNOWN
    minutes, rest = divmod(round(value_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def milliseconds(value_ms: float | None) -> str:
    """A duration given in milliseconds: 341 ms below a second, seconds above."""
    if value_ms is None:
        return UNKNOWN
    if value_ms < 9.95:
        return f"{value_ms:.1f} ms"
    return f"{value_ms:.0f} ms" if value_ms < 999.5 else seconds(value_ms / 1000)


def gaps(p50_ms: float | None, p99_ms: float | None) -> str:
    """The usual and the longest but few gap between tokens: 318/341 ms."""
    if p50_ms is None or p99_ms is None:
        return UNKNOWN
    if p99_ms < 9.95:
        return f"{p50_ms:.1f}/{p99_ms:.1f} ms"
    if p99_ms < 9_999.5:
        return f"{p50_ms:.0f}/{p99_ms:.0f} ms"
    return f"{p50_ms / 1000:.1f}/{p99_ms / 1000:.0f} s"


def gib(value_bytes: float | None) -> str:
    """Bytes in GiB with one decimal, without the unit: 9.4."""
    return UNKNOWN if value_bytes is None else f"{value_bytes / 2**30:.1f}"


def size(value_bytes: float | None) -> str:
    """Bytes with the unit that fits: 52 MiB, 4.9 GiB."""
    if value_bytes is None:
        return UNKNOWN
    if value_bytes < 0.95 * 2**30:
        return f"{value_bytes / 2**20:.0f} MiB"
    return f"{value_bytes / 2**30:.1f} GiB"


def megahertz(value_hz: float | None) -> str:
    """A clock: 1000 MHz."""
    return UNKNOWN if value_hz is None else f"{value_hz / 1e6:.0f} MHz"


def percent(value_pct: float | None) -> str:
    """A share in whole per cent: 86 %."""
    return UNKNOWN if value_pct is None else f"{value_pct:.0f} %"


def celsius(value_c: float | None) -> str:
    """A temperature in whole degrees: 71 °C."""
    return UNKNOWN if value_c is None else f"{value_c:.0f} °C"
