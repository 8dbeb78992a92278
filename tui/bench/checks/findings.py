"""Scores code reviews: violations that were found, missed, or reported falsely."""

from __future__ import annotations

from typing import Any

from tui.bench.checks.structured import parse_lenient
from tui.bench.model import check_specs as s
from tui.bench.model.answer import Answer
from tui.bench.model.records import Check


def reported(value: Any) -> list[tuple[int, str]] | None:
    """The (line, rule) pairs in a parsed answer; None if it has no list of them."""
    if isinstance(value, dict):
        lists = [item for item in value.values() if isinstance(item, list)]
        value = lists[0] if len(lists) == 1 else None
    if not isinstance(value, list):
        return None
    pairs = []
    for item in value:
        if not isinstance(item, dict):
            return None
        line, rule = item.get("line"), item.get("rule")
        if isinstance(line, str) and line.strip().isdigit():
            line = int(line)
        if not isinstance(line, int) or isinstance(line, bool) or not isinstance(rule, str):
            return None
        pairs.append((line, rule.strip().casefold().replace("_", "-").replace(" ", "-")))
    return pairs


def score(
    expected: tuple[s.Violation, ...], found: list[tuple[int, str]], tolerance: int
) -> dict[str, float]:
    """The numbers ``found``, ``missed`` and ``false``, and ``accuracy``.

    accuracy = found / (found + missed + false); 1 if there is nothing to find and nothing is
    reported. Each violation matches at most one finding, the one with the nearest line, at most
    ``tolerance`` lines away.
    """
    left = list(dict.fromkeys(found))
    hits = 0
    for violation in expected:
        near = [
            pair
            for pair in left
            if pair[1] == violation.rule and abs(pair[0] - violation.line) <= tolerance
        ]
        if near:
            left.remove(min(near, key=lambda pair: abs(pair[0] - violation.line)))
            hits += 1
    missed, false = len(expected) - hits, len(left)
    total = hits + missed + false
    accuracy = hits / total if total else 1.0
    return {"found": hits, "missed": missed, "false": false, "accuracy": accuracy}


def findings(spec: s.Findings, answer: Answer) -> list[Check]:
    """The check of a review: passed if its accuracy is at least ``spec.min_accuracy``."""
    parsed = parse_lenient(answer.text)
    pairs = None if parsed is None else reported(parsed[0])
    if pairs is None:
        if answer.is_capped:
            return [Check(id="findings", passed=None, detail="cut by the token limit")]
        # Without a usable list, all violations are missed, and the number of false ones is 0.
        scores = score(spec.expected, [], spec.tolerance)
        if not spec.expected:
            scores["accuracy"] = 0.0
        return [Check(id="findings", passed=False, detail="no list of findings", score=scores)]
    scores = score(spec.expected, pairs, spec.tolerance)
    detail = (
        f"{scores['found']:g} found, {scores['missed']:g} missed, {scores['false']:g} false, "
        f"accuracy {100 * scores['accuracy']:.0f} %"
    )
    is_ok = scores["accuracy"] >= spec.min_accuracy
    return [Check(id="findings", passed=is_ok, detail=detail, score=scores)]
