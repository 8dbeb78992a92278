"""Validates request bodies like the real server, with the same error messages.

The server uses FastAPI and pydantic 2.5: an invalid body is answered with 422 and
``{"detail": [...]}``, one entry per error. Null is valid for every field with a default, unknown
keys are ignored, and ``content`` must not be null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

URL = "https://errors.pydantic.dev/2.5/v/"
ROLES = ("system", "user", "assistant", "tool")
Location = tuple[str | int, ...]


class InvalidError(Exception):
    """The body is invalid; ``detail`` is the list of errors that the server returns."""

    def __init__(self, detail: list[dict[str, Any]]) -> None:
        super().__init__("invalid body")
        self.detail = detail


class Range(NamedTuple):
    """Type and limits of an optional number."""

    kind: type
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class ChatBody:
    """The fields of a request that the server uses."""

    model: str
    messages: tuple[tuple[str, str], ...]
    """(role, text); parts that are not text are dropped."""
    max_tokens: int
    is_stream: bool
    is_thinking: bool

    @property
    def last_user_text(self) -> str:
        return next((text for role, text in reversed(self.messages) if role == "user"), "")


_SAMPLING: dict[str, Range] = {
    "temperature": Range(float, 0, 2),
    "top_p": Range(float, 0, 1),
    "top_k": Range(int, 1),
}
_CHAT: dict[str, Range] = {
    **_SAMPLING,
    "max_tokens": Range(int),
    "stream": Range(bool),
    "presence_penalty": Range(float, -2, 2),
    "frequency_penalty": Range(float, -2, 2),
    "repeat_penalty": Range(float, 1, 2),
    "n": Range(int, 1, 1),
    "enable_thinking": Range(bool),
}
_COMPLETION: dict[str, Range] = {
    **_SAMPLING,
    "max_tokens": Range(int, 1),
    "stream": Range(bool),
    "repeat_penalty": Range(float, 1, 2),
    "n": Range(int, 1, 1),
}
DEFAULT_MAX_TOKENS = 512
"""Also for 0, a negative number and null."""


def parse_chat(content_type: str | None, body: bytes) -> ChatBody:
    """The body of ``/v1/chat/completions``. Raises InvalidError."""
    errors: list[dict[str, Any]] = []
    data = _object(content_type, body)
    model = _text(data, "model", errors, default="default")
    messages = _messages(data, errors)
    values = {name: _number(data, name, rule, errors) for name, rule in _CHAT.items()}
    if errors:
        raise InvalidError(errors)
    return ChatBody(
        model=model,
        messages=messages,
        max_tokens=_max_tokens(values["max_tokens"]),
        is_stream=bool(values["stream"]),
        is_thinking=bool(values["enable_thinking"]),
    )


def parse_completion(content_type: str | None, body: bytes) -> ChatBody:
    """The body of ``/v1/completions``; its prompt becomes one user message. Raises InvalidError."""
    errors: list[dict[str, Any]] = []
    data = _object(content_type, body)
    model = _text(data, "model", errors, default="default")
    prompt = _text(data, "prompt", errors)
    values = {name: _number(data, name, rule, errors) for name, rule in _COMPLETION.items()}
    if errors:
        raise InvalidError(errors)
    limit = _max_tokens(values["max_tokens"])
    return ChatBody(model, (("user", prompt),), limit, bool(values["stream"]), False)


def parse_ollama(content_type: str | None, body: bytes, *, is_chat: bool) -> ChatBody:
    """The body of ``/api/chat`` or ``/api/generate``; only ``num_predict`` of the options counts.
    Raises InvalidError."""
    errors: list[dict[str, Any]] = []
    data = _object(content_type, body)
    model = _text(data, "model", errors)
    prompt = () if is_chat else (("user", _text(data, "prompt", errors)),)
    messages = _messages(data, errors) if is_chat else prompt
    options = data.get("options")
    if options is not None and not isinstance(options, dict):
        errors.append(_error("dict_type", ("body", "options"), "valid dictionary", options))
    if errors:
        raise InvalidError(errors)
    wanted = (options or {}).get("num_predict", DEFAULT_MAX_TOKENS)
    limit = _max_tokens(int(wanted) if isinstance(wanted, int | float) else None)
    return ChatBody(model, messages, limit, False, False)


def parse_load(content_type: str | None, body: bytes) -> str:
    """The model named by ``/v1/models/load``. Raises InvalidError."""
    errors: list[dict[str, Any]] = []
    data = _object(content_type, body)
    model = _text(data, "model", errors)
    for name in ("max_context_len", "num_npu_core"):
        _number(data, name, Range(int), errors)
    if errors:
        raise InvalidError(errors)
    return model


def _max_tokens(value: float | None) -> int:
    return int(value) if value is not None and value > 0 else DEFAULT_MAX_TOKENS


def _object(content_type: str | None, body: bytes) -> dict[str, Any]:
    if not body:
        raise InvalidError([_missing(("body",), None)])
    kind = (content_type or "application/json").partition(";")[0].strip().lower()
    data: Any = body.decode("utf-8", "replace")
    if kind == "application/json" or kind.endswith("+json"):
        try:
            data = json.loads(data)
        except json.JSONDecodeError as error:
            detail = {
                "type": "json_invalid",
                "loc": ["body", error.pos],
                "msg": "JSON decode error",
                "input": {},
                "ctx": {"error": error.msg},
            }
            raise InvalidError([detail]) from error
        except RecursionError as error:
            raise InvalidError([_missing(("body",), None)]) from error
    if not isinstance(data, dict):
        what = "valid dictionary or object to extract fields from"
        raise InvalidError([_error("model_attributes_type", ("body",), what, data)])
    return data


def _messages(data: dict[str, Any], errors: list[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    where: Location = ("body", "messages")
    if "messages" not in data:
        errors.append(_missing(where, data))
        return ()
    messages = data["messages"]
    if not isinstance(messages, list):
        errors.append(_error("list_type", where, "valid list", messages))
        return ()
    found: list[tuple[str, str]] = []
    for index, message in enumerate(messages):
        at = (*where, index)
        if not isinstance(message, dict):
            what = "valid dictionary or object to extract fields from"
            errors.append(_error("model_attributes_type", at, what, message))
            continue
        found.append((_role(message, at, errors), _content(message, at, errors)))
    return tuple(found)


def _role(message: dict[str, Any], at: Location, errors: list[dict[str, Any]]) -> str:
    if "role" not in message:
        errors.append(_missing((*at, "role"), message))
        return ""
    role = message["role"]
    if role in ROLES:
        return str(role)
    expected = "'system', 'user', 'assistant' or 'tool'"
    errors.append(
        {
            "type": "enum",
            "loc": [*at, "role"],
            "msg": f"Input should be {expected}",
            "input": role,
            "ctx": {"expected": expected},
        }
    )
    return ""


def _content(message: dict[str, Any], at: Location, errors: list[dict[str, Any]]) -> str:
    where = (*at, "content")
    if "content" not in message:
        errors.append(_missing(where, message))
        return ""
    content = message["content"]
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        texts = (part.get("text") for part in content if part.get("type") == "text")
        return "".join(text for text in texts if isinstance(text, str))
    errors.append(_error("string_type", (*where, "str"), "valid string", content))
    errors.append(_error("list_type", (*where, "list[ContentPart]"), "valid list", content))
    return ""


def _text(
    data: dict[str, Any], name: str, errors: list[dict[str, Any]], default: str | None = None
) -> str:
    if name not in data:
        if default is None:
            errors.append(_missing(("body", name), data))
        return default or ""
    value = data[name]
    if not isinstance(value, str):
        errors.append(_error("string_type", ("body", name), "valid string", value))
        return ""
    return value


class _RefusedError(ValueError):
    """A value of the wrong type: pydantic's name of the error, and the end of its message."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(kind)
        self.kind = kind
        self.what = what


