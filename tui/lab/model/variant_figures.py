"""Figures of the variants of a run, and their text form."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tui.bench.model.metrics import metric
from tui.core.text.format import UNKNOWN


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """``count`` of ``n`` with the 95 % interval of the share (Wilson), in per cent."""

    count: int
    n: int
    pct: float | None = None
    low_pct: float | None = None
    high_pct: float | None = None


class Middle(msgspec.Struct, frozen=True, kw_only=True):
    """A median with its 95 % interval (bootstrap)."""

    n: int
    median: float | None = None
    low: float | None = None
    high: float | None = None
    is_estimated: bool = False


class Determinism(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement of repeated answers to the same prompt with greedy sampling."""

    same: Share
    """Repetitions that are identical to the first answer of their cell."""
    parts_at: Middle
    """Words and marks before the first difference, over the repetitions that differ."""


class VariantFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one variant."""

    variant: str
    planned: int
    answered: Share
    passed: Share
    """Answers whose checks all passed, of those with checks."""
    checks: Share
    """Single checks that passed, of those that apply."""
    tokens: Middle
    total_tokens: int | None
    decode_tps: Middle
    ttft_ms: Middle
    latency_ms: Middle
    determinism: Determinism | None = None
    preferred: Share | None = None
    """Judged pairs in which a person preferred this variant."""
    equal: int = 0
    """Number of judged pairs that a person called equally good."""
    opinion: Middle | None = None
    """Scores by the judge model, 1 to 5."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of two judging passes. ``same``: pairs with the same verdict in both. ``kappa``:
    Cohen's kappa (1960), which corrects for agreement by chance; None if undefined."""

    same: Share
    kappa: float | None


def share_text(found: Share) -> str:
    """``7/10, 70 % [40, 89]``; – if nothing was counted."""
    if found.pct is None:
        return UNKNOWN
    return f"{found.count}/{found.n}, {found.pct:.0f} % [{found.low_pct:.0f}, {found.high_pct:.0f}]"


def rate_text(found: Middle) -> str:
    """A median of rates in tok/s, with the digits that rates have everywhere."""
    return middle_text(found, metric("decode_tps").digits_of(found.median))


def middle_text(found: Middle, digits: int) -> str:
    """A median with its interval; ``~`` marks an estimate."""
    if found.median is None:
        return UNKNOWN
    shown = f"{'~' if found.is_estimated else ''}{found.median:.{digits}f}"
    if found.low is None or found.high is None:
        return shown
    return f"{shown} [{found.low:.{digits}f}, {found.high:.{digits}f}]"
