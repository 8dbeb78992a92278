"""Tokens guessed from text, for what no server counts. Every use is marked ``~`` (estimated).

There is no tokenizer here: the models' own are tens of megabytes, one per family. The weights are
fitted to the vocabulary of Qwen (150,000 entries), one for each kind of character, on prose in
twenty languages, code, tables and emoji: the sum is within 15 % there. Other families differ by
more in rare scripts. Good enough for a context gauge, never for a speed that is compared.

The estimate is a sum over characters, so pieces add up to the whole.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from tui.core.types import Message

LETTER, DIGIT, SPACE, LINE_END, PUNCTUATION = 0.232, 1.05, 0.17, 0.3, 0.57
"""Tokens for an ASCII character of each kind."""

_OTHER_ASCII = {" ": SPACE, "\n": LINE_END, '"': 0.78, ":": 0.75, "|": 1.45}
"""Quotes and colons are often alone in their token; a table cell adds a space before digits."""

_BLOCKS: tuple[tuple[int, float], ...] = (
    (0x80, 0.4),  # Latin-1: Western European letters
    (0x100, 1.3),  # Latin Extended: Polish, Czech, Turkish
    (0x370, 0.97),  # Greek
    (0x400, 0.35),  # Cyrillic
    (0x530, 0.41),  # Armenian, Hebrew
    (0x600, 0.42),  # Arabic
    (0x900, 1.15),  # Indic scripts
    (0xE00, 0.54),  # Thai, Lao
    (0x1000, 1.15),  # Tibetan, Burmese, Georgian and others
    (0x1E00, 0.45),  # Latin Extended Additional: Vietnamese
    (0x1F00, 0.97),  # Greek Extended
    (0x2000, 0.9),  # punctuation, signs, arrows, joiners
    (0x2E80, 0.65),  # CJK signs
    (0x3040, 0.72),  # Kana
    (0x3100, 0.63),  # Han
    (0xA000, 1.15),
    (0xAC00, 0.9),  # Hangul
    (0xD7B0, 0.9),
    (0xF900, 0.63),  # Han
    (0xFB00, 0.9),
    (0xFF00, 0.65),  # fullwidth forms
    (0x10000, 2.15),  # emoji and other signs, of several bytes tokens each
    (0x20000, 1.6),  # rare Han
    (0x40000, 2.0),
)
"""From which code point on a weight holds."""
_STARTS = tuple(start for start, _ in _BLOCKS)
TOKENS_PER_MESSAGE = 5
"""What a chat template adds around one message (ChatML: two tags, the role, line breaks)."""


def _ascii_weight(char: str) -> float:
    if char.isalpha():
        return LETTER
    if char.isdigit():
        return DIGIT
    return _OTHER_ASCII.get(char, PUNCTUATION)


_ASCII = tuple(_ascii_weight(chr(code)) for code in range(0x80))


def token_weight(text: str) -> float:
    """The estimated number of tokens in ``text``; a fraction, to be added up."""
    if text.isascii():
        return sum(map(_ASCII.__getitem__, text.encode()))
    return sum(map(_char_weight, text))


def tokens(text: str) -> int:
    """The estimated number of tokens in ``text``: 0 only where there is none."""
    return max(round(token_weight(text)), 1) if text else 0


def message_tokens(messages: Iterable[Message]) -> int:
    """The estimated number of tokens of a whole prompt, with what the template adds."""
    return sum(tokens(message.content) + TOKENS_PER_MESSAGE for message in messages)


def _char_weight(char: str) -> float:
    code = ord(char)
    return _ASCII[code] if code < 0x80 else _BLOCKS[bisect_right(_STARTS, code) - 1][1]
