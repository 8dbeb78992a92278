"""Checks JSON answers: strict, in a code fence, or after repair, and the fields of their value.

The results are four records: ``json_strict`` (the answer is JSON and nothing else), ``json_fenced``
(JSON, maybe in one code fence), ``json_repair`` (information only: whether it could be parsed
after repair), and ``json_shape`` (fields, items and lengths of the value that could be parsed).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from tui.bench.checks import text_counts
from tui.bench.model import check_specs as s
from tui.bench.model.answer import Answer, Outcome
from tui.bench.model.records import Check

MAX_FENCES = 64
"""Most code fences of an answer that are tried."""
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_LINE_COMMENT = re.compile(r"^[^\S\n]*//[^\n]*$", re.MULTILINE)
_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "list": (list,),
    "number": (int, float),
    "object": (dict,),
    "boolean": (bool,),
}


def valid_json(spec: s.ValidJson, answer: Answer) -> Outcome:
    """Whether the answer is one JSON value and nothing else."""
    try:
        parse_strict(answer.text)
    except NotJsonError as error:
        return False, str(error)
    return True, "JSON"


class NotJsonError(ValueError):
    """A text is not strict JSON. The message is the reason."""


def parse_strict(text: str) -> Any:
    """The value of a text that is JSON (RFC 8259) and nothing else.

    Raises NotJsonError for text after the JSON, a duplicate key, NaN or infinity, a syntax error,
    and nesting that is too deep for Python's parser.
    """

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(key for key, _ in items)
        if len(counts) != len(items):
            double = next(key for key, count in counts.items() if count > 1)
            raise NotJsonError(f"key {double!r} occurs twice")
        return dict(items)

    def constant(name: str) -> Any:
        raise NotJsonError(f"{name} is not JSON")

    stripped = text.strip()
    if not stripped:
        raise NotJsonError("empty")
    decoder = json.JSONDecoder(object_pairs_hook=pairs, parse_constant=constant)
    try:
        value, end = decoder.raw_decode(stripped)
    except NotJsonError:
        raise
    except ValueError as error:
        raise NotJsonError(str(error)) from None
    except RecursionError:
        raise NotJsonError("nested too deeply") from None
    rest = stripped[end:].strip()
    if rest:
        raise NotJsonError(f"text behind the JSON: {rest[:40]!r}")
    return value


def without_fence(text: str) -> str | None:
    """The content of a code fence that makes up the whole answer; else None."""
    stripped = text.strip()
    found = text_counts.fences(stripped)
    if len(found) != 1 or not stripped.startswith(("```", "~~~")):
        return None
    return found[0][1] if stripped.endswith(("```", "~~~")) else None


def parse_lenient(text: str) -> tuple[Any, str] | None:
    """(value, how) of the first JSON found: strict, fenced, inside text, or mended; None
    without."""
    candidates = [("strict", text)]
    inner = without_fence(text)
    if inner is not None:
        candidates.append(("fenced", inner))
    fenced = text_counts.fences(text)[:MAX_FENCES]
    candidates += [("inside text", content) for _, content in fenced]
    start = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    end = max(text.rfind("}"), text.rfind("]"))
    if 0 <= start < end:
        cut = text[start : end + 1]
        candidates.append(("inside text", cut))
        candidates.append(("mended", _TRAILING_COMMA.sub(r"\1", _LINE_COMMENT.sub("", cut))))
    for how, candidate in candidates:
        problem, value = _attempt(candidate)
        if problem is None:
            return value, how
    return None


def json_checks(spec: s.Json, answer: Answer) -> list[Check]:
    """The four records of an answer. If the token limit cut it, failures become not applicable."""
    strict = _attempt(answer.text)[0]
    inner = without_fence(answer.text)
    fenced = strict if inner is None or strict is None else _attempt(inner)[0]
    found = parse_lenient(answer.text)
    repair = "not needed" if strict is None else "not possible" if found is None else found[1]
    if found is None:
        shape: list[str] = ["no JSON to look at"]
    else:
        shape = shape_problems(spec, found[0])
    return [
        _record("json_strict", strict, answer),
        _record("json_fenced", fenced, answer),
        Check(id="json_repair", passed=found is not None, detail=repair, info=True),
        _record("json_shape", "; ".join(shape) or None, answer),
    ]


def _attempt(text: str) -> tuple[str | None, Any]:
    """(error, None) or (None, value)."""
    try:
        return None, parse_strict(text)
    except NotJsonError as problem:
        return str(problem), None


def _record(check_id: str, problem: str | None, answer: Answer) -> Check:
    if problem is None:
        return Check(id=check_id, passed=True, detail="ok")
    if answer.is_capped:
        return Check(id=check_id, passed=None, detail=f"cut by the token limit; {problem}"[:300])
    return Check(id=check_id, passed=False, detail=problem[:300])


def shape_problems(spec: s.Json, value: Any) -> list[str]:
    """How the value differs from the specification; empty if it does not."""
    if not isinstance(value, dict):
        return [f"a {type(value).__name__} where an object was asked for"]
    problems: list[str] = []
    for wanted in spec.fields:
        if wanted.name not in value:
            problems.append(f"no field {wanted.name!r}")
        else:
            problems += _field_problems(wanted, value[wanted.name], spec.slack_pct / 100)
    extra = sorted(set(value) - {wanted.name for wanted in spec.fields})
    if extra:
        problems.append(f"unexpected fields: {', '.join(map(repr, extra))}")
    return problems


def _field_problems(wanted: s.JsonField, value: Any, grace: float) -> list[str]:
    is_number_bool = isinstance(value, bool) and wanted.type == "number"
    if not isinstance(value, _TYPES[wanted.type]) or is_number_bool:
        return [f"{wanted.name!r} is not of type {wanted.type}"]
    problems = []
    if isinstance(value, str):
        count = text_counts.words(value)
        if wanted.min_words is not None and count < wanted.min_words * (1 - grace):
            problems.append(f"{wanted.name!r} has {count} words")
        if wanted.max_words is not None and count > wanted.max_words * (1 + grace):
            problems.append(f"{wanted.name!r} has {count} words")
    if isinstance(value, list):
        if wanted.items is not None and len(value) != wanted.items:
            problems.append(f"{wanted.name!r} has {len(value)} items, not {wanted.items}")
        keys = set(wanted.item_keys)
        if keys and not all(isinstance(item, dict) and keys <= set(item) for item in value):
            problems.append(f"an item of {wanted.name!r} lacks {' or '.join(wanted.item_keys)}")
    return problems
