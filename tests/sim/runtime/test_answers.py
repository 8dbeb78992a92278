"""The words of the simulated answers."""

from __future__ import annotations

import random
import re
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sim.runtime.answers import SHAPES, Wishes, compose, loop_forever, wishes_of
from tui.sim.runtime.tokens import count_tokens, pieces


def _text(shape: str = "mixed", seed: int = 1, tokens: int | None = None) -> str:
    return "".join(compose(random.Random(seed), Wishes(shape, tokens)))


@given(st.text())
def test_pieces_joined_are_the_text(text: str) -> None:
    cut = pieces(text)
    assert "".join(cut) == text
    assert "" not in cut
    assert count_tokens(text) == len(cut)


def test_tokens_are_about_four_characters_of_latin_and_one_of_cjk() -> None:
    latin = _text("prose", tokens=2000)
    assert 3.3 < len(latin) / count_tokens(latin) < 4.7
    wide = "解码速度受内存带宽限制。メモリの帯域。메모리"
    assert count_tokens(wide) == len(wide)
    assert count_tokens("<|im_start|><think></think><|im_end|>") == 4


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(5))
def test_natural_answers_have_a_fair_length_and_a_proper_end(shape: str, seed: int) -> None:
    tokens = list(compose(random.Random(seed), Wishes(shape)))
    text = "".join(tokens)
    assert 140 < len(tokens) < 520
    assert text.count("```") % 2 == 0
    if shape in ("mixed", "prose", "cjk"):
        assert text[-1] in ".。"


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("length", [1, 7, 3000])
def test_a_wished_length_is_exact(shape: str, length: int) -> None:
    wishes = Wishes(shape, length)
    assert len(list(compose(random.Random(2), wishes))) == length
    thinking = Wishes(shape, length, is_thinking=True)
    assert len(list(compose(random.Random(2), thinking))) == length


def test_shapes_are_what_they_are_called() -> None:
    assert all(line.startswith("- ") for line in _text("list").splitlines())
    assert _text("code").startswith("```python\n")
    assert _text("code").count("```") == 2
    table = _text("table").splitlines()
    assert table[1] == "|---|---:|---|"
    assert all(re.fullmatch(r"\|.*\|.*\|.*\|", row) for row in table)
    assert not re.search(r"\s", _text("oneline"))
    assert "```" not in _text("prose")
    hostile = _text("hostile", tokens=2000)
    for bad in ("\x1b]52;", "\x1b]0;", "\x9b", "\u202e", "\x00", "[bold", "</think>", "\r"):
        assert bad in hostile
    wide = _text("cjk")
    assert len(re.findall(r"[\u3000-\uffef]", wide)) > len(wide) / 2


def test_a_mixed_answer_has_everything_in_the_long_run() -> None:
    text = "".join(_text(seed=seed, tokens=3000) for seed in range(4))
    for mark in ("## ", "\n- ", "\n1. ", "```python", "|---|", "`dmc/cur_freq`", "> ", "模拟"):
        assert mark in text, mark
    assert "simulated" in text[:120]


def test_a_long_answer_does_not_repeat_its_paragraphs() -> None:
    paragraphs = [part for part in _text(tokens=6000).split("\n\n") if len(part) > 120]
    assert len(set(paragraphs)) > 0.95 * len(paragraphs)


def test_seeds_vary_and_repeat() -> None:
    assert _text(seed=1) == _text(seed=1)
    assert len({_text(seed=seed) for seed in range(20)}) == 20


def test_every_answer_says_that_it_is_simulated() -> None:
    for seed in range(20):
        opening = _text(seed=seed)[:200]
        assert "simulated" in opening or "exists only as a program" in opening


def test_marks_in_the_prompt() -> None:
    wishes = wishes_of("please [[table]] [[tokens=12]] [[think=5]]", tokens=99, is_thinking=False)
    assert wishes == Wishes("table", 12, True, 5)
    assert wishes_of("[[nothing]] [[ list ]]", tokens=3, is_thinking=True) == Wishes(
        "mixed", 3, True
    )
    assert wishes_of("[[think]]", tokens=None, is_thinking=False).is_thinking


@given(st.text())
def test_any_prompt_gives_wishes(prompt: str) -> None:
    assert wishes_of(prompt, tokens=None, is_thinking=False).shape in SHAPES


def test_loops_repeat_for_ever() -> None:
    tokens = list(islice(loop_forever(random.Random(3), Wishes()), 4000))
    assert len(tokens) == 4000
    tail = "".join(tokens[-400:])
    assert len({sentence.strip() for sentence in tail.split(".")[1:-1]}) == 1
