"""Accuracy figures from the checks of answers: instructions, languages, code reviews."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tui.bench.analysis.summary import by_group, scored
from tui.bench.checks.run import ALWAYS
from tui.bench.model.metrics import ratio
from tui.bench.model.records import NOT_ATTEMPTED, Check, Request, Total


def _applicable(request: Request) -> list[Check]:
    return [c for c in request.checks if c.passed is not None and not c.info]


def _pct(values: Sequence[bool], formula: str) -> Total:
    share = ratio(sum(values), len(values), 100)
    return Total(value=share, n=len(values), unit="%", formula=formula, source="client")


def accuracy(requests: Sequence[Request]) -> dict[str, Total]:
    """Accuracy per prompt and per instruction, strict and loose, and the time of a task.

    As in IFEval (Zhou et al. 2023, "Instruction-Following Evaluation for Large Language Models"):
    strict judges the answer itself, loose also after removing typical additions.
    """
    kept = [r for r in requests if r.status not in NOT_ATTEMPTED]
    # Only instructions have a loose verdict; the other checks apply to any answer.
    strict = [_instructions(r) for r in kept]
    loose = [[bool(c.loose) for c in _applicable(r) if c.loose is not None] for r in kept]
    answered = [r.is_scored for r in kept]
    spent = [ms / 1000 for r in scored(kept) if (ms := r.m.get("latency_ms")) is not None]
    found = {
        "prompt_strict_pct": _pct(
            [ok and bool(row) and all(row) for ok, row in zip(answered, strict, strict=True)],
            "prompts with all instructions followed / prompts",
        ),
        "prompt_loose_pct": _pct(
            [ok and bool(row) and all(row) for ok, row in zip(answered, loose, strict=True)],
            "the same after lenient cleaning of the answer",
        ),
        "instruction_strict_pct": _pct(
            [v for row in strict for v in row], "instructions followed / those that apply"
        ),
        "instruction_loose_pct": _pct(
            [v for row in loose for v in row], "the same after lenient cleaning of the answer"
        ),
        "task_s": Total(
            value=median(spent) if spent else None,
            n=len(spent),
            unit="s",
            formula="median time of a task",
            source="client",
        ),
    }
    for group, members in by_group(kept).items():
        if group:
            rows = [r.is_scored and bool(said := _instructions(r)) and all(said) for r in members]
            found[f"prompt_strict_pct.{group}"] = _pct(rows, f"as prompt_strict_pct, {group} only")
    return found


def _instructions(request: Request) -> list[bool]:
    """For each instruction that can be judged, whether it was followed; few can in a cut answer."""
    return [bool(c.passed) for c in _applicable(request) if c.loose is not None]


def per_language(requests: Sequence[Request]) -> dict[str, Total]:
    """Per cent of the suite's own checks that passed, per language and in all."""
    formula = "checks of the suite passed / applicable"

    def share(rows: Sequence[Request]) -> Total:
        kept = [c for r in rows for c in _applicable(r) if c.id not in ALWAYS]
        return _pct([bool(c.passed) for c in kept], formula)

    kept = scored(requests)
    found = {"language_pass_pct": share(kept)}
    for language, members in by_group(kept).items():
        found[f"language_pass_pct.{language}"] = share(members)
    return found


def review(requests: Sequence[Request]) -> dict[str, Total]:
    """Accuracy, missed violations (false negatives) and false findings (false positives) of code
    reviews, over all files and per kind of violation."""
    found: dict[str, Total] = {}
    why = "no answer has findings to count"
    kept = scored(requests)
    groups = {"": kept, **{name: rows for name, rows in by_group(kept).items() if name}}
    for name, rows in groups.items():
        scores = [c.score for r in rows for c in r.checks if c.id == "findings" and c.score]
        hits, missed, false = (
            sum(score.get(key, 0.0) for score in scores) for key in ("found", "missed", "false")
        )
        suffix = f".{name}" if name else ""
        count = len(scores)
        total = hits + missed + false
        perfect = 100.0 if count else None
        found[f"code_accuracy_pct{suffix}"] = Total(
            value=ratio(hits, total, 100) if total else perfect,
            n=count,
            unit="%",
            formula="found / (found + missed + false)",
            source="client",
            why=None if count else why,
        )
        counted = (("missed", missed, "false negatives"), ("false", false, "false positives"))
        for word, value, formula in counted:
            found[f"code_{word}{suffix}"] = Total(
                value=value if count else None,
                n=count,
                formula=formula,
                source="client",
                why=None if count else why,
            )
    return found
