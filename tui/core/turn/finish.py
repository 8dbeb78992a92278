"""The word that a server gives for the end of an answer, and what it means.

OpenAI's words are ``stop``, ``length``, ``tool_calls``, ``function_call`` and ``content_filter``;
other servers have their own. Some put an empty word into every chunk that is not the last.
"""

from __future__ import annotations

_NO_WORDS = frozenset(("", "null", "none", "nil", "undefined", "unknown", "false", "n/a", "-"))
_LIMITS = frozenset(
    [
        "length",
        "max_tokens",
        "max_length",
        "max_new_tokens",
        "max_output_tokens",
        "model_length",
        "limit",
    ]
)
_GOOD = _LIMITS | frozenset(
    [
        "stop",
        "eos",
        "eos_token",
        "eot",
        "eot_token",
        "end",
        "end_of_text",
        "end_turn",
        "endoftext",
        "stop_sequence",
        "stop_token",
        "stop_word",
        "stopped",
        "complete",
        "completed",
        "done",
        "finish",
        "finished",
        "success",
        "tool_calls",
        "tool_call",
        "tool_use",
        "function_call",
    ]
)


def _plain(word: str) -> str:
    return word.strip().strip("<|>").lower().replace("-", "_").replace(" ", "_")


def is_finish(word: str) -> bool:
    """Whether the word says that the answer is over at all; empty and null-like words do not."""
    return word.strip().lower() not in _NO_WORDS


def is_good(word: str) -> bool:
    """Whether the answer ended as it should: at its end, at its limit, or with a tool call."""
    return _plain(word) in _GOOD


def is_limit(word: str | None) -> bool:
    """Whether the answer was cut off at the token limit."""
    return word is not None and _plain(word) in _LIMITS
