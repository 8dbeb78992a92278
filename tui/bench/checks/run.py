"""Runs the checks of a suite, and the checks that apply to every answer, on one answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from tui.bench.checks import languages, python_code, structured, text, text_counts
from tui.bench.checks.findings import findings
from tui.bench.checks.loops import find_loop
from tui.bench.model import check_specs as s
from tui.bench.model.answer import Answer, Outcome
from tui.bench.model.records import Check

ALWAYS = frozenset(
    {"repetition", "spoilt_characters", "think_closed", "language_drift", "prompt_echo", "refusal"}
)
"""Ids of the checks that are run on every answer, whatever its suite."""
ECHO_LIMIT = 0.60
DRIFT_LIMIT = 0.25

_SIMPLE: dict[type, Callable[[Any, Answer], Outcome]] = {
    s.Nonempty: text.nonempty,
    s.NoLoop: text.no_loop,
    s.Words: text.words,
    s.Sentences: text.sentences,
    s.Paragraphs: text.paragraphs,
    s.Bullets: text.bullets,
    s.Lines: text.lines,
    s.EndsSentence: text.ends_sentence,
    s.Outline: text.outline,
    s.Keywords: text.keywords,
    s.Times: text.times,
    s.Python: python_code.python,
    s.StartsWith: text.starts_with,
    s.EndsWith: text.ends_with,
    s.Contains: text.contains,
    s.Excludes: text.excludes,
    s.Casing: text.casing,
    s.Matches: text.matches,
    s.FileName: text.file_name,
    s.Equals: text.equals,
    s.HasText: text.has_text,
    s.HasMatch: text.has_match,
    s.ValidJson: structured.valid_json,
    s.Latency: text.latency,
    s.Script: languages.script,
    s.Language: languages.language,
    s.Strings: languages.strings,
    s.Comments: languages.comments,
}
_INCOMPLETE_FAILS = (
    s.Nonempty,
    s.NoLoop,
    s.Excludes,
    s.StartsWith,
    s.Casing,
    s.Python,
    s.Latency,
)
"""Checks whose failure counts although the token limit cut the answer: more text would not change
the result, or the check considers the cut itself."""
_REFUSAL = re.compile(
    r"\b(?:i(?: am|'m) (?:sorry|unable|not able)"
    r"|i (?:cannot|can't|won't) (?:provide|help|assist|do)"
    r"|as an ai\b)",
    re.IGNORECASE,
)


def check_answer(specs: Sequence[s.CheckSpec], answer: Answer) -> tuple[Check, ...]:
    """The results of a suite's checks, then of those that apply to every answer."""
    records: list[Check] = []
    seen: dict[str, int] = {}
    for spec in specs:
        for record in _run(spec, answer):
            seen[record.id] = seen.get(record.id, 0) + 1
            if seen[record.id] > 1:
                record = _renamed(record, f"{record.id}_{seen[record.id]}")
            records.append(record)
    has_loop_check = any(isinstance(spec, s.NoLoop) for spec in specs)
    records += _always(answer, with_loop=not has_loop_check, with_drift=not _is_foreign(specs))
    return tuple(records)


def _renamed(record: Check, name: str) -> Check:
    return Check(
        id=name,
        passed=record.passed,
        detail=record.detail,
        loose=record.loose,
        info=record.info,
        score=record.score,
    )


def _is_foreign(specs: Iterable[s.CheckSpec]) -> bool:
    return any(isinstance(spec, s.Script | s.Language | s.Strings | s.Comments) for spec in specs)


def _run(spec: s.CheckSpec, answer: Answer) -> list[Check]:
    if isinstance(spec, s.Json):
        return structured.json_checks(spec, answer)
    if isinstance(spec, s.Findings):
        return findings(spec, answer)
    if isinstance(spec, s.Not):
        return [_inverted(spec, answer)]
    check = _SIMPLE[type(spec)]
    passed, detail = check(spec, answer)
    if passed is False and answer.is_capped and not _stands(spec, answer):
        passed, detail = None, f"cut by the token limit; {detail}"
    loose = None
    if isinstance(spec, s.INSTRUCTIONS) and passed is not None:
        loose = passed or any(
            check(spec, replace(answer, text=variant))[0] for variant in lenient(answer.text)
        )
    return [Check(id=s.kind_of(spec), passed=passed, detail=detail[:300], loose=loose)]


