"""Parses the JSON that ``npulse board --json`` prints, here or on another machine."""

from __future__ import annotations

import math
from datetime import datetime

import msgspec

from tui.core.board.reading import Reading, ReadingValue, Snapshot
from tui.core.text.sanitize import clean_line

MAX_READINGS = 500
MAX_VALUES = 1024
MAX_CHARS = 200


class _Reading(msgspec.Struct):
    value: float | int | str | list[float | int | None] | None = None
    unit: str = ""
    source: str = ""
    reason: str | None = None
    flags: list[str] = []


class _Snapshot(msgspec.Struct):
    t_ns: int
    time: str
    readings: dict[str, _Reading]


def snapshot_of(line: bytes) -> Snapshot:
    """The snapshot of one JSON line, the reverse of :func:`tui.board.advice.report.to_json`. Every
    text is sanitised. Raises ValueError if the line is not such a snapshot."""
    try:
        told = msgspec.json.decode(line, type=_Snapshot)
        seconds = datetime.fromisoformat(told.time).timestamp()
    except (msgspec.DecodeError, RecursionError, OverflowError, OSError) as error:
        raise ValueError("no snapshot of a board") from error
    if len(told.readings) > MAX_READINGS or not 0 <= told.t_ns < 1 << 62:
        raise ValueError("no snapshot of a board")
    readings = {_line(name): _reading(one) for name, one in told.readings.items()}
    return Snapshot(told.t_ns, seconds, readings)


def _reading(told: _Reading) -> Reading:
    flags = tuple(map(_line, told.flags[:MAX_VALUES]))
    unit, source = _line(told.unit), _line(told.source)
    value = _value(told.value)
    if value is None:
        return Reading(None, unit, source, _line(told.reason or "not told"), flags)
    return Reading(value, unit, source, None, flags)


def _value(value: float | int | str | list[float | int | None] | None) -> ReadingValue:
    if isinstance(value, str):
        return _line(value)
    if isinstance(value, list):
        return tuple(map(_number, value[:MAX_VALUES]))
    return _number(value)


def _number(value: float | int | None) -> float | int | None:
    return value if value is not None and math.isfinite(value) else None


def _line(text: str) -> str:
    return clean_line(text, MAX_CHARS)
