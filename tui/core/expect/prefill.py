"""Models the prefill time by prompt size, from earlier answers.

``ttft_s = constant + each * tokens`` through the newest prompts (Theil-Sen). Sizes are our own
estimates, on both sides. A follow-up counts where the server told how much of it was cached. Of the
others it is only looked which of two explains them better: a server that processes the whole
conversation again, or one that keeps it and processes the last message alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tui.core.expect.past_answer import PastAnswer
from tui.core.expect.spread import Spread, middle_of, spread_of
from tui.core.theil_sen import theil_sen

MAX_POINTS = 60
"""The newest ones: a board changes."""
MIN_FOLLOW_UPS = 3
FAR = 2.0
"""Multiple of the largest seen prompt beyond which the slope's interval is added."""
MIN_S = 1e-3


@dataclass(frozen=True, slots=True)
class PrefillFit:
    """The line, and how the answers lay around it."""

    constant_s: float
    each_s: float
    """Seconds for one more token."""
    ratios: Spread
    """Measured over fitted time."""
    most_tokens: float
    """The largest prompt that was seen."""
    each_low_s: float | None = None
    each_high_s: float | None = None
    follow_ups: Spread | None = None
    """Measured over fitted time of follow-ups; None where too few were seen."""
    is_prefix_kept: bool = False
    """Follow-ups take the time of their last message alone."""

    @property
    def n(self) -> int:
        return self.ratios.n

    def at(self, tokens: float) -> float:
        """Seconds by the line."""
        return max(self.constant_s + self.each_s * tokens, MIN_S)

    def expected(self, tokens: float, new_tokens: float | None = None) -> Spread:
        """Seconds to the first token. ``new_tokens`` is the last message of a follow-up alone, None
        for a first prompt."""
        if new_tokens is None:
            return self._around(tokens, self.ratios)
        if self.follow_ups is not None:
            size = new_tokens if self.is_prefix_kept else tokens
            return self._around(size, self.follow_ups)
        whole = self._around(tokens, self.ratios)
        high = whole.likely if whole.high is None else whole.high
        return Spread(high, self._around(new_tokens, self.ratios).low, high, whole.n, True)

    def _around(self, tokens: float, ratios: Spread) -> Spread:
        found = ratios.scaled(self.at(tokens))
        if tokens <= FAR * self.most_tokens:
            return found
        if self.each_low_s is None or self.each_high_s is None:
            return Spread(found.likely, n=found.n)
        low_s, high_s = (
            max(self.constant_s + each_s * tokens, MIN_S)
            for each_s in (max(self.each_low_s, 0.0), self.each_high_s)
        )
        low = (1.0 if ratios.low is None else ratios.low) * low_s
        high = (1.0 if ratios.high is None else ratios.high) * high_s
        return Spread(found.likely, min(low, found.likely), max(high, found.likely), found.n)


def fit_prefill(past: Sequence[PastAnswer]) -> PrefillFit | None:
    """The line through the newest of these (oldest first); None where none of them tells."""
    points = [point for answer in past if (point := _point(answer)) is not None][-MAX_POINTS:]
    if not points:
        return None
    constant_s, each_s, low_s, high_s = _line(points)
    ratios = spread_of([taken / max(constant_s + each_s * size, MIN_S) for size, taken in points])
    assert ratios is not None  # there are points
    fit = PrefillFit(constant_s, each_s, ratios, max(size for size, _ in points), low_s, high_s)
    follow_ups, is_prefix_kept = _follow_ups(past, fit)
    return PrefillFit(
        constant_s, each_s, ratios, fit.most_tokens, low_s, high_s, follow_ups, is_prefix_kept
    )


def _point(answer: PastAnswer) -> tuple[float, float] | None:
    """Tokens that were processed, and the seconds that it took."""
    if answer.ttft_s is None or not answer.prompt_tokens:
        return None
    if answer.cached_share is not None:
        return answer.prompt_tokens * (1 - answer.cached_share), answer.ttft_s
    return None if answer.is_follow_up else (answer.prompt_tokens, answer.ttft_s)


def _line(points: Sequence[tuple[float, float]]) -> tuple[float, float, float | None, float | None]:
    """Constant, slope and the slope's interval. Neither the first nor the second is negative."""
    sizes, times = [size for size, _ in points], [taken for _, taken in points]
    line = theil_sen(sizes, times) if max(sizes) >= 1.3 * max(min(sizes), 1.0) else None
    if line is None or (line.slope > 0 and line.intercept < 0):
        # Sizes that hardly differ tell no slope, and no prompt takes less than no time.
        each = [taken / max(size, 1.0) for size, taken in points]
        if line is None:
            return 0.0, middle_of(each), None, None
        return 0.0, middle_of(each), line.slope_low, line.slope_high
    if line.slope <= 0:
        return middle_of(times), 0.0, line.slope_low, line.slope_high
    return line.intercept, line.slope, line.slope_low, line.slope_high


def _follow_ups(past: Sequence[PastAnswer], fit: PrefillFit) -> tuple[Spread | None, bool]:
    seen = [
        (answer.ttft_s, answer.prompt_tokens, answer.new_tokens)
        for answer in past
        if answer.is_follow_up
        and answer.ttft_s
        and answer.prompt_tokens
        and answer.new_tokens
        and answer.cached_share is None
    ][-MAX_POINTS:]
    if len(seen) < MIN_FOLLOW_UPS:
        return None, False
    by_whole = [taken / fit.at(whole or 0.0) for taken, whole, _ in seen if taken]
    by_new = [taken / fit.at(new or 0.0) for taken, _, new in seen if taken]
    is_kept = middle_of(map(_off, by_new)) < middle_of(map(_off, by_whole))
    return spread_of(by_new if is_kept else by_whole), is_kept


def _off(ratio: float) -> float:
    return abs(math.log(ratio))
