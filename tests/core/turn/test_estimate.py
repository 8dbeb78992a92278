from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.turn.pieces import cut
from tui.core.turn.estimate import message_tokens, token_weight, tokens
from tui.core.types import Message

PROSE = (
    "Each new token reads every weight once, so the time per token is close to model size divided "
    "by memory bandwidth. On this board the weights take most of the memory."
)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        (PROSE, 32, 45),
        ("瑞芯微的神经网络处理器有三个核心。", 10, 14),
        ("3.14159265358979", 14, 17),
        ("def main() -> int:\n    return 0\n", 7, 12),
        ("Привет, как дела?", 5, 9),
        ("😀😀😀", 3, 6),
        ("x", 1, 1),
        ("", 0, 0),
    ],
)
def test_about_right(text: str, least: int, most: int) -> None:
    """Bounds around what byte-pair vocabularies of the Qwen and Llama 3 kind give."""
    assert least <= tokens(text) <= most


COUNTED = json.loads((Path(__file__).parent / "data" / "token_counts.json").read_text())
"""Texts of many kinds with their exact number of tokens in Qwen's vocabulary."""


@pytest.mark.parametrize("counted", COUNTED, ids=[row["kind"] for row in COUNTED])
def test_within_15_percent_of_an_exact_count(counted: dict[str, Any]) -> None:
    assert token_weight(counted["text"]) == pytest.approx(counted["tokens"], rel=0.15)


@given(cut(st.text()))
def test_pieces_add_up(case: tuple[str, list[str]]) -> None:
    text, pieces = case
    assert sum(map(token_weight, pieces)) == pytest.approx(token_weight(text))


@given(st.text(min_size=1))
def test_something_is_never_nothing(text: str) -> None:
    assert tokens(text) >= 1
    assert token_weight(text) > 0


def test_a_prompt_counts_its_template() -> None:
    assert message_tokens([]) == 0
    assert message_tokens([Message("user", "")]) == 5
    assert message_tokens([Message("system", "abcd"), Message("user", "abcdabcd")]) == 13
