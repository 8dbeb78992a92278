"""Whether the token counts that a server reports can be tokens at all.

Servers report words, characters or the counts of another answer as tokens. A count is believed only
if it agrees with what was seen on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping

from tui.core.types import ChatRequest, UsageDelta

MIN_CHARS_PER_TOKEN = 0.3
"""An emoji can take three tokens; no text takes more than that."""
MAX_CHARS_PER_TOKEN = 12.0
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
        self._is_in_word = False

    def count(self, text: str) -> None:
        """One non-empty chunk of text or thinking."""
        self._n_chunks += 1
        self._n_chars += len(text)
        words = len(text.split())
        # A word that runs on from the chunk before was counted there.
        continues = self._is_in_word and not text[:1].isspace()
        self._n_words += words - (1 if continues and words else 0)
        self._is_in_word = not text[-1:].isspace()

    def believed(self, usage: Mapping[str, object]) -> UsageDelta | None:
        """The counts that hold; None if the count of the answer does not."""
        tokens_out = _count(usage.get("completion_tokens"))
        if tokens_out is None or not self._can_be_out(tokens_out):
            return None
        tokens_in = _count(usage.get("prompt_tokens"))
        if tokens_in is not None and not self._can_be_in(tokens_in):
            tokens_in = None
        return UsageDelta(tokens_in=tokens_in, tokens_out=tokens_out, source="runtime")

    def _can_be_out(self, tokens: int) -> bool:
        if not self._n_chunks:
            return False
        if abs(tokens - self._n_chunks) <= max(1, 0.1 * self._n_chunks):
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
        return tokens < 8 or tokens != self._prompt_words


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if value > 0 else None
