"""Which of the last answers were slow."""

from __future__ import annotations

from tui.core.screen.last_answers import LastAnswer, slow_answers


def answers(*rates_tps: float | None, model: str = "qwen3-4b") -> list[LastAnswer]:
    return [LastAnswer(0, "why", model, rate_tps) for rate_tps in rates_tps]


def test_an_answer_far_below_the_others_is_slow() -> None:
    assert slow_answers(answers(3.14, 3.19, 1.62, 3.16)) == {2}


def test_too_few_others_say_nothing() -> None:
    assert slow_answers(answers(3.14, 1.62)) == frozenset()
    assert slow_answers(answers(3.14, None, 1.62, None)) == frozenset()


def test_another_model_is_no_measure() -> None:
    small = answers(15.0, 15.1, 15.2, model="small")
    assert slow_answers([*answers(3.1), *small]) == frozenset()
