"""Figures of the variants of a run, and how they are written."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

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
    """The same words asked several times at temperature 0: how many answers were the same."""

    same: Share
    """Repetitions that are identical to the first answer of their cell."""
    parts_at: Middle
    """Words and marks up to the first difference, of those that differ."""


class VariantFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One column of the matrix in figures."""

    variant: str
    planned: int
    answered: Share
    passed: Share
    """Answers whose checks all passed, of those that have any."""
    checks: Share
    """Single checks that passed, of those that apply."""
    tokens: Middle
    total_tokens: int | None
    decode_tps: Middle
    ttft_ms: Middle
    latency_ms: Middle
    determinism: Determinism | None = None
    preferred: Share | None = None
    """Pairs in which a person preferred it, of those that were judged with it."""
    equal: int = 0
    """Pairs of those that a person called the same."""
    opinion: Middle | None = None
    """Scores of the judge model, 1 to 5: an opinion."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two judging passes agree: ``same`` of the pairs that both judged, and Cohen's kappa
    (1960), which takes off what chance alone would give; None where it is not defined."""

    same: Share
    kappa: float | None


def share_text(found: Share) -> str:
    """``7/10, 70 % [40, 89]``; – where nothing was counted."""
    if found.pct is None:
        return UNKNOWN
    return f"{found.count}/{found.n}, {found.pct:.0f} % [{found.low_pct:.0f}, {found.high_pct:.0f}]"


def middle_text(found: Middle, digits: int = 2) -> str:
    """A median with its interval; ``~`` marks an estimate."""
    if found.median is None:
        return UNKNOWN
    shown = f"{'~' if found.is_estimated else ''}{found.median:.{digits}f}"
    if found.low is None or found.high is None:
        return shown
    return f"{shown} [{found.low:.{digits}f}, {found.high:.{digits}f}]"
