"""The sizes of the measurements: of a full run, or of a quick one within two minutes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.programs import LOG, MARKDOWN, Program
from benchmarks.simulator import ROCKCHIPLLAMA
from tui.sim.server.dialects.rows import DIALECTS


@dataclass(frozen=True, slots=True)
class AnswerPlan:
    """An answer with its shape and rate, and the programs that show it."""

    name: str
    shape: str
    """The simulator's name of the kind of text."""
    rate_tps: float
    tokens: int
    references: tuple[Program, ...] = ()
    drain_s: float = 10.0
    """Seconds that a program may be late at the end before it is stopped."""

    @property
    def prompt(self) -> str:
        return f"[[{self.shape}]]"


@dataclass(frozen=True, slots=True)
class TimingPlan:
    """Answers for the comparison of npulse's token times with the simulator's."""

    rate_tps: float
    tokens: int
    answers: int
    read_rate: int | None = None
    """Bytes per second that the terminal accepts, as over slow ssh; None: no limit."""
    dialect: str = ROCKCHIPLLAMA


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of everything that is measured."""

    runs: int
    starts: int
    idle_s: float
    answers: tuple[AnswerPlan, ...]
    is_one_session: bool
    """Whether all shapes are requested one after the other in one session."""
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
    """Seconds for which the cost of each open screen is measured."""
    shared_prompts: int = 60
    """Prompts that are shared out to boards."""
    echo_keys: int = 200
    """Number of keys typed while an answer streams."""


_SHAPES = {"list": "list", "fence": "code", "table": "table", "cjk": "cjk", "oneline": "oneline"}
"""Scenario -> the simulator's name of the shape: a single Markdown block that never ends."""


def _in_each_dialect(tokens: int, answers: int) -> tuple[TimingPlan, ...]:
    """Short enough for a server with a fixed limit of 512 tokens. One server repeats the whole
    answer in every event; it gets fewer tokens, so that its megabytes per second do not
    dominate."""
    usual = {name: TimingPlan(200, tokens, answers, dialect=name) for name in DIALECTS}
    repeating = {"rkllm-chat": TimingPlan(50, 60, answers, dialect="rkllm-chat")}
    return tuple({**usual, **repeating}.values())


def full(folder: Path, runs: int) -> Plan:
    """Sizes for which the budgets are defined; takes about half an hour."""
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
    """The same figures from short answers, for use during development."""
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
