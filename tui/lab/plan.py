"""Converts a prompt set to benchmark suites: one part per model, one suite per part."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

from tui.bench.model.suite import PastMessage, Prompt, Sampling, Suite
from tui.core.types import GenerationSettings
from tui.lab.model.matrix import CellKey, Matrix, MatrixColumn, MatrixRow
from tui.lab.model.prompt_set import SETTINGS, Case, LabPrompt, PromptSet, Variant
from tui.lab.model.records import Part
from tui.lab.sets.checks import with_values
from tui.lab.sets.variables import filled

_PREFIXES = {"shuffled": "any", "together": "together", "apart": "apart"}
_ID = re.compile(r"[^A-Za-z0-9_-]+")


def parts_of(prompt_set: PromptSet) -> tuple[Part, ...]:
    """Groups the variants by server and model, in the set's order, so that each model is loaded at
    most once."""
    groups: dict[tuple[str, str], list[str]] = {}
    for variant in prompt_set.variants:
        groups.setdefault((variant.server, variant.model), []).append(variant.id)
    servers = list(dict.fromkeys(server for server, _ in groups))
    # The loaded model comes first, as a request for another one unloads it.
    ordered = sorted(groups, key=lambda key: (servers.index(key[0]), bool(key[1])))
    return tuple(Part(server=s, model=m, variants=tuple(groups[s, m])) for s, m in ordered)


def suite_of(prompt_set: PromptSet, part: Part) -> Suite:
    """The suite of a part; every cell is one prompt with its own settings."""
    variants = {variant.id: variant for variant in prompt_set.variants}
    prompts = tuple(
        _prompt(prompt_set, prompt, case, variants[name])
        for prompt, case in prompt_set.rows
        for name in part.variants
    )
    return Suite(
        id=f"lab-{_ID.sub('-', prompt_set.id).lower()[:40]}",
        title=prompt_set.title or prompt_set.id,
        kind="lab",
        runs=prompt_set.repeats,
        prefix=_PREFIXES[prompt_set.order],  # type: ignore[arg-type]
        prompts=prompts,
    )


def _prompt(prompt_set: PromptSet, prompt: LabPrompt, case: Case, variant: Variant) -> Prompt:
    text, system, history = words_of(prompt, case, variant)
    return Prompt(
        id=request_id(prompt_set, prompt, case, variant),
        name=f"{prompt_set.row_id(prompt, case)}, {variant.id}",
        text=text,
        system=system,
        history=history,
        max_tokens=variant.max_tokens or prompt.max_tokens or prompt_set.max_tokens,
        group=variant.id,
        checks=tuple(with_values(spec, case.values) for spec in (*prompt.checks, *case.checks)),
        sampling=Sampling(
            temperature=variant.temperature,
            top_p=variant.top_p,
            top_k=variant.top_k,
            repeat_penalty=variant.repeat_penalty,
            is_thinking=variant.thinking,
        ),
    )


def words_of(
    prompt: LabPrompt, case: Case, variant: Variant
) -> tuple[str, str, tuple[PastMessage, ...]]:
    """(text, system prompt, earlier messages) with the values of the case."""
    system = prompt.system if variant.system is None else variant.system
    if prompt.raw:
        return prompt.text, system, prompt.history
    history = tuple(
        PastMessage(role=past.role, content=filled(past.content, case.values))
        for past in prompt.history
    )
    return filled(prompt.text, case.values), filled(system, case.values), history


def request_id(prompt_set: PromptSet, prompt: LabPrompt, case: Case, variant: Variant) -> str:
    """Prompt id of a cell: readable, with a hash of prompt and settings."""
    words, row = words_of(prompt, case, variant), prompt_set.row_id(prompt, case)
    own = [variant.model, variant.server, *(getattr(variant, name) for name in SETTINGS)]
    digest = hashlib.sha256(repr((row, words, own, variant.id)).encode("utf-8", "replace"))
    name = _ID.sub("-", f"{row}-{variant.id}").strip("-")[:68]
    return f"{name or 'x'}-{digest.hexdigest()[:8]}"


def cells_of(prompt_set: PromptSet) -> dict[str, CellKey]:
    """Prompt id -> (row, variant) of its cell."""
    return {
        request_id(prompt_set, prompt, case, variant): (
            prompt_set.row_id(prompt, case),
            variant.id,
        )
        for prompt, case in prompt_set.rows
        for variant in prompt_set.variants
    }


def empty_matrix(prompt_set: PromptSet) -> Matrix:
    """The matrix before the first answer."""
    return Matrix(
        rows=tuple(
            MatrixRow(prompt_set.row_id(prompt, case), prompt.id, case.id)
            for prompt, case in prompt_set.rows
        ),
        columns=tuple(
            MatrixColumn(
                id=variant.id,
                settings=settings_words(variant),
                model=variant.model,
                server=variant.server,
                is_greedy=variant.is_greedy,
            )
            for variant in prompt_set.variants
        ),
        repeats=prompt_set.repeats,
    )


def settings_words(variant: Variant) -> str:
    """The settings of a variant as text."""
    words = []
    for name in SETTINGS:
        value = getattr(variant, name)
        if name == "thinking":
            words += [] if value is None else ["thinking" if value else "no thinking"]
        elif value is not None:
            words.append(f"{name.replace('_', ' ')} {value:g}")
    if variant.system is not None:
        words.append("own system prompt" if variant.system else "no system prompt")
    words += [f"model {variant.model}"] if variant.model else []
    return ", ".join(words)


def settings_of(
    variant: Variant, prompt: LabPrompt, base: GenerationSettings
) -> GenerationSettings:
    """Settings for asking in the chat as this variant."""
    chosen = Sampling(
        temperature=variant.temperature,
        top_p=variant.top_p,
        top_k=variant.top_k,
        repeat_penalty=variant.repeat_penalty,
        is_thinking=variant.thinking,
    ).over(base)
    system = prompt.system if variant.system is None else variant.system
    tokens = variant.max_tokens or prompt.max_tokens or base.max_tokens
    return replace(chosen, system_prompt=system, max_tokens=tokens)
