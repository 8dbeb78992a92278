"""The time that a prefill will take, from those before."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.expect.past import answer, answers, follow_up
from tui.core.expect.past_answer import PastAnswer
from tui.core.expect.prefill import fit_prefill
from tui.core.expect.spread import Spread


def width(spread: Spread) -> float:
    assert spread.low
    assert spread.high
    return spread.high / spread.low


def test_nothing_is_known_at_first() -> None:
    assert fit_prefill([]) is None


def test_answers_whose_ttft_is_no_prefill_tell_nothing() -> None:
    assert fit_prefill([replace(answer(), ttft_s=None)]) is None


def test_one_answer_gives_a_proportion_without_a_spread() -> None:
    fit = fit_prefill([answer(prompt=100, constant_s=0, each_s=0.1)])
    assert fit is not None
    said = fit.expected(150)
    assert said.likely == pytest.approx(15.0)
    assert (said.low, said.high, said.n) == (None, None, 1)


def test_the_line_is_found_with_its_spread() -> None:
    fit = fit_prefill(answers(60))
    assert fit is not None
    assert fit.each_s == pytest.approx(0.03, rel=0.03)
    said = fit.expected(2000)
    assert said.likely == pytest.approx(60.2, rel=0.03)
    assert said.low is not None
    assert said.high is not None
    assert 0.95 < said.low / said.likely < 1 < said.high / said.likely < 1.05


def test_wild_answers_do_not_bend_it() -> None:
    """A prompt that was in the cache, and one that waited for somebody else's."""
    past = answers(40)
    past += [replace(past[3], ttft_s=0.05), replace(past[5], ttft_s=400.0)]
    fit = fit_prefill(past)
    assert fit is not None
    assert fit.expected(1000).likely == pytest.approx(30.2, rel=0.05)


def test_the_newest_answers_count() -> None:
    """After the clocks were raised."""
    slow = [answer(n, prompt=100 + 20 * n, each_s=0.06) for n in range(60)]
    fast = [answer(n, prompt=100 + 20 * n, each_s=0.03) for n in range(60)]
    fit = fit_prefill([*slow, *fast])
    assert fit is not None
    assert fit.each_s == pytest.approx(0.03)


def test_a_line_never_promises_less_than_nothing() -> None:
    fit = fit_prefill(
        [replace(answer(prompt=1000), ttft_s=1.0), replace(answer(prompt=2000), ttft_s=8.0)]
    )
    assert fit is not None
    assert 0 < fit.expected(100).likely < 1


def test_far_beyond_what_was_seen_the_spread_grows() -> None:
    fit = fit_prefill(answers(12))
    assert fit is not None
    near, far = fit.expected(2000), fit.expected(16_000)
    assert width(far) > width(near)


def test_what_a_server_tells_of_its_cache_counts() -> None:
    past = [replace(answer(prompt=1000, constant_s=0, each_s=0.01), cached_share=0.9)]
    fit = fit_prefill(past)
    assert fit is not None
    assert fit.expected(100).likely == pytest.approx(10.0)


def test_a_follow_up_gets_an_upper_limit_at_first() -> None:
    fit = fit_prefill(answers())
    assert fit is not None
    said = fit.expected(2000, 100)
    assert said.is_at_most
    assert said.low is not None
    assert said.low < 4 < 55 < said.likely


@pytest.mark.parametrize("is_kept", [True, False])
def test_follow_ups_tell_whether_the_server_keeps_the_conversation(is_kept: bool) -> None:
    past = answers()
    for whole in (900.0, 1500.0, 2100.0):
        size = 100.0 if is_kept else whole
        past.append(follow_up(past[0], new=100, whole=whole, seconds=0.2 + 0.03 * size))
    fit = fit_prefill(past)
    assert fit is not None
    assert fit.is_prefix_kept is is_kept
    said = fit.expected(2500, 100)
    assert not said.is_at_most
    assert said.likely == pytest.approx(3.2 if is_kept else 75.2, rel=0.05)


@given(
    st.lists(
        st.builds(
            PastAnswer,
            created_ms=st.integers(),
            prompt_tokens=st.none() | st.floats(1, 1e6),
            new_tokens=st.none() | st.floats(1, 1e6),
            cached_share=st.none() | st.floats(0, 1),
            is_follow_up=st.booleans(),
            ttft_s=st.none() | st.floats(1e-6, 1e6),
        ),
        max_size=20,
    ),
    st.floats(1, 1e6),
    st.none() | st.floats(1, 1e6),
)
def test_any_history_gives_a_time_or_none(
    past: list[PastAnswer], tokens: float, new_tokens: float | None
) -> None:
    fit = fit_prefill(past)
    if fit is None:
        return
    said = fit.expected(tokens, new_tokens)
    assert 0 < said.likely < math.inf
    for bound in (said.low, said.high):
        assert bound is None or 0 <= bound < math.inf
