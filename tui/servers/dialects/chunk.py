"""What one piece of a chat stream holds: its JSON values, its texts by kind, an error.

Servers agree on ``{"choices": [{"delta": {"content"}}]}`` and on little else. Nothing here raises.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from tui.core.types import Delta, ModelDelta, RefusalDelta, TextDelta, ThinkingDelta

Json = object

DONE = "[DONE]"
_ERROR_STARTS = (
    "error", "exception", "traceback", "fatal", "failed", "failure", "internal error",
    "internal server error", "server error", "runtime error", "runtimeerror", "valueerror",
)  # fmt: skip
_ERROR_FIELDS = ("error", "errors", "error_msg", "error_message", "exception")
_FAILED_WORDS = frozenset(("error", "failed", "failure", "fail"))
_TEXT_FIELDS = (
    "content", "text", "message", "response", "delta", "output", "token", "msg", "answer", "data",
    "result", "generated_text",
)  # fmt: skip
MAX_DEPTH = 4
MAX_MODEL_CHARS = 400
_TEXTS = (TextDelta, ThinkingDelta, RefusalDelta)

_JSON = json.JSONDecoder()


def json_values(data: str) -> tuple[list[Json], str]:
    """The JSON values of one event, ``[DONE]`` as that string, and the text that is none.

    Where the blank line between two events is missing, or even the line break, an event holds
    several values. One value may also stand on several lines.
    """
    try:
        return [json.loads(data)], ""
    except (ValueError, RecursionError):
        pass
    values: list[Json] = []
    rest: list[str] = []
    for line in data.split("\n"):
        left = _line_values(line, values)
        if left:
            rest.append(left)
    return values, "\n".join(rest)


def _line_values(line: str, values: list[Json]) -> str:
    """Appends the values of one line; returns what is left of it."""
    at = 0
    while True:
        line_at = line[at : at + 64].lstrip()
        at += len(line[at : at + 64]) - len(line_at)
        if not line_at:
            if at >= len(line):
                return ""
            continue
        if line_at[:5].lower() == "data:":
            at += 5
        elif line_at.startswith(DONE):
            values.append(DONE)
            at += len(DONE)
        else:
            try:
                value, at = _JSON.raw_decode(line, at)
            except (ValueError, RecursionError):
                return line[at:].strip()
            if not isinstance(value, dict | str):
                return line[at:].strip()
            values.append(value)


def is_error_text(text: str) -> bool:
    """Whether plain text begins as the report of an error does."""
    start = text[:80].lstrip(" \t\r\n[(*#").lower()
    return any(
        start.startswith(word) and not start[len(word) : len(word) + 1].isalnum()
        for word in _ERROR_STARTS
    )


def without_error_word(text: str) -> str:
    """``Error: no memory`` as ``no memory``."""
    word, colon, rest = text.partition(":")
    return rest.strip() if colon and word.strip().lower() == "error" and rest.strip() else text


def is_error(chunk: Mapping[str, Json]) -> bool:
    """Whether this object reports an error. ``"error": null`` beside choices does not."""
    if any(chunk.get(name) for name in _ERROR_FIELDS):
        return True
    if chunk.get("choices"):
        first = first_choice(chunk.get("choices"))
        return bool(first.get("error"))
    code = chunk.get("code", chunk.get("status_code"))
    has_words = any(isinstance(chunk.get(name), str) for name in ("message", "msg", "reason"))
    is_code = isinstance(code, int) and not isinstance(code, bool) and code >= 400
    status = chunk.get("status")
    return (
        "detail" in chunk
        or (isinstance(status, str) and status.lower() in _FAILED_WORDS)
        or "error" in (chunk.get("object"), chunk.get("type"))
        or (has_words and (is_code or isinstance(code, str)))
        or (has_words and chunk.get("success") is False)
        or (has_words and isinstance(status, int) and status >= 400)
    )


_NO_NAMES = frozenset(("", "default", "none", "null", "unknown"))


def model_of(chunk: Mapping[str, Json]) -> ModelDelta | None:
    """The model that a chunk names, where that is a name."""
    name = chunk.get("model")
    if not isinstance(name, str) or name.strip().casefold() in _NO_NAMES:
        return None
    return ModelDelta(name.strip()[:MAX_MODEL_CHARS])


def holds_text(chunk: Mapping[str, Json]) -> bool:
    """Whether an object of no known shape has something that looks like text of an answer."""
    return any(chunk.get(name) for name in _TEXT_FIELDS)


def first_choice(choices: Json) -> dict[str, Json]:
    """The first choice; empty where there is none (a chunk that carries only usage)."""
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0]
    return {}


def deltas_of(part: Mapping[str, Json]) -> list[Delta]:
    """The texts of a ``delta`` or ``message``, in the order thinking, answer, refusal."""
    deltas: list[Delta] = []
    thought = plain_text(part.get("reasoning_content")) or plain_text(part.get("reasoning"))
    if thought:
        deltas.append(ThinkingDelta(thought))
    _add_content(part.get("content"), deltas)
    refusal = part.get("refusal")
    if isinstance(refusal, str) and refusal:
        deltas.append(RefusalDelta(refusal))
    return deltas


def _add_content(content: Json, deltas: list[Delta]) -> None:
    """A string, null, one part, or a list of parts that each say what they are."""
    if isinstance(content, str):
        if content:
            deltas.append(TextDelta(content))
    elif isinstance(content, dict):
        _add_part(content, deltas)
    elif isinstance(content, list):
        for part in content:
            if isinstance(part, dict):
                _add_part(part, deltas)
            elif isinstance(part, str) and part:
                deltas.append(TextDelta(part))


def _add_part(part: Mapping[str, Json], deltas: list[Delta]) -> None:
    kind = part.get("type")
    kind = kind if isinstance(kind, str) else "text"
    if "thinking" in kind or "reasoning" in kind:
        named = [part.get(name) for name in (kind, "thinking", "reasoning", "summary", "text")]
        text = next((found for value in named if (found := plain_text(value))), "")
        if text:
            deltas.append(ThinkingDelta(text))
    elif kind == "refusal":
        text = plain_text(part.get("refusal")) or plain_text(part.get("text"))
        if text:
            deltas.append(RefusalDelta(text))
    else:
        text = plain_text(part.get("text")) or plain_text(part.get("content"))
        if text:
            deltas.append(TextDelta(text))


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


class AnswerSoFar:
    """Makes deltas of a ``message``, which holds the answer so far and not what is new in it.

    Some servers send it in every chunk, some once at the end, after all deltas; a few send what is
    new under that name. Only the ends of the text are kept, to know it again.
    """

    __slots__ = ("_ends", "_is_piecewise")

    def __init__(self) -> None:
        self._ends: dict[type, _Ends] = {}
        self._is_piecewise: bool | None = None
        """Whether ``message`` holds only what is new; None as long as that is not known."""

    def add(self, deltas: list[Delta]) -> None:
        """Text that came as deltas: a message after it is the answer so far."""
        for delta in deltas:
            if isinstance(delta, _TEXTS) and delta.text:
                self._is_piecewise = False
                self._ends.setdefault(type(delta), _Ends()).add(delta.text)

    def new_in(self, message: list[Delta]) -> list[Delta]:
        """What a message adds to the text that has come."""
        texts: dict[type, str] = {}
        for delta in message:
            if isinstance(delta, _TEXTS):
                texts[type(delta)] = texts.get(type(delta), "") + delta.text
        new: list[Delta] = []
        for kind, text in texts.items():
            ends = self._ends.setdefault(kind, _Ends())
            if self._is_piecewise is None and ends.n_chars:
                self._is_piecewise = not ends.begin(text)
            added = text if self._is_piecewise else ends.rest_of(text)
            if added:
                ends.add(added)
                new.append(kind(added))
        return new


class _Ends:
    """The length, the beginning and the end of a text that is not kept whole."""

    __slots__ = ("_head", "_tail", "n_blank", "n_chars")

    SIZE = 64

    def __init__(self) -> None:
        self.n_chars = 0
        self.n_blank = 0
        """White space at the beginning, which a server may leave out of a message."""
        self._head = ""
        self._tail = ""

    def add(self, text: str) -> None:
        if self.n_blank == self.n_chars:
            self.n_blank += len(text) - len(text.lstrip())
        self.n_chars += len(text)
        self._head = (self._head + text[: self.SIZE])[: self.SIZE]
        self._tail = (self._tail + text[-self.SIZE :])[-self.SIZE :]

    def begin(self, text: str) -> bool:
        """Whether ``text`` begins with this text, as far as that is known."""
        return text.startswith(self._head[: len(text)]) and (
            len(text) <= self.n_chars or self._ends_at(text, self.n_chars)
        )

    def rest_of(self, text: str) -> str:
        """What stands in ``text`` after this text; nothing where it goes another way."""
        for n_chars in (self.n_chars, self.n_chars - self.n_blank):
            if self._ends_at(text, n_chars):
                return text[n_chars:]
        return ""

    def _ends_at(self, text: str, n_chars: int) -> bool:
        tail = self._tail[-n_chars:] if n_chars else ""
        return len(text) >= n_chars and text[n_chars - len(tail) : n_chars] == tail
