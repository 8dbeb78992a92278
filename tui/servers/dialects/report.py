"""Typed reading of the numbers and rows that servers report; impossible values are dropped."""

from __future__ import annotations

from tui.servers.dialects.dialect import Answer, Json
from tui.servers.dialects.error_text import body_message

MAX_COUNT = 10_000_000
MAX_MS = 1e9


def count(value: Json) -> int | None:
    """A number of tokens above 0; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_COUNT:
        return None
    return value


def size_bytes(value: Json) -> int | None:
    """The size of a model in bytes; None where it is 0 or no size at all."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 50:
        return None
    return value


def model_rows(body: Json) -> dict[str, dict[str, Json]]:
    """The rows of ``/api/tags`` or ``/api/ps`` by their name."""
    rows = body.get("models") if isinstance(body, dict) else None
    found: dict[str, dict[str, Json]] = {}
    for row in rows if isinstance(rows, list) else []:
        name = row.get("name") or row.get("model") if isinstance(row, dict) else None
        if isinstance(name, str):
            found[name] = row
    return found


def refusal_words(answer: Answer) -> str:
    """What a server says about a request that it did not carry out."""
    said = body_message(answer.text, answer.headers.get("content-type", ""))
    return said or f"HTTP {answer.status} without a reason"


def milliseconds(value: Json, per_ms: float = 1.0) -> float | None:
    """A time above 0 in a unit of which ``per_ms`` make a millisecond; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e18:
        return None
    found = value / per_ms
    return found if found < MAX_MS else None


def duration_ms(value: Json, total_ns: Json) -> float | None:
    """A part of ``total_ns``, in nanoseconds or, from servers that mix them up, milliseconds.

    A part cannot be longer than the whole: in ms where value * 10^6 fits into 1.5 times the total.
    """
    as_ms, total_ms = milliseconds(value), milliseconds(total_ns, 1e6)
    if as_ms is None:
        return milliseconds(value, 1e6)
    if total_ms is not None and as_ms <= 1.5 * total_ms:
        return as_ms
    return milliseconds(value, 1e6)
