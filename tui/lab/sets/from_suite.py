"""Makes a prompt set from a benchmark suite: its prompts and checks, and two example variants."""

from __future__ import annotations

from typing import Any

import msgspec

from tui.bench.model.check_specs import CheckSpec
from tui.bench.model.suite import Suite
from tui.lab.sets.problems import SetError
from tui.lab.sets.variables import odd_braces


def table_of(suite: Suite) -> dict[str, Any]:
    """The table of the set. Raises SetError for a suite whose prompts are filler."""
    if any(prompt.filler is not None for prompt in suite.prompts):
        raise SetError(
            [f"the suite {suite.id} consists of filler words, which are no prompts to compare."]
        )
    prompts = []
    for prompt in suite.prompts:
        text = suite.full_text(prompt)
        made: dict[str, Any] = {"id": prompt.id, "text": text, "max_tokens": prompt.max_tokens}
        if prompt.system:
            made["system"] = prompt.system
        if prompt.history:
            made["history"] = [msgspec.to_builtins(past) for past in prompt.history]
        if "{{" in text or odd_braces(text) is not None:
            made["raw"] = True
        made["check"] = [check_table(spec) for spec in prompt.checks]
        prompts.append(made)
    return {
        "title": suite.title or suite.id,
        "repeats": 1,
        "prompt": prompts,
        "variant": [
            {"id": "plain", "temperature": 0.6},
            {"id": "terse", "temperature": 0.6, "system": "You answer as briefly as you can."},
        ],
    }


def check_table(spec: CheckSpec) -> dict[str, Any]:
    """A check as a table for a file, without default values."""
    found: dict[str, Any] = _without_none(msgspec.to_builtins(spec))
    return found


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_without_none(one) for one in value]
    return value
