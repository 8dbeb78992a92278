"""The record of a run of the lab: its prompt set, and the benchmark runs with its answers."""

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
    """The variants with one model on one server: one benchmark run, which loads at most one
    model."""

    server: str = ""
    """URL of the server; empty: the configured one or the one found."""
    model: str = ""
    """Model as named in the set; empty: the loaded one."""
    variants: tuple[str, ...] = ()
    run_id: str = ""
    """Id of the benchmark run; empty until it has begun."""
    outcome: str = ""
    sentence: str = ""
    loads: int = 0
    """Number of model loads."""
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
    """Id of the process that runs it, or ran it last."""
    parts: tuple[Part, ...] = ()
    outcome: LabOutcome = "running"
    sentence: str = ""
    is_simulated: bool = False
    opinions: tuple[Part, ...] = ()
    """Benchmark runs with the ratings of a judge model."""

    @property
    def planned(self) -> int:
        """Number of planned answers."""
        found = self.prompt_set
        return len(found.rows) * len(found.variants) * found.repeats

    @property
    def loads(self) -> int:
        """Number of model loads in all parts."""
        return sum(part.loads for part in self.parts)


decoder = msgspec.json.Decoder(LabRun)
"""Created at import, as msgspec crashes if two threads resolve the same type at once."""
