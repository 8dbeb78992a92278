"""A fall of the rate that depth explains is no warning; one that it does not explain is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.core.expect.past import answers
from tui.core.expect.decode import DecodeFit, fit_decode
from tui.core.expect.rate_watch import RateVerdict, RateWatch
from tui.core.turn.turn import Turn
from tui.core.turn.turn_stats import TurnStats
from tui.core.types import ChatRequest, GenerationSettings, Message

NS = 1_000_000_000
START = Turn(ChatRequest("", (Message("user", "why?"),), GenerationSettings()), 0).stats(0)


def at(rate_tps: float, tokens: int, depth: int) -> TurnStats:
    return replace(START, rate_now_tps=rate_tps, tokens=tokens, context_used=depth)


def run(
    seconds: int,
    rate_at: Callable[[float, float], float],
    fit: DecodeFit | None,
    first_depth: int = 100,
) -> list[RateVerdict]:
    """The verdicts of an answer that decodes at ``rate_at(seconds, depth)``."""
    watch, tokens, found = RateWatch(), 0.0, []
    for half in range(2 * seconds):
        depth = first_depth + tokens
        rate_tps = rate_at(half / 2, depth)
        tokens += rate_tps / 2
        found.append(watch.look(half * NS // 2, at(rate_tps, round(tokens), round(depth)), fit))
    return found


def true_rate(depth: float) -> float:
    return 1000 / (310 + 0.057 * depth)


def fit(count: int = 40) -> DecodeFit:
    made = fit_decode(answers(count))
    assert made is not None
    return made


def test_a_deep_answer_is_explained_and_not_warned_of() -> None:
    found = run(3600, lambda t, depth: true_rate(depth), fit(), first_depth=3000)
    assert all(verdict.slow is None for verdict in found)
    said = found[-1].explained
    assert said is not None
    assert said.endswith("by the longer context")


def test_a_throttled_answer_is_warned_of_and_its_end_is_noticed() -> None:
    def throttled(t_s: float, depth: float) -> float:
        return true_rate(depth) * (0.7 if 60 <= t_s < 120 else 1.0)

    found = run(180, throttled, fit())
    slow = [half / 2 for half, verdict in enumerate(found) if verdict.slow]
    assert 65 <= slow[0] <= 75
    assert 120 <= slow[-1] <= 130
    first = found[round(slow[0] * 2)].slow
    assert first is not None
    assert first.endswith("expected at this depth")
    assert float(first.partition("~")[2].split()[0]) == pytest.approx(3.06, rel=0.03)


def test_a_sudden_fall_is_seen_without_any_earlier_answer() -> None:
    found = run(180, lambda t, depth: true_rate(depth) * (0.6 if t > 90 else 1.0), None)
    assert any(verdict.slow for verdict in found)
    assert not any(verdict.slow for verdict in found[:180])


def test_a_slow_fall_is_not_called_wrong_where_nothing_is_known() -> None:
    found = run(600, lambda t, depth: 3.2 * (1 - 0.4 * t / 600), None)
    assert not any(verdict.slow for verdict in found)


def test_a_hiccup_is_no_warning() -> None:
    found = run(180, lambda t, depth: true_rate(depth) * (0.3 if 60 <= t < 66 else 1.0), fit())
    assert not any(verdict.slow for verdict in found)
