"""Guesses from the name of a model file; always labelled as guesses.

Nothing requires these names; they are what converters of rkllm and GGUF files write.
"""

from __future__ import annotations

import re

_QUANTISATION = re.compile(
    r"(?<![a-z0-9])(w\d{1,2}a\d{1,2}(?:[_-]?g\d{2,4})?|i?q\d_[0-9a-z_]+|q\d(?![a-z0-9])|f16|bf16|fp16)",
    re.IGNORECASE,
)
_CONTEXT_FIELD = re.compile(r"ctx(\d{1,7})")
_CONTEXT_WORD = re.compile(r"(?<![a-z0-9.])(\d{1,3})k(?![a-z0-9])", re.IGNORECASE)


def quantisation_in_name(name: str) -> str | None:
    """``w8a8``, ``w4a16_g128``, ``q4_k_m``: in lower case. None where the name says none."""
    found = _QUANTISATION.search(name)
    return found.group(1).lower().rstrip("_") if found else None


def context_field(name: str) -> int | None:
    """The number in ``ctx16384``: RockchipLlama reads it too, and takes it as the context."""
    found = _CONTEXT_FIELD.search(name)
    tokens = int(found.group(1)) if found else 0
    return tokens or None


def context_in_name(name: str) -> int | None:
    """The context that a name promises: ``ctx16384``, or ``16k`` for 16384."""
    field = context_field(name)
    if field is not None:
        return field
    word = _CONTEXT_WORD.search(name)
    tokens = int(word.group(1)) * 1024 if word else 0
    return tokens or None
