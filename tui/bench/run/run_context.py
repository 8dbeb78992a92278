"""Context of a running benchmark: connection, board, options, ledger, controls."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui.bench.model.conditions import Config, Env, Model
from tui.bench.model.options import Options
from tui.bench.model.records import Request
from tui.bench.model.suite import Suite
from tui.bench.run.board_link import BoardLink
from tui.bench.run.connect import Connected
from tui.bench.run.forecast import Speed
from tui.bench.run.ledger import Ledger
from tui.bench.store.controls import Controls
from tui.core.types import GenerationSettings


@dataclass(slots=True)
class RunContext:
    """Everything that the parts of a run share, and what earlier segments have completed."""

    suite: Suite
    options: Options
    seed: int
    controls: Controls
    ledger: Ledger
    connected: Connected
    board: BoardLink
    settings: GenerationSettings
    speed: Speed
    history: dict[str, list[float]]
    cool_limit_c: float | None
    segment: int
    env: Env
    model: Model
    config: Config
    model_path: Path | None = None
    done: frozenset[tuple[str, int]] = frozenset()
    earlier: tuple[Request, ...] = ()
    is_buffered: bool = False
    is_one_of_many: bool = False
    """Whether this is one of several boards of a run; then the figures are computed elsewhere."""

    @property
    def minutes(self) -> float | None:
        """Duration of a run by time; None for a run by number of repetitions."""
        return self.options.minutes or self.suite.minutes
