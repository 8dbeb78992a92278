"""A prompt set: prompts with variables, cases, variants, checks, and a judge model."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

import msgspec

from tui.bench.model.check_specs import CheckSpec
from tui.bench.model.suite import PastMessage

Order = Literal["shuffled", "together", "apart"]
"""Order of the requests of a run. together: requests with the same prompt follow each other, so
that a prompt cache applies. apart: never two with the same prompt in a row, so that it does not
apply. shuffled: at random, by the seed."""

SETTINGS = ("temperature", "top_p", "top_k", "repeat_penalty", "max_tokens", "thinking")
"""Settings that a variant may have, in the order in which they are shown."""


class LabPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """One prompt. ``{{name}}`` in its text is replaced by a value of the case."""

    id: str
    text: str
    system: str = ""
    history: tuple[PastMessage, ...] = ()
    """Earlier messages, oldest first."""
    max_tokens: int | None = None
    raw: bool = False
    """Whether the text is sent unchanged, braces included."""
    notes: str = ""
    checks: tuple[CheckSpec, ...] = ()


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Values of the variables. ``prompts``: ids of the prompts it applies to; empty: all."""

    id: str
    values: dict[str, str] = msgspec.field(default_factory=dict)
    prompts: tuple[str, ...] = ()
    notes: str = ""
    checks: tuple[CheckSpec, ...] = ()


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One combination of settings. None keeps the configured or the server's value."""

    id: str
    system: str | None = None
    """Replaces the prompt's own system prompt."""
    server: str = ""
    model: str = ""
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repeat_penalty: float | None = None
    max_tokens: int | None = None
    thinking: bool | None = None
    notes: str = ""

    @property
    def is_greedy(self) -> bool:
        """Whether sampling is greedy, so that the same prompt should get the same answer."""
        return self.temperature == 0 or self.top_k == 1


class JudgeModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that rates answers by a rubric."""

    rubric: str
    server: str = ""
    model: str = ""


class PromptSet(msgspec.Struct, frozen=True, kw_only=True):
    """All requests of a run of the lab. ``variants``: with sweeps expanded."""

    id: str
    prompts: tuple[LabPrompt, ...]
    title: str = ""
    notes: str = ""
    repeats: int = 1
    order: Order = "shuffled"
    seed: int = 1
    max_tokens: int = 512
    """Token limit if neither prompt nor variant has one."""
    fail_on: tuple[str, ...] = ()
    cases: tuple[Case, ...] = ()
    variants: tuple[Variant, ...] = ()
    judge: JudgeModel | None = None

    @property
    def sha256(self) -> str:
        """Hash of everything that affects requests and checks."""
        plain = msgspec.to_builtins(self)
        for key in ("title", "notes", "repeats", "fail_on", "judge", "seed"):
            plain.pop(key)
        text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()

    @property
    def rows(self) -> tuple[tuple[LabPrompt, Case], ...]:
        """The rows of the matrix: every prompt with every case that applies to it."""
        cases = self.cases or (NO_CASE,)
        return tuple(
            (prompt, case)
            for prompt in self.prompts
            for case in cases
            if not case.prompts or prompt.id in case.prompts
        )

    def row_id(self, prompt: LabPrompt, case: Case) -> str:
        """The name of a row: prompt, case, or both, as far as needed to distinguish rows."""
        if case is NO_CASE or not case.id:
            return prompt.id
        return case.id if len(self.prompts) == 1 else f"{prompt.id}/{case.id}"


NO_CASE = Case(id="")
"""The implied case of a set without cases."""
