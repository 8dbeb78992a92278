"""Detects decoding slower than the context depth explains."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from tui.core.expect.decode import DecodeFit
from tui.core.expect.spread import middle_of
from tui.core.text import format as fmt
from tui.core.turn.turn_stats import TurnStats

MIN_TOKENS = 24
"""The first ones come before a rate is steady."""
MIN_ANSWERS = 10
"""Number of earlier answers from which on they are used instead of this answer's beginning."""
LASTS_NS, GONE_NS = 10_000_000_000, 5_000_000_000
"""How long a fall must last to be reported, and be gone to be cleared."""
OLD_NS, RECENT_NS = 60_000_000_000, 10_000_000_000
TOLERANCE, TOLERANCE_OWN, TOLERANCE_UNKNOWN = 1.15, 1.2, 1.35
"""How much slower counts: than the usual rate, than this answer's own beginning where the slope
over depth is known, and than the minute before where it is not: depth changes slowly."""
EXPLAINED_SHARE = 0.05
"""A fall by depth that is worth a word."""


@dataclass(frozen=True, slots=True)
class RateVerdict:
    """``slow`` is a warning, ``explained`` a note; at most one of them is set."""

    slow: str | None = None
    explained: str | None = None


class RateWatch:
    """Looked at twice a second; keeps a minute."""

    def __init__(self) -> None:
        self._recent: deque[tuple[int, float]] = deque(maxlen=240)
        """When, and the time of a step without what depth added to it."""
        self._own: list[float] = []
        """The first of them."""
        self._first_depth = 0.0
        self._slow_since_ns: int | None = None
        self._fine_since_ns: int | None = None
        self._is_slow = False

    def look(self, now_ns: int, stats: TurnStats, fit: DecodeFit | None) -> RateVerdict:
        """The verdict as of now."""
        if not stats.rate_now_tps or stats.tokens < MIN_TOKENS or stats.context_used is None:
            return RateVerdict()
        if stats.is_buffered or stats.is_rate_disputed:
            return RateVerdict()
        ms, depth = 1000 / stats.rate_now_tps, float(stats.context_used)
        slope_ms = None if fit is None else fit.slope_ms
        bare_ms = ms - (slope_ms or 0.0) * depth
        expected_ms, tolerance = self._expected(now_ns, depth, fit, slope_ms)
        self._recent.append((now_ns, bare_ms))
        if len(self._own) < 20:
            self._own.append(bare_ms)
            self._first_depth = self._first_depth or depth
        if expected_ms is None:
            return RateVerdict()
        self._note(now_ns, ms > expected_ms * tolerance)
        if self._is_slow:
            now, usual = fmt.rate(1000 / ms), fmt.rate(1000 / expected_ms)
            return RateVerdict(slow=f"{now} tok/s, ~{usual} expected at this depth")
        return RateVerdict(explained=self._explained(depth, ms, slope_ms))

    def _expected(
        self, now_ns: int, depth: float, fit: DecodeFit | None, slope_ms: float | None
    ) -> tuple[float | None, float]:
        if fit is not None and fit.n >= MIN_ANSWERS:
            return fit.at(depth), max(TOLERANCE, (fit.ratios.high or 1.0) * 1.05)
        if slope_ms is not None and len(self._own) >= 20:
            return middle_of(self._own) + slope_ms * depth, TOLERANCE_OWN
        old = [ms for t_ns, ms in self._recent if RECENT_NS <= now_ns - t_ns <= OLD_NS]
        if len(old) < 10:
            return None, TOLERANCE_UNKNOWN
        return middle_of(old) + (slope_ms or 0.0) * depth, TOLERANCE_UNKNOWN

    def _note(self, now_ns: int, is_slow_now: bool) -> None:
        if is_slow_now:
            self._fine_since_ns = None
            if self._slow_since_ns is None:
                self._slow_since_ns = now_ns
            self._is_slow = self._is_slow or now_ns - self._slow_since_ns >= LASTS_NS
            return
        self._slow_since_ns = None
        if self._fine_since_ns is None:
            self._fine_since_ns = now_ns
        if now_ns - self._fine_since_ns >= GONE_NS:
            self._is_slow = False

    def _explained(self, depth: float, ms: float, slope_ms: float | None) -> str | None:
        """What the context has cost since the beginning, where the rate fell by that."""
        if not slope_ms or len(self._own) < 20:
            return None
        first_ms = middle_of(self._own) + slope_ms * self._first_depth
        added_ms = slope_ms * (depth - self._first_depth)
        if first_ms <= 0 or added_ms / first_ms < EXPLAINED_SHARE or ms < first_ms:
            return None
        first, now = fmt.rate(1000 / first_ms), fmt.rate(1000 / (first_ms + added_ms))
        return f"{first} to {now} tok/s by the longer context"
