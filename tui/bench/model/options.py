"""Options of a run, and its time limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tui.core.board.remote_board import BoardElsewhere
from tui.core.types import GenerationSettings
from tui.servers.access import Access
from tui.servers.remembered_servers import RememberedServers

GREEDY = GenerationSettings(temperature=0.0, top_p=1.0, top_k=1, repeat_penalty=1.0)
"""Greedy decoding, for comparable answers. A repeat penalty of 1 means none."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits of a request: until the first token, between tokens, in all, and after its end
    for the server to become idle. None: no limit."""

    first_s: float = 60.0
    idle_s: float = 30.0
    total_s: float | None = None
    drain_s: float = 120.0


@dataclass(frozen=True, slots=True)
class LimitPolicy:
    """How the time limits of a request are computed. Without ``total_factor`` there is no limit of
    the total time."""

    first_min_s: float = 60.0
    first_factor: float = 3.0
    """Times the expected prefill time."""
    idle_min_s: float = 30.0
    idle_factor: float = 20.0
    """Times the median inter-token latency so far."""
    total_factor: float | None = None
    """Times the expected time of an answer of full length, added to that of prefill."""
    drain_s: float = 120.0
    connect_s: float = 5.0
    load_s: float = 300.0
    busy_s: float = 600.0
    """How long to wait while the server is busy with another client's request."""

    def limits(self, prefill_s: float, gap_s: float | None, full_s: float) -> Limits:
        """The limits of a request with this expected prefill, median gap and full decode time in
        s."""
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
        """The limits for a server that buffers, and so sends nothing until the end of an answer."""
        whole = limits.first_s + 2 * full_s
        return Limits(whole, max(limits.idle_s, whole), limits.total_s, limits.drain_s)


@dataclass(frozen=True, slots=True)
class Options:
    """All options of a run."""

    folder: Path
    """Folder in which runs are stored."""
    urls: Sequence[str] | None = None
    """URLs to try for the server; None: the known ports of this machine."""
    access: Access = field(default_factory=Access)
    tokenizer: str = ""
    """Path of the model's tokenizer.json, for exact token counts; empty: none."""
    model: str | None = None
    remembered: RememberedServers = field(default_factory=RememberedServers)
    """The dashboard's last server and model, used if neither is given."""
    runs: int | None = None
    seed: int = 1
    max_time_s: float | None = None
    minutes: float | None = None
    is_strict: bool = False
    is_forced: bool = False
    """Measure in spite of a gate that refuses; the report mentions it."""
    is_greedy: bool | None = None
    """None: as the suite defines."""
    is_thinking: bool = False
    is_quick: bool = False
    settings: GenerationSettings = field(default_factory=GenerationSettings)
    policy: LimitPolicy = field(default_factory=LimitPolicy)
    pins: bool = False
    """Set governors to ``performance`` during the run; needs root."""
    reads_board: bool = True
    """False if the server is on another machine, in spite of a local address (a tunnel)."""
    elsewhere: BoardElsewhere | None = None
    """The reader of the server's board if that is another machine; ``urls`` lead to its server."""
    root: Path | None = None
    """Root directory of the board's /sys and /proc; None: those of this machine, if the server is
    here."""
    has_warmup: bool = True
    cool_down_s: float = 120.0
    stops_loops: bool = False
    hashes_model: bool = True
    sample_s: float = 0.5
    idle_samples: int = 4
    good_ttft_ms: float = 3000.0
    good_decode_tps: float = 2.0
    tick_s: float = 0.25
