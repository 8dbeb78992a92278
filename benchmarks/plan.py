"""How much is measured: a full run, or a quick one that fits in two minutes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.programs import LOG, MARKDOWN, Program
from benchmarks.simulator import ROCKCHIPLLAMA
from tui.sim.server.dialects.rows import DIALECTS


@dataclass(frozen=True, slots=True)
class AnswerPlan:
    """An answer of some shape at some rate, and who shows it."""

    name: str
    shape: str
    """The simulator's word for the kind of text."""
    rate_tps: float
    tokens: int
    references: tuple[Program, ...] = ()
    drain_s: float = 10.0
    """How late a program may be at the end before it is cut off."""

    @property
    def prompt(self) -> str:
        return f"[[{self.shape}]]"


@dataclass(frozen=True, slots=True)
class TimingPlan:
    """Answers whose times npulse's own stamps are compared with."""

    rate_tps: float
    tokens: int
    answers: int
    read_rate: int | None = None
    """Bytes a second that the terminal takes: a slow SSH line. None: as they come."""
    dialect: str = ROCKCHIPLLAMA


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of everything that is measured."""

    runs: int
    starts: int
    idle_s: float
    answers: tuple[AnswerPlan, ...]
    is_one_session: bool
    """Whether the shapes are asked one after the other in one session."""
    memory_tokens: int
    memory_rate_tps: float
    neighbour_pairs: int
    neighbour_s: float
    timings: tuple[TimingPlan, ...]
    dialects: tuple[TimingPlan, ...]
    """One in each dialect, without the screen."""
    folder: Path
    history_conversations: int = 10_000
    screen_s: float = 20.0
    """How long each screen stays open while its cost is counted."""
    shared_prompts: int = 60
    """Prompts that are shared out to boards."""
    echo_keys: int = 200
    """Keys that are typed while an answer streams."""


_SHAPES = {"list": "list", "fence": "code", "table": "table", "cjk": "cjk", "oneline": "oneline"}
"""Scenario -> the simulator's word for that shape: each is a single block that never closes."""


def _in_each_dialect(tokens: int, answers: int) -> tuple[TimingPlan, ...]:
    """Short enough for a server that fixes 512 tokens. One repeats all that it has said in every
    event: its megabytes a second would be what is measured, so it is asked for less."""
    usual = {name: TimingPlan(200, tokens, answers, dialect=name) for name in DIALECTS}
    repeating = {"rkllm-chat": TimingPlan(50, 60, answers, dialect="rkllm-chat")}
    return tuple({**usual, **repeating}.values())


def full(folder: Path, runs: int) -> Plan:
    """Every figure at the length that its budget is written for; about half an hour."""
    shapes = tuple(AnswerPlan(name, shape, 200, 4000) for name, shape in _SHAPES.items())
    answers = (
        AnswerPlan("prose-3", "prose", 3.13, 100, (MARKDOWN,)),
        AnswerPlan("prose-50", "prose", 50, 1000, (MARKDOWN,)),
        AnswerPlan("prose-200", "prose", 200, 4000, (MARKDOWN, LOG), 30),
        AnswerPlan("list-50", "list", 50, 1600, (MARKDOWN,), 60),
        *shapes,
    )
    timings = (
        TimingPlan(3.13, 20, 2),
        TimingPlan(15, 90, 3),
        TimingPlan(100, 600, 5),
        TimingPlan(200, 1200, 3),
        TimingPlan(50, 500, 2, read_rate=2000),
    )
    dialects = _in_each_dialect(400, 3)
    return Plan(runs, 7, 30, answers, False, 16_384, 500, 4, 8, timings, dialects, folder)


def quick(folder: Path, runs: int) -> Plan:
    """The same figures from short answers, to see a change while working."""
    shapes = tuple(AnswerPlan(name, shape, 200, 400) for name, shape in _SHAPES.items())
    answers = (
        AnswerPlan("prose-3", "prose", 3.13, 24),
        AnswerPlan("prose-50", "prose", 50, 200),
        AnswerPlan("prose-200", "prose", 200, 800, (MARKDOWN, LOG)),
        *shapes,
    )
    timings = (TimingPlan(100, 300, 2),)
    dialects = _in_each_dialect(200, 1)
    return Plan(
        runs, 3, 6, answers, True, 4096, 1000, 6, 4, timings, dialects, folder, 1000, 5.0, 20, 60
    )
