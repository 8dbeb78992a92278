"""Reads one chunk of a chat stream: JSON values, texts by kind, errors.

Servers agree on ``{"choices": [{"delta": {"content"}}]}`` and on little else. Nothing here raises.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from tui.core.types import Delta, ModelDelta, RefusalDelta, TextDelta, ThinkingDelta, UnreadDelta

Json = object

DONE = "[DONE]"
"""The end mark; its letter case differs, and some servers leave the brackets out."""
_DONE_WORDS = frozenset(("[done]", "done"))
_ERROR_STARTS = (
    "error", "exception", "traceback", "fatal", "failed", "failure", "internal error",
    "internal server error", "server error", "runtime error", "runtimeerror", "valueerror",
)  # fmt: skip
_ERROR_FIELDS = ("error", "errors", "error_msg", "error_message", "exception")
_END_KINDS = frozenset(("done", "end", "complete", "completed", "finish", "message_stop"))
_FAILED_WORDS = frozenset(("error", "failed", "failure", "fail"))
_TEXT_FIELDS = (
    "content", "text", "message", "response", "delta", "output", "token", "msg", "answer", "data",
    "result", "generated_text",
)  # fmt: skip
MAX_MODEL_CHARS = 400
MAX_UNREAD_CHARS = 400
MIN_REPEATED_CHARS = 20
"""Shorter pieces may well be said twice."""
_TEXTS = (TextDelta, ThinkingDelta, RefusalDelta)

_JSON = json.JSONDecoder()


def json_values(data: str) -> tuple[list[Json], str]:
    """The JSON values of one event, ``[DONE]`` as that string, and the text that is none.

    Where the blank line between two events is missing, or even the line break, an event holds
    several values. One value may also stand on several lines.
    """
    if data.strip().lower() in _DONE_WORDS:
        return [DONE], ""
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
        elif line_at[: len(DONE)].upper() == DONE:
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
        return bool(error_of_choice(chunk))
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


def error_of_choice(chunk: Mapping[str, Json]) -> dict[str, Json] | None:
    """What holds the error that a chunk with choices reports in one; None where there is none."""
    choice = first_choice(chunk.get("choices"))
    for part in (choice, choice.get("delta"), choice.get("message")):
        if isinstance(part, dict) and any(part.get(name) for name in _ERROR_FIELDS):
            return part
    return None


def is_error_kind(kind: str) -> bool:
    """Whether an event of this type (``event: error``) reports an error."""
    plain = kind.strip().lower()
    return plain.endswith(("error", "exception")) or plain in _FAILED_WORDS


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


def holds_text_below(value: Json, depth: int = 7) -> bool:
    """Whether anything below an object of no known shape has that name and is a text."""
    if depth == 0:
        return False
    if isinstance(value, dict):
        return any(
            (isinstance(one, str) and name in _TEXT_FIELDS and bool(one.strip()))
            or holds_text_below(one, depth - 1)
            for name, one in value.items()
        )
    return isinstance(value, list) and any(holds_text_below(one, depth - 1) for one in value)


def has_text(deltas: Iterable[Delta]) -> bool:
    """Whether these deltas hold any text."""
    return any(isinstance(delta, _TEXTS) and delta.text for delta in deltas)


def is_end_kind(kind: str) -> bool:
    """Whether an event of this type (``event: done``) ends the stream."""
    return kind.strip().lower() in _END_KINDS


def first_choice(choices: Json) -> dict[str, Json]:
    """The first choice; empty where there is none (a chunk that carries only usage)."""
    first = choices[0] if isinstance(choices, list) and choices else choices
    return first if isinstance(first, dict) else {}


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
            elif not ends.has_begun(text):
                new.append(UnreadDelta(text[:MAX_UNREAD_CHARS]))
        return new + [delta for delta in message if not isinstance(delta, _TEXTS)]

    def without_repetition(self, last: list[Delta]) -> list[Delta]:
        """The deltas of the last chunk, without one that repeats the whole answer once more."""
        return [
            delta
            for delta in last
            if not isinstance(delta, _TEXTS)
            or len(delta.text) < MIN_REPEATED_CHARS
            or not self._ends.setdefault(type(delta), _Ends()).are_of(delta.text)
        ]


class _Ends:
    """The length, the beginning and the end of a text that is not kept whole."""

    __slots__ = ("_head", "_tail", "n_blank", "n_chars", "n_pieces")

    SIZE = 64

    def __init__(self) -> None:
        self.n_chars = 0
        self.n_pieces = 0
        self.n_blank = 0
        """White space at the beginning, which a server may leave out of a message."""
        self._head = ""
        self._tail = ""

    def add(self, text: str) -> None:
        self.n_pieces += 1
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

    def has_begun(self, text: str) -> bool:
        """Whether ``text`` is this text or its beginning, as far as is known."""
        text, head = text.strip(), self._head.lstrip()
        return text[: len(head)] == head[: len(text)]

    def are_of(self, text: str) -> bool:
        """Whether ``text`` is the text of several pieces and nothing more, as far as is known."""
        return self.n_pieces > 2 and len(text) == self.n_chars and self.begin(text)

    def rest_of(self, text: str) -> str:
        """What stands in ``text`` after this text; nothing where it goes another way."""
        for n_chars in (self.n_chars, self.n_chars - self.n_blank):
            if self._ends_at(text, n_chars):
                return text[n_chars:]
        return ""

    def _ends_at(self, text: str, n_chars: int) -> bool:
        tail = self._tail[-n_chars:] if n_chars else ""
        return len(text) >= n_chars and text[n_chars - len(tail) : n_chars] == tail
