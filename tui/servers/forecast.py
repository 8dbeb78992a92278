"""How long a prefill will take, from the prompts before it.

Time to first token grows with the prompt: ``ttft_s = c + d * chars``, fitted by least squares over
the answers so far. One answer gives a proportion only. A server that keeps the last conversation
prefills only what is new of a follow-up, so only prompts without an earlier answer in them count,
and a follow-up gets an upper limit.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

MAX_POINTS = 50

ForecastBasis = Literal["fit", "proportion"]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Seconds until the first token. ``basis`` says what it rests on; an estimate either way.

    ``is_upper_limit``: the server may hold a part of this prompt already and be quicker.
    """

    seconds: float
    basis: ForecastBasis
    n_points: int
    is_upper_limit: bool = False


class PrefillForecast:
    """What was seen with one model; :meth:`clear` when another is loaded."""

    def __init__(self) -> None:
        self._points: deque[tuple[int, float]] = deque(maxlen=MAX_POINTS)

    def clear(self) -> None:
        self._points.clear()

    def add(self, prompt_chars: int, ttft_s: float, is_follow_up: bool = False) -> None:
        """An answer that began ``ttft_s`` after its prompt. Follow-ups are not counted."""
        if prompt_chars > 0 and ttft_s > 0 and not is_follow_up:
            self._points.append((prompt_chars, ttft_s))

    def forecast(self, prompt_chars: int, is_follow_up: bool = False) -> Forecast | None:
        """The time for a prompt of that length; None before the first answer."""
        if not self._points or prompt_chars <= 0:
            return None
        count = len(self._points)
        line = fitted(self._points)
        if line is None:
            chars = sum(chars for chars, _ in self._points)
            seconds = sum(seconds for _, seconds in self._points) * prompt_chars / chars
            return Forecast(seconds, "proportion", count, is_follow_up)
        constant_s, per_char_s = line
        seconds = constant_s + per_char_s * prompt_chars
        return Forecast(seconds, "fit", count, is_follow_up)


def fitted(points: deque[tuple[int, float]]) -> tuple[float, float] | None:
    """``(c, d)`` of ``seconds = c + d * chars`` by least squares, both never negative.

    None where the points cannot tell: fewer than two different lengths.
    """
    count = len(points)
    mean_chars = sum(chars for chars, _ in points) / count
    mean_s = sum(seconds for _, seconds in points) / count
    spread = sum((chars - mean_chars) ** 2 for chars, _ in points)
    if count < 2 or spread == 0:
        return None
    together = sum((chars - mean_chars) * (seconds - mean_s) for chars, seconds in points)
    per_char_s = max(together / spread, 0.0)
    constant_s = mean_s - per_char_s * mean_chars
    if constant_s < 0:
        # Noise: a prompt of no length cannot take less than no time. A line through zero then.
        squares = sum(chars * chars for chars, _ in points)
        return 0.0, sum(chars * seconds for chars, seconds in points) / squares
    return constant_s, per_char_s
