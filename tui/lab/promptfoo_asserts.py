"""Converts promptfoo's assertions to checks of a prompt set."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tui.lab.sets.variables import names_in

Table = dict[str, Any]


def _equals(one: Mapping[str, Any]) -> Table | None:
    value = one.get("value")
    if isinstance(value, str):
        return {"kind": "equals", "text": value}
    is_plain = isinstance(value, int | float) and not isinstance(value, bool)
    return {"kind": "equals", "text": str(value)} if is_plain else None


def _has_text(*, any_case: bool) -> Callable[[Mapping[str, Any]], Table | None]:
    def make(one: Mapping[str, Any]) -> Table | None:
        value = one.get("value")
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            return None
        return {"kind": "has_text", "text": value, **({"any_case": True} if any_case else {})}

    return make


def _words(value: Any) -> list[str] | None:
    """A list of texts, or one text split at commas; promptfoo accepts both. None for other
    values."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
        return None
    return value


def _any_of(*, any_case: bool, is_all: bool) -> Callable[[Mapping[str, Any]], Table | None]:
    """A check for any or all of several texts, as one regular expression."""

    def make(one: Mapping[str, Any]) -> Table | None:
        words = _words(one.get("value"))
        if words is None or any(names_in(word) for word in words):
            return None
        flags = "(?is)" if any_case else "(?s)"
        escaped = [re.escape(word) for word in words]
        if is_all:
            return {"kind": "has_match", "pattern": flags + "^" + "".join(
                f"(?=.*{word})" for word in escaped
            )}  # fmt: skip
        return {"kind": "has_match", "pattern": flags + "|".join(escaped)}

    return make


def _regex(one: Mapping[str, Any]) -> Table | None:
    value = one.get("value")
    if not isinstance(value, str):
        return None
    try:
        re.compile(value)
    except (re.error, RecursionError, OverflowError):
        return None
    return {"kind": "has_match", "pattern": value}


def _starts_with(one: Mapping[str, Any]) -> Table | None:
    value = one.get("value")
    return {"kind": "starts_with", "text": value} if isinstance(value, str) else None


def _is_json(one: Mapping[str, Any]) -> Table | None:
    return None if one.get("value") is not None else {"kind": "valid_json"}


def _latency(one: Mapping[str, Any]) -> Table | None:
    limit = one.get("threshold")
    is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
    return {"kind": "latency", "max_ms": float(limit)} if is_number else None  # type: ignore[arg-type]


ASSERTS: dict[str, Callable[[Mapping[str, Any]], Table | None]] = {
    "equals": _equals,
    "contains": _has_text(any_case=False),
    "icontains": _has_text(any_case=True),
    "contains-any": _any_of(any_case=False, is_all=False),
    "icontains-any": _any_of(any_case=True, is_all=False),
    "contains-all": _any_of(any_case=False, is_all=True),
    "icontains-all": _any_of(any_case=True, is_all=True),
    "regex": _regex,
    "starts-with": _starts_with,
    "is-json": _is_json,
    "latency": _latency,
}
"""promptfoo's assert type -> function that makes the check, or None for an unusable value."""
