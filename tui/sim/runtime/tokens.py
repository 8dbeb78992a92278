"""Tokenizer of the simulated models: counts the tokens of a prompt, splits an answer into tokens.

It has no real vocabulary but similar statistics: about four characters of Latin text per token, one
token per CJK character or symbol, and a blank belongs to the token after it. The ChatML marks
``<|im_start|>`` and ``<|im_end|>`` and the tags ``<think>`` and ``</think>`` are single tokens.
"""

from __future__ import annotations

import re

_WIDE = "\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
_PIECE = re.compile(
    r"<\|im_(?:start|end)\|>|</?think>"
    rf"| ?[^\W\d_{_WIDE}]{{1,5}}"  # a blank and a piece of a word
    r"| ?\d{1,3}"
    rf"|[{_WIDE}]"
    r"|\n+"
    r"| {2,}(?= )"  # indentation, but for the blank that the next piece takes
    r"|(?:[\u200d\ufe0f]|[\U0001f3fb-\U0001f3ff])+"
    r"| ?([^\w\s])\1{0,3}"  # punctuation; a run of the same sign stays together
    r"|.",
    re.DOTALL,
)


def pieces(text: str) -> list[str]:
    """``text`` split into tokens; joined, they give ``text`` again."""
    return [match[0] for match in _PIECE.finditer(text)]


def count_tokens(text: str) -> int:
    """The number of tokens of a text."""
    return sum(1 for _ in _PIECE.finditer(text))
