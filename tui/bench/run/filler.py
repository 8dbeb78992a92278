"""Filler text for prompts of a given number of tokens.

Short common words, each with a blank before it, are single tokens in all vocabularies in use here.
If the server reports the number of prompt tokens, the text is corrected until it is right; else the
number is an estimate. Each repetition has different words, so that a prefix cache does not apply.
"""

from __future__ import annotations

import random

TEMPLATE_TOKENS = 8
"""Tokens that ChatML adds to a message: two marks, the role, and line breaks on both sides."""

_WORDS = (
    "the and for are but not you all any can her was one our out day get has him his how man new "
    "now old see two way who boy did its let put say she too use air big box car cat cut dog eat "
    "end eye far few fly fun got hot job key kid law lot low map mix net oil own pay pen pot red "
    "run sea sit six sky sun tax ten tie top toy try war win yes yet"
)
WORDS = tuple(_WORDS.split())
_ASK = " Go on"


def text_of(words: int, seed: str) -> str:
    """Filler text of that many words (at least one); the same seed gives the same text."""
    rng = random.Random(seed)
    body = [rng.choice(WORDS) for _ in range(words - 2 if words >= 3 else max(1, words))]
    text = " ".join(body)
    return text + _ASK if words >= 3 else text


def first_guess(tokens: int) -> int:
    """Estimated number of words, at least one, for a prompt of that many tokens with its
    template."""
    return max(1, tokens - TEMPLATE_TOKENS)


def corrected(words: int, wanted: int, found: int) -> int:
    """The corrected number of words, at least one, after the server counted ``found`` tokens."""
    return max(1, words + wanted - found)
