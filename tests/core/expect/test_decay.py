"""An answer that is clearly slower than usual is told so once, with what differs."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.core.expect.past import CLOCKS, answer, answers
from tui.core.expect.decay import decay_of
from tui.core.expect.past_answer import Conditions

SLOW = Conditions(6e8, 2.112e9, 2.3e9, 88.0, "0.9.8", "1.2.3")


def test_a_throttled_answer_is_told_with_what_differs() -> None:
    throttled = answer(99, base_ms=430, slope_ms=0.08, conditions=SLOW)
    found = decay_of(answers(30), throttled)
    assert found is not None
    assert found.decode_pct == pytest.approx(39, abs=4)
    assert found.prefill_pct is None
    assert found.differences == ("NPU 600 MHz, usually 1000 MHz", "88 °C, usually 62 °C")
    assert "slower than usual at this depth: NPU 600 MHz" in found.sentence


def test_a_deep_answer_is_not() -> None:
    assert decay_of(answers(30), answer(99, prompt=9000, tokens=3000)) is None


def test_nine_answers_judge_nothing() -> None:
    throttled = answer(99, base_ms=600, each_s=0.2, conditions=SLOW)
    assert decay_of(answers(9), throttled) is None
    assert decay_of(answers(10), throttled) is not None


def test_prefill_and_decoding_are_judged_apart() -> None:
    found = decay_of(answers(30), answer(99, prompt=1500, each_s=0.045))
    assert found is not None
    assert found.decode_pct is None
    assert found.prefill_pct == pytest.approx(50, abs=5)
    assert found.sentence.endswith("usual at this size: no difference in the readings")


def test_it_is_said_once() -> None:
    past = answers(30)
    first = answer(30, base_ms=430, conditions=SLOW)
    assert decay_of(past, first) is not None
    assert decay_of([*past, first], answer(31, base_ms=430, conditions=SLOW)) is None
    again = [*past, first, answer(31), answer(32)]
    assert decay_of(again, answer(33, base_ms=430, conditions=SLOW)) is not None


def test_what_is_usual_at_these_clocks_is_not_slow() -> None:
    noise = random.Random(4)
    slow = [answer(n, base_ms=430, conditions=SLOW, noise=noise) for n in range(12)]
    past = [*slow, *answers(60)]
    assert decay_of(past, answer(99, base_ms=430, conditions=SLOW)) is None


def test_versions_and_other_programs_are_named() -> None:
    now = replace(CLOCKS, driver="0.9.9", runtime="1.2.4")
    found = decay_of(answers(30), answer(99, base_ms=430, conditions=now), others="make is busy")
    assert found is not None
    assert found.differences == (
        "rknpu 0.9.9, usually 0.9.8", "librkllmrt 1.2.4, usually 1.2.3", "make is busy",
    )  # fmt: skip


def test_a_board_that_was_not_read_is_not_called_unchanged() -> None:
    found = decay_of(answers(30), answer(99, base_ms=430, conditions=Conditions()))
    assert found is not None
    assert found.sentence.endswith("at this depth")
