"""Matrix of a run: an answer per row, variant and repetition, as far as received."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tui.bench.model.records import Check, Request

CellState = Literal["waiting", "running", "ok", "failed", "skipped"]
CellKey = tuple[str, str]
"""(row, variant)."""


@dataclass(frozen=True, slots=True)
class LabAnswer:
    """One answer, or a placeholder for one that is not received yet."""

    rep: int
    state: CellState = "waiting"
    text: str = ""
    thinking: str = ""
    tokens: int | None = None
    is_count_estimated: bool = False
    rate_tps: float | None = None
    is_rate_estimated: bool = False
    ttft_ms: float | None = None
    latency_ms: float | None = None
    prompt: str = ""
    """The prompt as sent, with the values of the case."""
    request: Request | None = None
    """The benchmark's record, once the answer has ended."""

    @property
    def checks(self) -> tuple[Check, ...]:
        return () if self.request is None else self.request.checks

    @property
    def passed_checks(self) -> tuple[int, int] | None:
        """(passed, applicable); None if no check applies."""
        return None if self.request is None else self.request.passed_checks

    @property
    def is_passed(self) -> bool | None:
        """Whether every check passed; None if none applies or there is no answer."""
        found = self.passed_checks
        if found is None or self.state != "ok":
            return None
        return found[0] == found[1]

    @property
    def status_word(self) -> str:
        """State in a word or two."""
        if self.request is not None:
            return self.request.status_word
        return self.state


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One prompt with one case."""

    id: str
    prompt: str
    case: str = ""


@dataclass(frozen=True, slots=True)
class MatrixColumn:
    """One variant, with what it sets."""

    id: str
    settings: str = ""
    """Its settings as text: ``temperature 0.2, thinking``."""
    model: str = ""
    server: str = ""
    is_greedy: bool = False


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows and columns in the set's order. ``cells``: (row, variant) -> one answer per
    repetition."""

    rows: tuple[MatrixRow, ...] = ()
    columns: tuple[MatrixColumn, ...] = ()
    repeats: int = 1
    cells: Mapping[CellKey, tuple[LabAnswer, ...]] = field(default_factory=dict)

    def cell(self, row: str, variant: str) -> tuple[LabAnswer, ...]:
        """The answers of a cell; placeholders if none has begun."""
        found = self.cells.get((row, variant))
        return found or tuple(LabAnswer(rep) for rep in range(self.repeats))

    def answers(self, variant: str | None = None) -> Iterator[tuple[CellKey, LabAnswer]]:
        """Every answer, or those of one variant, row by row."""
        for row in self.rows:
            for column in self.columns:
                if variant in (None, column.id):
                    for answer in self.cell(row.id, column.id):
                        yield (row.id, column.id), answer

    def count(self, state: CellState) -> int:
        """How many answers are in that state."""
        return sum(answer.state == state for _, answer in self.answers())


def cell_state(answers: tuple[LabAnswer, ...]) -> CellState:
    """State of a cell over its repetitions: the first of running, failed, waiting, skipped, ok."""
    states = {answer.state for answer in answers}
    order: tuple[CellState, ...] = ("running", "failed", "waiting", "skipped", "ok")
    return next((state for state in order if state in states), "waiting")


def cell_passed(answers: tuple[LabAnswer, ...]) -> bool | None:
    """Whether every answer of the cell passed its checks; None if no check applies."""
    verdicts = [answer.is_passed for answer in answers if answer.is_passed is not None]
    return all(verdicts) if verdicts else None
