"""The trend of a model over days."""

from __future__ import annotations

import random

import pytest

from tests.core.expect.past import answer
from tui.core.expect.past_answer import Conditions, PastAnswer
from tui.core.expect.trend import trend_of

DAY = 24
"""Hours, of which an answer's number counts."""


def day_of(ms: int) -> str:
    return str((ms - 1_700_000_000_000) // 86_400_000)


def history(days: int, each: int, loss: float, seed: int = 1) -> list[PastAnswer]:
    """So many answers a day, slower by ``loss`` from the first day to the last."""
    noise = random.Random(seed)
    return [
        answer(
            day * DAY + number,
            prompt=float(noise.randint(50, 1500)),
            base_ms=310 * (1 + loss * day / max(days - 1, 1)),
            slope_ms=0.057 * (1 + loss * day / max(days - 1, 1)),
            tokens=noise.randint(60, 600),
            noise=noise,
        )
        for day in range(days)
        for number in range(each)
    ]


def test_a_slow_decay_is_found_and_the_prefill_is_left_alone() -> None:
    trend = trend_of(history(28, 3, 0.2), day_of)
    assert trend.decode is not None
    assert trend.prefill is not None
    assert not trend.decode.is_steady
    assert trend.decode.pct_a_week == pytest.approx(-4.8, abs=1.0)
    assert trend.prefill.is_steady
    assert len(trend.days) == 28
    assert trend.days[0].decode_share is not None
    assert trend.days[-1].decode_share is not None
    assert trend.days[0].decode_share > trend.days[-1].decode_share + 0.1


def test_noise_is_steady() -> None:
    trend = trend_of(history(20, 4, 0.0), day_of)
    assert trend.decode is not None
    assert trend.decode.is_steady


def test_nine_answers_are_no_trend() -> None:
    trend = trend_of(history(3, 3, 0.5), day_of)
    assert (trend.answers, trend.decode, trend.prefill) == (9, None, None)


def test_a_change_of_the_board_is_told_on_its_day() -> None:
    past = history(5, 3, 0.0)
    capped = Conditions(6e8, 2.112e9, 2.3e9, 62.0, "0.9.8", "1.2.3")
    past += [answer(5 * DAY + n, conditions=capped) for n in range(3)]
    trend = trend_of(past, day_of)
    assert trend.days[-1].changes == ("NPU 600 MHz, usually 1000 MHz",)
    assert trend.latest is None
    assert all(not day.changes for day in trend.days[:-1])


def test_an_empty_history_has_no_days() -> None:
    assert trend_of([], day_of).days == ()


def test_the_last_answers_are_told_where_they_are_slower() -> None:
    past = history(9, 3, 0.0)
    assert trend_of(past, day_of).latest is None
    capped = Conditions(6e8, 2.112e9, 2.3e9, 62.0, "0.9.8", "1.2.3")
    past += [answer(9 * DAY + n, base_ms=420, conditions=capped) for n in range(3)]
    said = trend_of(past, day_of).latest
    assert said is not None
    assert said.startswith("the last 3 answers decoded at 7")
    assert said.endswith("of the usual speed: NPU 600 MHz, usually 1000 MHz")