def _number(
    data: dict[str, Any], name: str, rule: Range, errors: list[dict[str, Any]]
) -> float | None:
    """An optional number or boolean, converted in pydantic's lax mode and checked for its
    limits."""
    value = data.get(name)
    if value is None:
        return None
    where = ("body", name)
    try:
        number = _LAX[rule.kind](value)
    except _RefusedError as error:
        errors.append(_error(error.kind, where, error.what, value))
        return None
    if rule.low is not None and not number >= rule.low:
        errors.append(_beyond("greater", "ge", where, rule.kind(rule.low), value))
    elif rule.high is not None and not number <= rule.high:
        errors.append(_beyond("less", "le", where, rule.kind(rule.high), value))
    return number


def _lax_bool(value: Any) -> float:
    words = {"true": 1, "t": 1, "yes": 1, "y": 1, "on": 1, "1": 1}
    words |= {"false": 0, "f": 0, "no": 0, "n": 0, "off": 0, "0": 0}
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    if isinstance(value, bool | int | float) and value in (0, 1):
        return int(value)
    if isinstance(value, bool | int | float | str):
        raise _RefusedError("bool_parsing", "valid boolean, unable to interpret input")
    raise _RefusedError("bool_type", "valid boolean")


def _lax_int(value: Any) -> float:
    if isinstance(value, int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        if value.is_integer():
            return int(value)
        what = "valid integer, got a number with a fractional part"
        raise _RefusedError("int_from_float", what)
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            what = "valid integer, unable to parse string as an integer"
            raise _RefusedError("int_parsing", what) from None
    raise _RefusedError("int_type", "valid integer")


def _lax_float(value: Any) -> float:
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            what = "valid number, unable to parse string as a number"
            raise _RefusedError("float_parsing", what) from None
    raise _RefusedError("float_type", "valid number")


_LAX: dict[type, Callable[[Any], float]] = {bool: _lax_bool, int: _lax_int, float: _lax_float}


def _beyond(kind: str, short: str, where: Location, limit: float, found: Any) -> dict[str, Any]:
    kind_name = f"{kind}_than_equal"
    return {
        "type": kind_name,
        "loc": list(where),
        "msg": f"Input should be {kind} than or equal to {limit:g}",
        "input": found,
        "ctx": {short: limit},
        "url": URL + kind_name,
    }


def _missing(where: Location, found: Any) -> dict[str, Any]:
    return {
        "type": "missing",
        "loc": list(where),
        "msg": "Field required",
        "input": found,
        "url": f"{URL}missing",
    }


def _error(kind: str, where: Location, what: str, found: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "loc": list(where),
        "msg": f"Input should be a {what}",
        "input": found,
        "url": URL + kind,
    }
