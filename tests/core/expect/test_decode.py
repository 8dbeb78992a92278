"""Decoding over depth, and where an answer may end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.expect.past import answer, answers
from tui.core.expect.decode import decode_s, fit_decode, usual_lengths


def test_the_line_over_depth_is_found() -> None:
    fit = fit_decode(answers(80))
    assert fit is not None
    assert fit.slope_ms == pytest.approx(0.057, rel=0.1)
    assert fit.at(2000) == pytest.approx(424.0, rel=0.02)


def test_answers_at_one_depth_tell_no_slope() -> None:
    fit = fit_decode([answer(n) for n in range(12)])
    assert fit is not None
    assert fit.slope_ms is None
    assert fit.at(5000) == fit.at(200)


def test_nothing_is_made_of_nothing() -> None:
    assert fit_decode([]) is None
    assert fit_decode([replace(answer(), ms_per_token=None)]) is None


def test_usual_lengths_are_those_of_longer_answers() -> None:
    past = [answer(n, tokens=100 * (n + 1)) for n in range(20)]
    usual = usual_lengths(past, 100, is_thinking=False)
    at_first, later = usual.left_after(0), usual.left_after(1000)
    assert at_first is not None
    assert later is not None
    assert at_first.likely == pytest.approx(1050)
    assert later.likely == pytest.approx(550)
    assert usual.left_after(1800) is None


def test_lengths_of_other_prompts_count_only_where_there_are_too_few() -> None:
    short = [answer(n, prompt=50, tokens=60) for n in range(9)]
    long = [answer(n, prompt=2000, tokens=900) for n in range(9)]
    assert usual_lengths([*short, *long], 60, is_thinking=False).tokens == (60,) * 9
    assert len(usual_lengths([*short, *long[:3]], 2000, is_thinking=False).tokens) == 12


def test_stopped_answers_and_those_of_another_mode_tell_no_length() -> None:
    stopped = [replace(answer(n), is_whole=False) for n in range(9)]
    assert usual_lengths(stopped, 100, is_thinking=False).left_after(0) is None
    assert usual_lengths([answer(n) for n in range(9)], 100, is_thinking=True).tokens == ()


def test_later_tokens_take_longer() -> None:
    assert decode_s(1000, 300, 0.0) == pytest.approx(300.0)
    assert decode_s(1000, 300, 0.06) == pytest.approx(330.0)
