"""The time that a prefill will take, from those before."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.servers.forecast import PrefillForecast


def test_nothing_is_known_at_first() -> None:
    assert PrefillForecast().forecast(1000) is None


def test_one_answer_gives_a_proportion() -> None:
    forecast = PrefillForecast()
    forecast.add(1000, 10.0)
    said = forecast.forecast(3000)
    assert said is not None
    assert (said.seconds, said.basis, said.n_points) == (30.0, "proportion", 1)


def test_two_lengths_give_a_line() -> None:
    forecast = PrefillForecast()
    forecast.add(1000, 12.0)
    forecast.add(3000, 32.0)
    said = forecast.forecast(8000)
    assert said is not None
    assert said.basis == "fit"
    assert said.seconds == pytest.approx(82.0)


def test_a_line_never_promises_less_than_nothing() -> None:
    forecast = PrefillForecast()
    forecast.add(1000, 1.0)
    forecast.add(2000, 8.0)
    said = forecast.forecast(100)
    assert said is not None
    assert 0 < said.seconds < 1


def test_follow_ups_are_not_counted_and_get_an_upper_limit() -> None:
    forecast = PrefillForecast()
    forecast.add(5000, 0.3, is_follow_up=True)
    assert forecast.forecast(1000) is None
    forecast.add(1000, 10.0)
    said = forecast.forecast(2000, is_follow_up=True)
    assert said is not None
    assert said.is_upper_limit
    forecast.clear()
    assert forecast.forecast(1000) is None


@given(
    st.lists(st.tuples(st.integers(-5, 10**7), st.floats(-1, 1e5)), max_size=60),
    st.integers(-5, 10**7),
)
def test_any_points_give_a_finite_time_or_none(points: list[tuple[int, float]], chars: int) -> None:
    forecast = PrefillForecast()
    for prompt_chars, ttft_s in points:
        forecast.add(prompt_chars, ttft_s)
    said = forecast.forecast(chars)
    assert said is None or (math.isfinite(said.seconds) and said.seconds >= 0)
