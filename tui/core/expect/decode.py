"""Models decode time by context depth, and the usual length of answers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from tui.core.expect.past_answer import PastAnswer
from tui.core.expect.spread import Spread, middle_of, spread_of
from tui.core.theil_sen import theil_sen

MAX_POINTS = 120
MIN_LINE = 4
MIN_DEPTH_RANGE = 200.0
"""Answers at nearly one depth tell nothing about the slope."""
MIN_LENGTHS = 8
MIN_LONGER = 5
"""Least number of longer answers for a forecast of the end."""
ALIKE = 2.0
"""Prompts are alike where one is at most so many times the other."""


@dataclass(frozen=True, slots=True)
class DecodeFit:
    """``ms = base + slope * depth`` for one token; ``slope`` is None where the depths tell none."""

    base_ms: float
    slope_ms: float | None
    ratios: Spread
    """Measured over fitted time."""

    @property
    def n(self) -> int:
        return self.ratios.n

    def at(self, depth: float) -> float:
        """Milliseconds for one token at that context."""
        return max(self.base_ms + (self.slope_ms or 0.0) * depth, 1e-3)


def fit_decode(past: Sequence[PastAnswer]) -> DecodeFit | None:
    """Through the newest of these (oldest first); None where none has a rate."""
    points = [
        (answer.depth, answer.ms_per_token)
        for answer in past
        if answer.depth is not None and answer.ms_per_token is not None
    ][-MAX_POINTS:]
    if not points:
        return None
    depths, times = [depth for depth, _ in points], [taken for _, taken in points]
    base, slope = middle_of(times), None
    if len(points) >= MIN_LINE and max(depths) - min(depths) >= MIN_DEPTH_RANGE:
        line = theil_sen(depths, times)
        if line is not None and line.slope >= 0 and line.intercept > 0:
            base, slope = line.intercept, line.slope
        elif line is not None:
            slope = 0.0
    fit = DecodeFit(base, slope, Spread(1.0))
    ratios = spread_of([taken / fit.at(depth) for depth, taken in points])
    assert ratios is not None  # there are points
    return DecodeFit(base, slope, ratios)


@dataclass(frozen=True, slots=True)
class UsualLengths:
    """Tokens of earlier answers that the model ended by itself, sorted."""

    tokens: tuple[int, ...] = ()

    def left_after(self, tokens: int) -> Spread | None:
        """Forecast of the tokens left, from earlier answers that were longer; None where there are
        too few.
        """
        longer = self.tokens[bisect_right(self.tokens, tokens) :]
        if len(self.tokens) < MIN_LENGTHS or len(longer) < MIN_LONGER:
            return None
        return spread_of([float(length - tokens) for length in longer])


def usual_lengths(
    past: Sequence[PastAnswer], prompt_tokens: float | None, *, is_thinking: bool
) -> UsualLengths:
    """Of answers to prompts of about this size, where there are enough; else of all."""
    same = [answer for answer in past if answer.is_whole and answer.is_thinking == is_thinking]
    alike = [
        answer
        for answer in same
        if prompt_tokens
        and answer.prompt_tokens
        and prompt_tokens / ALIKE <= answer.prompt_tokens <= prompt_tokens * ALIKE
    ]
    chosen = alike if len(alike) >= MIN_LENGTHS else same
    return UsualLengths(tuple(sorted(answer.tokens for answer in chosen if answer.tokens > 0)))


def decode_s(tokens: float, ms_per_token: float, slope_ms: float) -> float:
    """Seconds for that many more tokens, of which the next takes ``ms_per_token``."""
    return (tokens * ms_per_token + slope_ms * tokens * tokens / 2) / 1000
