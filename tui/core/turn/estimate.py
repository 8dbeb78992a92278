"""Tokens guessed from text, for what no server counts. Every use is marked ``~`` (estimated).

There is no tokenizer here: the models' own are tens of megabytes, one per family. The weights are
round figures for byte-pair vocabularies of 100,000 to 260,000 entries (Qwen, Llama 3, Gemma):
English prose is about 4 characters a token, CJK text about 1.5, and digits are mostly one token
each. Prose is usually within 20 %; code, tables and rare scripts can be off by half. Good enough
for a context gauge, never for a speed that is compared with another one.

The estimate is a sum over characters, so pieces add up to the whole.
"""

from __future__ import annotations

from collections.abc import Iterable

from tui.core.types import Message

TOKENS_PER_ASCII = 0.25
TOKENS_PER_DIGIT = 1.0
TOKENS_PER_CJK = 1 / 1.5
TOKENS_PER_SYMBOL = 1.7
"""Emoji and other characters beyond the basic plane, which often take several bytes tokens."""
TOKENS_PER_OTHER = 0.45
"""Letters of other scripts: Cyrillic, Greek, Arabic, Thai, accented Latin."""
TOKENS_PER_MESSAGE = 5
"""What a chat template adds around one message (ChatML: two tags, the role, line breaks)."""


def token_weight(text: str) -> float:
    """The estimated number of tokens in ``text``; a fraction, to be added up."""
    if text.isascii():
        digits = sum(map(text.count, "0123456789"))
        return digits * TOKENS_PER_DIGIT + (len(text) - digits) * TOKENS_PER_ASCII
    return sum(map(_char_weight, text))


def tokens(text: str) -> int:
    """The estimated number of tokens in ``text``: 0 only where there is none."""
    return max(round(token_weight(text)), 1) if text else 0


def message_tokens(messages: Iterable[Message]) -> int:
    """The estimated number of tokens of a whole prompt, with what the template adds."""
    return sum(tokens(message.content) + TOKENS_PER_MESSAGE for message in messages)


def _char_weight(char: str) -> float:
    code = ord(char)
    if code < 0x80:
        return TOKENS_PER_DIGIT if "0" <= char <= "9" else TOKENS_PER_ASCII
    if 0x2E80 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7AF or 0xF900 <= code <= 0xFAFF:
        return TOKENS_PER_CJK
    if 0xFF00 <= code <= 0xFFEF or 0x20000 <= code <= 0x3FFFF:
        return TOKENS_PER_CJK
    return TOKENS_PER_SYMBOL if code > 0xFFFF else TOKENS_PER_OTHER
