"""Sanitises all strings of a record, as journals and files are input from outside."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

import msgspec

from tui.core.text.sanitize import clean_line

MAX_CHARS = 400
T = TypeVar("T")


def cleaned(record: T) -> T:
    """The record with all its strings, at any depth, as single sanitised lines."""
    return cast("T", _cleaned(record))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean_line(value, MAX_CHARS)
    if isinstance(value, tuple):
        return tuple(_cleaned(part) for part in value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(part) for key, part in value.items()}
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, **_changes(value, value.__struct_fields__))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **_changes(value, tuple(one.name for one in fields(value))))
    return value


def _changes(record: object, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields that change; numbers are skipped, as most of a document is numbers."""
    kept = ((name, getattr(record, name)) for name in names)
    return {
        name: made
        for name, value in kept
        if not isinstance(value, int | float | None) and (made := _cleaned(value)) != value
    }
