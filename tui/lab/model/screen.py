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
    """A prompt set in a list. ``problem``: the first mistake in a set that cannot be used."""

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
    """An open run and its progress. ``serial`` increases with every change."""

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
    """Forecast remaining time of the present part, in s."""
    serial: int = 0

    @property
    def done(self) -> int:
        """Number of ended answers."""
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
    """The lab as the screens use it. All methods read or write files, so they are called in a
    worker thread. ``str | None``: a sentence why it was refused, or None.

    A Protocol, for what draws must not start runs or read their files.
    """

    def look(self) -> LabView:
        """The prompt sets and the runs."""

    def expected_words(self, name: str) -> str:
        """Number of requests of a set and their expected duration on this board."""

    def start(self, name: str) -> str | None:
        """Run a set in another process; :meth:`poll` returns its state."""

    def resume(self, run_id: str) -> str | None:
        """Run the missing and failed requests of a run."""

    def open(self, run_id: str) -> str | None:
        """Open a run for :meth:`poll`."""

    def poll(self) -> OpenLab | None:
        """The present state of the open or started run; None before it has begun."""

    def why_not_begun(self) -> str | None:
        """Why the started run ended before its first request; None if it did not."""

    def tell(self, word: str) -> str:
        """Send pause, resume, skip or abort to the open run. Returns a clause on the effect."""

    def export(self, run_id: str) -> str:
        """Write the reports in all formats beside the record. Returns a sentence with the
        folder."""

    def text_of(self, name: str) -> str:
        """The text of a set."""

    def problems_in(self, name: str, text: str) -> tuple[str, ...]:
        """One sentence for each mistake in the text of a set."""

    def save(self, name: str, text: str) -> str | None:
        """Save the text of a set."""

    def path_of(self, name: str) -> str:
        """The file of a set, for an editor."""

    def new_set(self) -> str:
        """Make a set with an example of everything. Returns its name."""

    def set_of(self, prompt: str, settings: GenerationSettings) -> str:
        """Make a set with this prompt and these settings. Returns its name."""

    def pairs(self, run_id: str) -> tuple[Sequence[Pair], int]:
        """The pairs left to judge in the present pass, shuffled, and the pass's number."""

    def keep(self, run_id: str, judgement: Judgement) -> str | None:
        """Save a verdict."""

    def settings_of(self, variant: str, row: str) -> GenerationSettings | None:
        """Settings for asking in the chat as this variant of the open run; None if unknown."""
