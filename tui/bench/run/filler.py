"""Filler text for prompts of a given number of tokens.

Short common words with a blank before them are single tokens in every vocabulary in use here.
Where the server reports how many tokens it has really read, the text is corrected until the count
fits; else the count stays an estimate and is called one. Every repetition begins with other words,
so that a prefix cache has nothing to reuse.
"""

from __future__ import annotations

import random

TEMPLATE_TOKENS = 8
"""What ChatML puts around one message: two marks, the role, and line breaks on both sides."""

_WORDS = (
    "the and for are but not you all any can her was one our out day get has him his how man new "
    "now old see two way who boy did its let put say she too use air big box car cat cut dog eat "
    "end eye far few fly fun got hot job key kid law lot low map mix net oil own pay pen pot red "
    "run sea sit six sky sun tax ten tie top toy try war win yes yet"
)
WORDS = tuple(_WORDS.split())
_ASK = " Go on"


def text_of(words: int, seed: str) -> str:
    """Filler of that many words (at least one), the same for the same seed."""
    rng = random.Random(seed)
    body = [rng.choice(WORDS) for _ in range(words - 2 if words >= 3 else max(1, words))]
    text = " ".join(body)
    return text + _ASK if words >= 3 else text


def first_guess(tokens: int) -> int:
    """Words for a prompt of that many tokens with its template; at least one."""
    return max(1, tokens - TEMPLATE_TOKENS)


def corrected(words: int, wanted: int, found: int) -> int:
    """A better number of words after the server counted ``found`` tokens; at least one."""
    return max(1, words + wanted - found)
