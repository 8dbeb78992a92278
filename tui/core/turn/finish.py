"""Finish reasons: the word that a server gives for the end of an answer, and its meaning.

OpenAI's words are ``stop``, ``length``, ``tool_calls``, ``function_call`` and ``content_filter``;
other servers have their own. Some put an empty word into every chunk that is not the last.
"""

from __future__ import annotations

_NO_WORDS = frozenset(
    (
        "", "null", "none", "nil", "undefined", "unknown", "unspecified", "false", "n/a", "_",
        "in_progress", "not_finished", "generating", "pending", "running",
    )
)  # fmt: skip
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
_ENDS = frozenset(
    [
        "stop",
        "eos",
        "eos_token",
        "eot",
        "eot_token",
        "eot_id",
        "eos_token_id",
        "im_end",
        "end_of_turn",
        "s",
        "end",
        "end_of_text",
        "end_turn",
        "endoftext",
        "stop_sequence",
        "stop_token",
        "stop_word",
        "stop_str",
        "stop_string",
        "stopped",
        "complete",
        "completed",
        "done",
        "finish",
        "finished",
        "success",
    ]
)
_TOOLS = frozenset(("tool_calls", "tool_call", "tool_use", "function_call", "function_calls"))
_PREFIX = "finish_reason_"


def _plain(word: str) -> str:
    plain = word.strip().strip("<|/>.").lower().replace("-", "_").replace(" ", "_")
    return plain.removeprefix(_PREFIX)


def is_finish(word: str) -> bool:
    """Whether the word says that the answer is over at all; empty and null-like words do not."""
    return _plain(word) not in _NO_WORDS


def is_good(word: str) -> bool:
    """Whether the answer ended as it should: at its end, at its limit, or with a tool call."""
    return _plain(word) in _ENDS or is_limit(word) or is_tool(word)


def is_limit(word: str | None) -> bool:
    """Whether the answer was cut off at the token limit."""
    return word is not None and _plain(word) in _LIMITS


def is_tool(word: str | None) -> bool:
    """Whether the answer ended with the call of a tool."""
    return word is not None and _plain(word) in _TOOLS


def word_of(value: object) -> str | None:
    """The word in a finish reason of any shape: ``{"type": "stop"}`` and ``["stop"]`` hold one."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        named = (value.get(name) for name in ("type", "reason", "finish_reason", "name"))
        value = next((word for word in named if isinstance(word, str)), None)
    return value if isinstance(value, str) else None
