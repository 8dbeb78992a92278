"""Reads JSON values from text that has other lines around them, or one value per line."""

from __future__ import annotations

import json
import re
from typing import Any

_START = re.compile(r"^[ \t]*[{\[]", re.MULTILINE)
MAX_FAILED_STARTS = 200
"""After this many lines that only look like JSON, the rest of the file is not read."""


def json_values(text: str) -> list[Any]:
    """All JSON objects and lists that begin a line, in order; other lines are skipped.

    Raises ValueError, with the place, for JSON that breaks off or is invalid.
    """
    decoder = json.JSONDecoder(parse_constant=lambda _: None)
    found: list[Any] = []
    problem = ""
    failed = 0
    at = _next_start(text, 0)
    while at is not None and failed < MAX_FAILED_STARTS:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            failed += 1
            problem = problem or _clause(error, text, at)
            if not isinstance(error, json.JSONDecodeError) or _is_json_so_far(error, text, at):
                # An incomplete value is an error, so that missing rows are noticed.
                raise ValueError(_clause(error, text, at)) from None
            end = at + 1
        else:
            found.append(value)
            # Another value may follow on the same line, appended without a line break.
            while end < len(text) and text[end] in " \t\r,":
                end += 1
            if text[end : end + 1] in ("{", "["):
                at = end
                continue
        at = _next_start(text, end)
    if not any(isinstance(value, dict) or value for value in found) and problem:
        raise ValueError(problem)
    return found


def _next_start(text: str, begin: int) -> int | None:
    """Offset of the next ``{`` or ``[`` that begins a line, from ``begin`` on; None without one."""
    start = _START.search(text, begin)
    return None if start is None else start.end() - 1


def _is_json_so_far(error: json.JSONDecodeError, text: str, at: int) -> bool:
    """Whether the error is inside a JSON value, and not in a log line such as ``[INFO] ready``."""
    return "\n" in text[at : error.pos] or error.pos >= len(text.rstrip())


def _clause(error: Exception, text: str, at: int) -> str:
    if isinstance(error, json.JSONDecodeError):
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
            return f"the JSON that begins on line {text.count(chr(10), 0, at) + 1} has no end"
        return f"JSON is broken on line {error.lineno}: {error.msg}"
    return "JSON is nested too deeply, or has a number that is too long"
