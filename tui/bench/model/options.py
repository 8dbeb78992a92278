"""Options of a run, and its time limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tui.core.board.remote_board import BoardElsewhere
from tui.core.types import GenerationSettings
from tui.servers.access import Access
from tui.servers.remembered import RememberedServers

GREEDY = GenerationSettings(temperature=0.0, top_p=1.0, top_k=1, repeat_penalty=1.0)
"""Always the likeliest token: what a comparison needs. A penalty of 1 is none."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds. The idle limit holds between tokens, the first one from the write to a token."""

    first_s: float = 60.0
    idle_s: float = 30.0
    total_s: float | None = None
    drain_s: float = 120.0


@dataclass(frozen=True, slots=True)
class LimitPolicy:
    """Where the time limits of a request come from. There is no limit to a whole answer unless
    ``total_factor`` asks for one."""

    first_min_s: float = 60.0
    first_factor: float = 3.0
    """Of the forecast prefill."""
    idle_min_s: float = 30.0
    idle_factor: float = 20.0
    """Of the median gap between tokens seen so far."""
    total_factor: float | None = None
    """Of the forecast time of an answer of full length, on top of the first token."""
    drain_s: float = 120.0
    connect_s: float = 5.0
    load_s: float = 300.0
    busy_s: float = 600.0
    """How long a request is kept while the server is busy with somebody else's."""

    def limits(self, prefill_s: float, gap_s: float | None, full_s: float) -> Limits:
        """The limits of one request."""
        total = None
        if self.total_factor is not None:
            total = prefill_s + self.total_factor * full_s
        return Limits(
            first_s=max(self.first_min_s, self.first_factor * prefill_s),
            idle_s=max(self.idle_min_s, self.idle_factor * (gap_s or 0.0)),
            total_s=total,
            drain_s=self.drain_s,
        )

    def buffered(self, limits: Limits, full_s: float) -> Limits:
        """A server that sends everything at the end is silent for as long as an answer takes."""
        whole = limits.first_s + 2 * full_s
        return Limits(whole, max(limits.idle_s, whole), limits.total_s, limits.drain_s)


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that a user may choose for a run."""

    folder: Path
    """Where runs are kept."""
    urls: Sequence[str] | None = None
    """Where the server is looked for; None: on the known ports."""
    access: Access = field(default_factory=Access)
    tokenizer: str = ""
    """The tokenizer.json of the model, for exact counts; empty: there is none."""
    model: str | None = None
    remembered: RememberedServers = field(default_factory=RememberedServers)
    """What was chosen in the dashboard; it counts where neither server nor model is named."""
    runs: int | None = None
    seed: int = 1
    max_time_s: float | None = None
    minutes: float | None = None
    is_strict: bool = False
    is_forced: bool = False
    """Measure although a gate refuses; the report says so."""
    is_greedy: bool | None = None
    """None: as the suite says."""
    is_thinking: bool = False
    is_quick: bool = False
    settings: GenerationSettings = field(default_factory=GenerationSettings)
    policy: LimitPolicy = field(default_factory=LimitPolicy)
    pins: bool = False
    """Hold the governors at performance for the time of the run; needs root."""
    reads_board: bool = True
    """False where the server's board is another machine, whatever its address says."""
    elsewhere: BoardElsewhere | None = None
    """The server's board, where that is another machine that is read; ``urls`` lead to it."""
    root: Path | None = None
    """Where /sys and /proc of the board are; None: of this machine, where the server runs here."""
    has_warmup: bool = True
    cool_down_s: float = 120.0
    stops_loops: bool = False
    hashes_model: bool = True
    sample_s: float = 0.5
    idle_samples: int = 4
    good_ttft_ms: float = 3000.0
    good_decode_tps: float = 2.0
    tick_s: float = 0.25
