"""The texts of one ``delta`` or ``message``: thinking, answer, refusal, and what is none of these.

Servers name thinking differently, and send strings, parts and lists of parts. What looks like a
piece of an answer and has no known place is given out as such, never dropped. Nothing here raises.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from tui.core.types import Delta, RefusalDelta, TextDelta, ThinkingDelta, UnreadDelta
from tui.servers.dialects.chunk import MAX_UNREAD_CHARS

Json = object

MAX_DEPTH = 4
_THINKING_FIELDS = (
    "reasoning_content",
    "reasoning",
    "thinking",
    "reasoning_text",
    "thought",
    "reasoning_details",
)
"""In this order: several of them hold the same words, so the first that has some counts."""
_TOOL_FIELDS = ("tool_calls", "function_call", "tool_call")
_TEXT_NAMES = (
    "text", "content", "think", "thought", "reason", "answer", "message", "output", "response",
    "token", "audio", "speech", "transcript", "delta",
)  # fmt: skip
"""A field whose name holds one of these may hold words of the answer."""
_NO_TEXT_NAMES = ("signature", "_id", "finish_reason", "stop_reason", "encrypted")
_PART_FIELDS = frozenset(("type", "id", "index", "role", "annotations", "signature"))


def deltas_of(part: Mapping[str, Json]) -> list[Delta]:
    """The texts of a ``delta`` or ``message``, in the order thinking, answer, refusal; then what
    could not be read, as an :class:`~tui.core.types.UnreadDelta`."""
    deltas: list[Delta] = []
    thought = next(
        (found for name in _THINKING_FIELDS if (found := plain_text(part.get(name)))), ""
    )
    if thought:
        deltas.append(ThinkingDelta(thought))
    _add_content(part.get("content"), deltas)
    refusal = part.get("refusal")
    if isinstance(refusal, str) and refusal:
        deltas.append(RefusalDelta(refusal))
    if len(part) > len(deltas):
        _add_unread(part, deltas)
    return deltas


def _add_unread(part: Mapping[str, Json], deltas: list[Delta]) -> None:
    """A call of a tool; and where nothing was read, the fields that may hold what was sent."""
    calls = {name: part[name] for name in _TOOL_FIELDS if part.get(name)}
    if _names_a_tool(list(calls.values())):
        deltas.append(_unread(calls, is_loss=False))
    if deltas or calls:
        return
    fields = {
        name: value for name, value in part.items() if _is_text_name(name) and _holds_words(value)
    }
    if fields:
        deltas.append(_unread(fields, is_loss=False))


def _is_text_name(name: str) -> bool:
    lower = name.lower()
    return (
        lower != "content"
        and any(word in lower for word in _TEXT_NAMES)
        and not any(word in lower for word in _NO_TEXT_NAMES)
    )


def _names_a_tool(value: Json, depth: int = 0) -> bool:
    """Whether a call begins here; the pieces after it hold only more of its arguments."""
    if isinstance(value, list):
        return depth < MAX_DEPTH and any(_names_a_tool(item, depth + 1) for item in value)
    if not isinstance(value, dict):
        return False
    inner = value.get("function")
    return bool(value.get("name")) or (isinstance(inner, dict) and bool(inner.get("name")))


def _holds_words(value: Json, depth: int = 0) -> bool:
    if isinstance(value, str):
        return bool(value.strip())
    if isinstance(value, dict):
        inner: list[Json] = [item for name, item in value.items() if name not in _PART_FIELDS]
    else:
        inner = value if isinstance(value, list) else []
    # What is nested deeper than any known format is not nothing.
    return bool(inner) if depth > MAX_DEPTH else any(_holds_words(one, depth + 1) for one in inner)


def _unread(value: Json, *, is_loss: bool) -> UnreadDelta:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = "what is nested too deep"
    return UnreadDelta(text[:MAX_UNREAD_CHARS], is_loss)


def _add_content(content: Json, deltas: list[Delta]) -> None:
    """A string, null, one part, or a list of parts that each say what they are."""
    if isinstance(content, str):
        if content:
            deltas.append(TextDelta(content))
    elif isinstance(content, list):
        for part in content:
            _add_part(part, deltas)
    elif content is not None:
        _add_part(content, deltas)


def _add_part(part: Json, deltas: list[Delta]) -> None:
    """One part of a content: a string, or an object that says what it is."""
    if not isinstance(part, dict):
        text = plain_text(part)
        if text:
            deltas.append(TextDelta(text))
        elif _holds_words(part) or (isinstance(part, int | float) and not isinstance(part, bool)):
            deltas.append(_unread(part, is_loss=True))
        return
    kind = part.get("type")
    kind = kind if isinstance(kind, str) else "text"
    if "thinking" in kind or "reasoning" in kind:
        named = [part.get(name) for name in (kind, "thinking", "reasoning", "summary", "text")]
        text = next((found for value in named if (found := plain_text(value))), "")
        made: Delta = ThinkingDelta(text)
    elif kind == "refusal":
        text = plain_text(part.get("refusal")) or plain_text(part.get("text"))
        made = RefusalDelta(text)
    else:
        text = plain_text(part.get("text")) or plain_text(part.get("content"))
        made = TextDelta(text)
    if text:
        deltas.append(made)
    elif _holds_words(part):
        deltas.append(_unread(part, is_loss="text" in kind))


def plain_text(value: Json, depth: int = 0) -> str:
    """The text of a string, of a part, or of a list of them."""
    if isinstance(value, str):
        return value
    if depth > MAX_DEPTH:
        return ""
    if isinstance(value, list):
        return "".join(plain_text(item, depth + 1) for item in value)
    if isinstance(value, dict):
        return plain_text(value.get("text"), depth + 1) or plain_text(
            value.get("content"), depth + 1
        )
    return ""
