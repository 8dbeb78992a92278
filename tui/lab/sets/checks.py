"""Reads the checks of a prompt set: the benchmark's checks, also with variables in their texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from tui.bench.model.check_specs import CheckSpec, HasMatch, Matches, Not, kinds
from tui.lab.sets.lines import Place
from tui.lab.sets.problems import Problems, meant, quoted
from tui.lab.sets.table import TableReader
from tui.lab.sets.variables import filled

# Works the types out under the lock of the import.
_TYPES: dict[str, type[msgspec.Struct]] = {}
for _member in get_args(CheckSpec):
    _TYPES[str(_member.__struct_config__.tag)] = _member
MAX_DEPTH = 8


def read_checks(problems: Problems, reader: TableReader, key: str) -> tuple[CheckSpec, ...]:
    """The checks below ``key``; unusable ones are reported as mistakes."""
    found = (read_check(problems, place, table) for place, table in reader.tables(key))
    return tuple(spec for spec in found if spec is not None)


def read_check(problems: Problems, place: Place, table: Mapping[str, object]) -> CheckSpec | None:
    """One check; None after reporting a mistake."""
    sentence = _mistake(table, 0)
    if sentence is not None:
        problems.add(place, sentence)
        return None
    try:
        spec: CheckSpec = msgspec.convert(table, CheckSpec)
    except (msgspec.ValidationError, RecursionError) as error:
        kind = table.get("kind")
        problems.add(place, f"the check {quoted(kind)} cannot be read: {_plain(str(error))}")
        return None
    return spec


def _mistake(table: Mapping[str, object], depth: int) -> str | None:
    """A clause on unknown names in a check; None if all are known."""
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in kinds():
        given = "has no kind" if kind is None else f"is of the kind {quoted(kind)}"
        return f"a check {given}; {meant(str(kind or ''), kinds())}"
    known = [f.encode_name for f in msgspec.structs.fields(_TYPES[kind])]
    for key in table:
        if key not in ("kind", *known):
            way = meant(key, known) if known else "it takes nothing but its kind"
            return f"the check {quoted(kind)} has no key {quoted(key)}; {way}"
    inner = table.get("check")
    if kind == "not" and isinstance(inner, Mapping) and depth < MAX_DEPTH:
        return _mistake(inner, depth + 1)
    pattern = table.get("pattern")
    if isinstance(pattern, str) and "{{" not in pattern:
        return _pattern_mistake(pattern)
    return None


def _pattern_mistake(pattern: str) -> str | None:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return f"the pattern {quoted(pattern)} is not a regular expression: {error}"
    return None


def _plain(said: str) -> str:
    """msgspec's message without its paths."""
    return re.sub(r"\s*- at `\$\.?([^`]*)`", lambda m: f" ({m[1]})" if m[1] else "", said)


def with_values(spec: CheckSpec, values: Mapping[str, str]) -> CheckSpec:
    """The check with the values of a case in its texts."""

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            return filled(value, values)
        if isinstance(value, list | tuple):
            return [fill(one) for one in value]
        if isinstance(value, dict):
            return {key: fill(one) for key, one in value.items()}
        return value

    if not values:
        return spec
    made: CheckSpec = msgspec.convert(fill(msgspec.to_builtins(spec)), CheckSpec)
    return made


def pattern_problem(spec: CheckSpec) -> str | None:
    """A clause why a check's regular expression is invalid after filling in values; None if it is
    valid."""
    if isinstance(spec, Not):
        return pattern_problem(spec.check)
    return _pattern_mistake(spec.pattern) if isinstance(spec, HasMatch | Matches) else None
