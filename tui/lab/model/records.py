"""The record of one run of the lab: what was asked, and which benchmark runs hold the answers."""

from __future__ import annotations

from typing import Literal

import msgspec

from tui.core.types import GenerationSettings
from tui.lab.model.prompt_set import PromptSet

RUN_SCHEMA = "lab-run/1"

LabOutcome = Literal[
    "running", "complete", "incomplete", "refused", "unreachable", "aborted", "failed",
    "interrupted",
]  # fmt: skip


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """The variants of one model on one server: one run of the benchmark, one loading at most."""

    server: str = ""
    """Its URL; empty: the configured one, or the one that is found."""
    model: str = ""
    """As the set names it; empty: the one that is in use."""
    variants: tuple[str, ...] = ()
    run_id: str = ""
    """Of the benchmark run; empty until it has begun."""
    outcome: str = ""
    sentence: str = ""
    loads: int = 0
    """How often a model was loaded for it."""
    answered_by: str = ""
    """The model that answered, as the server calls it."""
    answered_at: str = ""
    """The server that answered, with its URL."""


class LabRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a prompt set, in one or more benchmark runs."""

    id: str
    prompt_set: PromptSet = msgspec.field(name="set")
    base: GenerationSettings
    """Default settings, for variants that do not set them."""
    schema: str = RUN_SCHEMA
    started_utc: str = ""
    tool: str = ""
    pid: int = 0
    """The process that runs it, or ran it last."""
    parts: tuple[Part, ...] = ()
    outcome: LabOutcome = "running"
    sentence: str = ""
    is_simulated: bool = False
    opinions: tuple[Part, ...] = ()
    """Benchmark runs in which a judge model was asked."""

    @property
    def planned(self) -> int:
        """How many answers are wanted."""
        found = self.prompt_set
        return len(found.rows) * len(found.variants) * found.repeats

    @property
    def loads(self) -> int:
        """How often a model was loaded."""
        return sum(part.loads for part in self.parts)


decoder = msgspec.json.Decoder(LabRun)
"""Created at import: msgspec crashes where two threads resolve the same type at once."""