def _inverted(spec: s.Not, answer: Answer) -> Check:
    """The negation: fails if all parts of the inner check pass. For a cut answer it is a failure or
    not applicable, as the missing text could still have passed the inner check."""
    inner = [c for c in _run(spec.check, answer) if not c.info]
    detail = "; ".join(c.detail for c in inner)
    verdicts = [c.passed for c in inner]
    passed: bool | None = None
    if verdicts and all(verdict is True for verdict in verdicts):
        passed = False
    elif any(verdict is False for verdict in verdicts) and not answer.is_capped:
        passed = True
    elif answer.is_capped:
        detail = f"cut by the token limit; {detail}"
    return Check(id=s.kind_of(spec), passed=passed, detail=detail[:300])


def _stands(spec: s.CheckSpec, answer: Answer) -> bool:
    if isinstance(spec, _INCOMPLETE_FAILS):
        return True
    if isinstance(spec, s.Words) and spec.max is not None:
        return text_counts.words(answer.text) > spec.max * (1 + spec.slack_pct / 100)
    return False


def lenient(raw: str) -> list[str]:
    """Variants for the loose verdict, as in IFEval: without first line, last line, both, and
    ``*``."""
    lines = raw.strip().split("\n")
    cut = [raw, "\n".join(lines[1:]), "\n".join(lines[:-1]), "\n".join(lines[1:-1])]
    cut.append(raw.strip().strip("`\"' \n"))
    plain = [variant.replace("*", "") for variant in cut]
    variants = dict.fromkeys(variant.strip() for variant in cut + plain)
    return [variant for variant in variants if variant and variant != raw]


def _always(answer: Answer, *, with_loop: bool, with_drift: bool) -> list[Check]:
    records = []
    if with_loop:
        loop = find_loop(answer.text)
        records.append(
            Check(id="repetition", passed=loop is None, detail=loop.sentence if loop else "no loop")
        )
    spoilt = answer.text.count("\ufffd") + sum(0x2400 <= ord(c) <= 0x2421 for c in answer.text)
    records.append(
        Check(id="spoilt_characters", passed=spoilt == 0, detail=f"{spoilt} replaced characters")
    )
    if answer.is_think_unclosed:
        records.append(Check(id="think_closed", passed=False, detail="<think> never closes"))
    if with_drift:
        records.append(_drift(answer))
    echo = echo_share(answer.prompt, answer.text)
    records.append(
        Check(
            id="prompt_echo",
            passed=echo <= ECHO_LIMIT,
            detail=f"{100 * echo:.0f} % of the prompt's words are repeated in order",
            info=True,
        )
    )
    refusal = _REFUSAL.search(answer.text[:400])
    records.append(
        Check(
            id="refusal",
            passed=refusal is None,
            detail=f"says {refusal[0]!r}" if refusal else "none",
            info=True,
        )
    )
    return records


def _drift(answer: Answer) -> Check:
    """Passed unless more than 25 % of the letters are in scripts that the prompt does not use."""
    asked = text_counts.script_shares(answer.prompt)
    found = text_counts.script_shares(answer.text)
    strange = {name: share for name, share in found.items() if name not in asked}
    share = sum(strange.values())
    detail = ", ".join(f"{name} {100 * part:.0f} %" for name, part in strange.items())
    return Check(id="language_drift", passed=share <= DRIFT_LIMIT, detail=detail or "none")


def echo_share(prompt: str, answer: str) -> float:
    """Length of the longest run of the prompt's words in the answer, divided by the prompt's
    length."""
    asked, said = text_counts.word_list(prompt), text_counts.word_list(answer)
    if len(asked) < 4 or not said:
        return 0.0
    joined = "\0" + "\0".join(said) + "\0"
    low, high = 0, len(asked)
    while low < high:
        middle = (low + high + 1) // 2
        runs = (
            "\0" + "\0".join(asked[i : i + middle]) + "\0" for i in range(len(asked) - middle + 1)
        )
        if any(run in joined for run in runs):
            low = middle
        else:
            high = middle - 1
    return low / len(asked)
