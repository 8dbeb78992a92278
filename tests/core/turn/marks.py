"""Marks for a meter, from gaps in milliseconds."""

from __future__ import annotations

from collections.abc import Iterable

from tui.core.turn.meter import Meter
from tui.core.turn.turn_stats import TurnStats
from tui.core.types import Phase, SegmentKind

MS = 1_000_000
T0 = 5_000_000_000_000
"""When the request was sent."""


def run(
    meter: Meter,
    first_ms: float,
    gaps_ms: Iterable[float],
    kind: SegmentKind | None = "text",
    n_chars: int = 4,
    weight: float = 1.0,
) -> int:
    """Marks a first chunk and one after each gap; returns the time of the last."""
    t_ns = meter.t0_ns + round(first_ms * MS)
    meter.mark(t_ns, kind, n_chars, weight)
    for gap_ms in gaps_ms:
        t_ns += round(gap_ms * MS)
        meter.mark(t_ns, kind, n_chars, weight)
    return t_ns


def over(meter: Meter, t_ns: int) -> TurnStats:
    """The numbers of an answer that ended at ``t_ns``."""
    meter.end(t_ns)
    return meter.stats(t_ns + 10**12, Phase.DONE)
