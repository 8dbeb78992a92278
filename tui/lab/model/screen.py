"""Records that the lab's screens draw, and the protocol that provides them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tui.core.types import GenerationSettings
from tui.lab.model.judgement import Judgement, Pair
from tui.lab.model.matrix import Matrix
from tui.lab.model.variant_figures import Agreement, VariantFigures


@dataclass(frozen=True, slots=True)
class SetRow:
    """A prompt set in a list. ``problem`` is the first sentence about a set that is not usable."""

    name: str
    title: str = ""
    rows: int = 0
    variants: int = 0
    repeats: int = 1
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in a list."""

    id: str
    set_id: str
    started_utc: str
    outcome: str
    answered: int
    planned: int
    is_simulated: bool


@dataclass(frozen=True, slots=True)
class OpenLab:
    """An open run and its progress. ``serial`` grows with every change."""

    run_id: str
    title: str
    matrix: Matrix = field(default_factory=Matrix)
    figures: tuple[VariantFigures, ...] = ()
    agreement: Agreement | None = None
    outcome: str = "running"
    sentence: str = ""
    is_running: bool = False
    is_paused: bool = False
    is_simulated: bool = False
    left_s: float | None = None
    """Time left of the present part as the benchmark forecasts it, in s."""
    serial: int = 0

    @property
    def done(self) -> int:
        """Answers that are over."""
        return sum(a.state not in ("waiting", "running") for _, a in self.matrix.answers())

    @property
    def planned(self) -> int:
        return len(self.matrix.rows) * len(self.matrix.columns) * self.matrix.repeats


@dataclass(frozen=True, slots=True)
class LabView:
    """Prompt sets and runs, for the list."""

    sets: tuple[SetRow, ...] = ()
    runs: tuple[RunRow, ...] = ()
    has_looked: bool = False


class LabSession(Protocol):
    """The lab behind the screens. Everything here reads or writes files: it is called off the
    app's thread. What is refused comes back as one sentence; None is done."""

    def look(self) -> LabView:
        """The sets and the runs there are."""

    def expected_words(self, name: str) -> str:
        """How many requests a set asks, and how long that is expected to take here."""

    def start(self, name: str) -> str | None:
        """Run a set, in a process of its own; :meth:`poll` shows it."""

    def resume(self, run_id: str) -> str | None:
        """Run what is missing or failed."""

    def open(self, run_id: str) -> str | None:
        """Look at a run from now on."""

    def poll(self) -> OpenLab | None:
        """The present state of the open or started run; None before it has begun."""

    def why_not_begun(self) -> str | None:
        """Why the run that was begun ended before it asked anything."""

    def tell(self, word: str) -> str:
        """Say pause, resume, skip or abort to the run that is looked at; what came of it."""

    def export(self, run_id: str) -> str:
        """Write the run in every form beside its record; a sentence that says where."""

    def text_of(self, name: str) -> str:
        """The text of a set."""

    def problems_in(self, name: str, text: str) -> tuple[str, ...]:
        """What is wrong with the text of a set, a sentence each."""

    def save(self, name: str, text: str) -> str | None:
        """Keep the text of a set."""

    def path_of(self, name: str) -> str:
        """The file of a set, for an editor."""

    def new_set(self) -> str:
        """Make a set with an example of everything; its name."""

    def set_of(self, prompt: str, settings: GenerationSettings) -> str:
        """Make a set whose first case and variant are these; its name."""

    def pairs(self, run_id: str) -> tuple[Sequence[Pair], int]:
        """What is still to be judged in the present pass, shuffled, and the number of the pass."""

    def keep(self, run_id: str, judgement: Judgement) -> str | None:
        """Keep a verdict."""

    def settings_of(self, variant: str, row: str) -> GenerationSettings | None:
        """Settings with which the chat asks as this variant of the open run."""
