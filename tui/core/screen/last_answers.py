"""The answers that came last, with their rates: one line each, and which of them were slow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

SLOW_SHARE = 0.75
"""An answer is slow below this share of the median of its model."""
LEAST_OTHERS = 2
"""A median of fewer other answers says nothing."""


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """One answer that is over. ``number`` is its id in the history, None where it is in none."""

    asked_ms: int | None
    """ms since 1970; None where no calendar has it."""
    prompt: str
    """Sanitised, one line."""
    model: str | None
    rate_tps: float | None
    is_estimated: bool = True
    number: int | None = None
    status: str | None = None
    """How it ended: a :data:`~tui.core.types.TurnStatus`, where it is known."""


def slow_answers(answers: Sequence[LastAnswer]) -> frozenset[int]:
    """The places of those that were much slower than the others of their model."""
    found = set()
    for place, one in enumerate(answers):
        others = [
            other.rate_tps
            for at, other in enumerate(answers)
            if at != place and other.model == one.model and other.rate_tps is not None
        ]
        if one.rate_tps is None or len(others) < LEAST_OTHERS:
            continue
        if one.rate_tps < SLOW_SHARE * median(others):
            found.add(place)
    return frozenset(found)
