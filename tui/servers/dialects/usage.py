"""Whether the token counts that a server reports can be tokens at all.

Servers report words, characters or the counts of another answer as tokens. A count is believed only
if it agrees with what was seen on the wire.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tui.core.turn.estimate import token_weight
from tui.core.types import ChatRequest, UsageDelta

MIN_CHARS_PER_TOKEN = 0.3
"""An emoji can take three tokens; no text takes more than that."""
MAX_CHARS_PER_TOKEN = 12.0
MOST_FACTOR = 1.9
"""More tokens than this, for each chunk or each estimated token, were never in the stream."""
HIDDEN_FACTOR, HIDDEN_SLACK = 2.0, 8
MAX_MS = 1e9
CHAR_DIVISORS = (4, 3.5, 3)
WORD_FACTOR = 1.3
"""What servers without a tokenizer make token counts of."""
MIN_GUESSED_TOKENS = 32
"""Of fewer tokens than this, a true count is too often one of these guesses by chance."""
CACHED_COUNTS = (
    ("prompt_tokens_details", "cached_tokens"),
    ("input_tokens_details", "cached_tokens"),
    ("cached_tokens",),
    ("prompt_cache_hit_tokens",),
    ("cache_read_input_tokens",),
    ("num_cached_tokens",),
)
"""Where servers say how much of the prompt came from a cache."""
REASONING_COUNTS = (
    ("completion_tokens_details", "reasoning_tokens"),
    ("output_tokens_details", "reasoning_tokens"),
    ("reasoning_tokens",),
)
MAX_TEMPLATE_TOKENS = 64
"""What a chat template may add per message."""


class UsageCheck:
    """Counts one answer as it comes, then judges the reported usage against it."""

    def __init__(self, request: ChatRequest) -> None:
        self._prompt_chars = sum(len(message.content) for message in request.messages)
        self._prompt_words = sum(len(message.content.split()) for message in request.messages)
        self._n_messages = len(request.messages)
        self._n_chunks = 0
        self._n_chars = 0
        self._n_words = 0
        self._n_thinking = 0
        self._thinking_weight = 0.0
        self._weight = 0.0
        self._is_in_word = False

    def count(self, text: str, *, is_thinking: bool = False) -> None:
        """One non-empty chunk of text or thinking."""
        self._n_chunks += 1
        weight = token_weight(text)
        self._weight += weight
        if is_thinking or "<think>" in text:
            self._n_thinking += 1
            self._thinking_weight += weight
        self._n_chars += len(text)
        words = len(text.split())
        # A word that runs on from the chunk before was counted there.
        continues = self._is_in_word and not text[:1].isspace()
        self._n_words += words - (1 if continues and words else 0)
        self._is_in_word = not text[-1:].isspace()

    def believed(self, usage: Mapping[str, object]) -> UsageDelta | None:
        """The counts that hold; None if the count of the answer does not."""
        tokens_out = _count(usage.get("completion_tokens"))
        hidden = self._hidden(usage, tokens_out)
        if tokens_out is None or not self._can_be_out(tokens_out - (hidden or 0)):
            return None
        tokens_in = _count(usage.get("prompt_tokens"))
        if tokens_in is not None and not self._can_be_in(tokens_in):
            tokens_in = None
        cached = _first_count(usage, CACHED_COUNTS)
        return UsageDelta(
            tokens_in=tokens_in,
            tokens_out=tokens_out - (hidden or 0),
            source="runtime",
            tokens_cached=min(cached, tokens_in) if cached and tokens_in else None,
            tokens_hidden=hidden,
        )

    def timed(self, timings: Mapping[str, object]) -> UsageDelta:
        """The times of a llama.cpp server: prefill and decode in ms, as far as they are numbers."""
        return UsageDelta(
            prefill_ms=_milliseconds(timings.get("prompt_ms")),
            decode_ms=_milliseconds(timings.get("predicted_ms")),
            tokens_cached=_count(timings.get("cache_n")),
        )

    def _hidden(self, usage: Mapping[str, object], tokens_out: int | None) -> int | None:
        """Reasoning tokens that were counted and not streamed; None where there are none.

        Where a summary of the reasoning was streamed, its text is far too short for the count.
        """
        reasoning = _first_count(usage, REASONING_COUNTS)
        if reasoning is None or tokens_out is None or reasoning >= tokens_out:
            return None
        seen = max(self._thinking_weight, self._n_thinking)
        hidden = reasoning if not self._n_thinking else reasoning - round(seen)
        return hidden if reasoning > HIDDEN_FACTOR * seen + HIDDEN_SLACK else None

    def _can_be_out(self, tokens: int) -> bool:
        if not self._n_chunks or tokens <= 0:
            return False
        if abs(tokens - self._n_chunks) <= 1:
            return True
        if tokens >= 8 and _is_guess(tokens, self._n_chars, self._n_words):
            return False  # what servers without a tokenizer report
        if tokens > MOST_FACTOR * max(self._n_chunks, self._weight) + 1:
            return False  # of another answer, or with tokens that were never sent
        if abs(tokens - self._n_chunks) <= 0.1 * self._n_chunks:
            return True
        if not MIN_CHARS_PER_TOKEN <= self._n_chars / tokens <= MAX_CHARS_PER_TOKEN:
            return False
        is_in_characters = self._n_chars < 1.5 * self._n_chunks
        if tokens < self._n_chunks and not is_in_characters:
            return False
        return tokens < 8 or tokens != self._n_words

    def _can_be_in(self, tokens: int) -> bool:
        allowance = MAX_TEMPLATE_TOKENS * (self._n_messages + 1)
        if tokens > self._prompt_chars / MIN_CHARS_PER_TOKEN + allowance:
            return False
        if tokens < self._prompt_chars / MAX_CHARS_PER_TOKEN:
            return False
        if tokens >= 8 and _is_guess(tokens, self._prompt_chars, self._prompt_words):
            return False
        return tokens < 8 or tokens != self._prompt_words


def _is_guess(tokens: int, n_chars: int, n_words: int) -> bool:
    """Whether the count is one of the usual guesses: characters or words times a constant."""
    if tokens == n_chars // 4:
        return True
    if tokens < MIN_GUESSED_TOKENS:
        return False
    guesses = [n_words * WORD_FACTOR, *(n_chars / divisor for divisor in CHAR_DIVISORS)]
    return any(math.floor(guess) <= tokens <= math.ceil(guess) for guess in guesses)


def _first_count(usage: Mapping[str, object], places: Sequence[tuple[str, ...]]) -> int | None:
    """The first count above 0 that stands in one of these places, each a name or a path of two."""
    for *group, name in places:
        found = _count(_detail(usage, group[0], name) if group else usage.get(name))
        if found is not None:
            return found
    return None


def _detail(usage: Mapping[str, object], group: str, name: str) -> object:
    details = usage.get(group)
    return details.get(name) if isinstance(details, dict) else None


def _milliseconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value < MAX_MS else None


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if value > 0 else None
