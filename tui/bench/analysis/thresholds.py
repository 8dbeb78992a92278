"""Conditions of ``--fail-on``: a run fails if one is true, alone or against a baseline.

``success<100%`` fails a run with less than 100 per cent success. A value with a sign is a change
against the baseline: ``decode<-5%`` fails a run whose decode rate is lower by more than 5 per cent.
Conditions are separated by commas.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tui.bench.analysis.compare import total_change
from tui.bench.model.comparison import Comparison
from tui.bench.model.metrics import METRICS
from tui.bench.model.records import Document

ALIASES = {
    "decode": "decode_tps",
    "speed": "decode_tps",
    "ttft": "ttft_client_ms",
    "prefill": "prefill_tps",
    "memory": "memory_mb",
    "success": "success_pct",
    "checks": "check_pass_pct",
    "goodput": "goodput_pct",
    "accuracy": "code_accuracy_pct",
}
_CONDITION = re.compile(r"\s*([a-zA-Z_][\w.-]*)\s*(<=|>=|<|>)\s*([+-]?)(\d+(?:\.\d+)?)\s*(%?)\s*")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class ConditionError(ValueError):
    """An invalid condition. The message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Condition:
    """The run fails if ``name op value`` is true. ``is_change``: the value is a change in per
    cent."""

    name: str
    op: str
    value: float
    is_change: bool
    text: str


def parse(expressions: Sequence[str]) -> list[Condition]:
    """Parse comma-separated conditions. Raises ConditionError, which names the invalid part."""
    found = []
    for expression in expressions:
        for part in expression.split(","):
            if not part.strip():
                continue
            match = _CONDITION.fullmatch(part)
            if match is None:
                example = "decode<-5% or success<100%"
                raise ConditionError(
                    f"{part.strip()!r} is not a condition; write it like {example}"
                )
            name, op, sign, digits, _ = match.groups()
            value = float(f"{sign}{digits}")
            found.append(Condition(ALIASES.get(name, name), op, value, bool(sign), part.strip()))
    return found


def judge(
    conditions: Sequence[Condition],
    document: Document,
    *,
    baseline: Document | None = None,
    comparison: Comparison | None = None,
) -> list[str]:
    """One sentence for each condition that fails the run. An unknown figure fails it too.

    Raises ConditionError for a name that no run has, and for a change without a baseline.
    """
    failed: list[str] = []
    for condition in conditions:
        if condition.is_change and baseline is None:
            raise ConditionError(f"{condition.text}: a change needs --baseline")
        if not _is_known(condition.name, document, baseline):
            raise ConditionError(f"{condition.text}: no figure is called {condition.name!r}")
        value = (
            _change(condition.name, document, baseline, comparison)
            if condition.is_change
            else _value(condition.name, document)
        )
        what = f"change of {condition.name}" if condition.is_change else condition.name
        failed += _said(condition, what, value, " %" if condition.is_change else "")
    return failed


def judge_values(conditions: Sequence[Condition], values: Mapping[str, float | None]) -> list[str]:
    """One sentence for each condition that fails these figures; so does a value of None.

    Raises ConditionError for a name that is not among ``values``, and for a change.
    """
    failed: list[str] = []
    for condition in conditions:
        front, dot, rest = condition.name.partition(".")
        name = f"{ALIASES.get(front, front)}{dot}{rest}"
        if condition.is_change:
            raise ConditionError(f"{condition.text}: a change needs a run to compare with")
        if name not in values:
            raise ConditionError(f"{condition.text}: no figure is called {condition.name!r}")
        failed += _said(condition, name, values[name])
    return failed


def _said(condition: Condition, what: str, value: float | None, unit: str = "") -> list[str]:
    """The sentence where the condition is met or cannot be judged, else nothing."""
    if value is None:
        return [f"{condition.text}: {what} is not known"]
    is_met = _COMPARE[condition.op](value, condition.value)
    return [f"{condition.text}: {what} is {value:.2f}{unit}"] if is_met else []


def _is_known(name: str, document: Document, baseline: Document | None) -> bool:
    if name in METRICS or name in document.totals or name in _ALWAYS:
        return True
    return baseline is not None and name in baseline.totals


_ALWAYS = frozenset(
    {
        "slope_pct_h",
        "abs_slope_pct_h",
        "rss_drift_mb_h",
        "swap_mb",
        "throttled_s",
        "clock_ok_pct",
        "t_max_c",
        "memory_mb",
        "avail_min_mb",
        "prompt_strict_pct",
        "prompt_loose_pct",
        "instruction_strict_pct",
        "instruction_loose_pct",
        "language_pass_pct",
        "code_accuracy_pct",
        "code_missed",
        "code_false",
        "cache_ttft_ratio",
        "tps_at_full_context",
        "usable_context",
        "requests_per_s",
    }
)
"""Valid figures that a run may lack: no sensor, or another kind of suite."""


def _value(name: str, document: Document) -> float | None:
    total = document.totals.get(name)
    if total is not None:
        return total.value
    found = document.summary.get(name)
    return None if found is None else found.median


def _change(
    name: str, document: Document, baseline: Document | None, comparison: Comparison | None
) -> float | None:
    row = None if comparison is None else comparison.row(name)
    if row is not None:
        return row.delta_pct
    return None if baseline is None else total_change(baseline, document, name)
