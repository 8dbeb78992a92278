"""Sweeps: a variant with lists or ranges as settings is expanded to one variant per value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product
from math import prod

MAX_STEPS = 100
MAX_VARIANTS = 500
WHOLE = ("top_k", "max_tokens")
"""Settings with whole numbers; the values of a range are rounded."""


class SweepError(ValueError):
    """An invalid list or range; the message is a clause."""


def values_of(key: str, value: object) -> list[object] | None:
    """The values of a list or of ``{from, to, steps}``; None for a single value. Raises
    SweepError."""
    if isinstance(value, list):
        if not value:
            raise SweepError("is an empty list; give at least one value")
        return value
    if not isinstance(value, Mapping):
        return None
    if set(value) != {"from", "to", "steps"}:
        raise SweepError("is a table; a range is written { from = 0.2, to = 1.0, steps = 5 }")
    low, high, steps = value["from"], value["to"], value["steps"]
    if not _is_number(low) or not _is_number(high):
        raise SweepError("has a range whose ends are not numbers")
    if not isinstance(steps, int) or isinstance(steps, bool) or not 2 <= steps <= MAX_STEPS:
        raise SweepError(f"has a range of steps that takes a whole number from 2 to {MAX_STEPS}")
    made = [round(low + (high - low) * at / (steps - 1), 10) for at in range(steps)]
    return list(dict.fromkeys(map(round, made)) if key in WHOLE else made)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def expanded(variant: Mapping[str, object]) -> list[tuple[str, dict[str, object]]]:
    """(id suffix, table) of every combination; a single one with an empty suffix without sweeps.
    Raises SweepError; its message begins with the key."""
    swept: dict[str, list[object]] = {}
    for key, value in variant.items():
        try:
            found = values_of(key, value)
        except SweepError as error:
            raise SweepError(f"{key} {error}") from None
        if found is not None:
            swept[key] = found
    if prod(len(values) for values in swept.values()) > MAX_VARIANTS:
        raise SweepError(f"{next(iter(swept))} and the rest give too many variants; sweep less")
    out = []
    for chosen in product(*(list(enumerate(values, 1)) for values in swept.values())):
        suffix = "".join(
            f"-{key}-{_word(key, at, value)}"
            for key, (at, value) in zip(swept, chosen, strict=True)
        )
        values = {key: value for key, (_, value) in zip(swept, chosen, strict=True)}
        out.append((suffix, {**variant, **values}))
    return out


def _word(key: str, at: int, value: object) -> str:
    """A value as part of an id; texts are numbered, as they are long."""
    if key == "system":
        return str(at)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return re.sub(r"[^A-Za-z0-9._-]+", "-", str(value))[:40] or str(at)
