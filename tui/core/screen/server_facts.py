"""Facts about a server's clients without a tap: connections, counters, NPU load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NpuPhase = Literal["idle", "prefill", "decode", "working", "unknown"]
"""Activity of the NPU by load and interrupts; ``working`` where the phase is unknown."""

BUSY_LOAD_PCT = 5.0
PREFILL_LOAD_PCT = 90.0
"""On the average of the cores: in a prefill the NPU computes, in a decode it waits for memory."""
BUSY_JOBS = 20.0


@dataclass(frozen=True, slots=True)
class NpuWork:
    """``source`` is the file it was read from, with what it said; empty where nothing was read."""

    phase: NpuPhase
    source: str = ""


NPU_UNKNOWN = NpuWork("unknown")


@dataclass(frozen=True, slots=True)
class SeenConnection:
    """An established connection to the server's port. Strings are sanitised."""

    host: str
    process: str | None = None
    pid: int | None = None
    is_own: bool = False
    """It is this npulse's."""


@dataclass(frozen=True, slots=True)
class ServerCounter:
    """A number that the server itself tells. ``source`` is the route; strings are sanitised."""

    label: str
    value: str
    source: str


def npu_work(
    loads_pct: tuple[float | None, ...], load_source: str, jobs: tuple[float | None, ...]
) -> NpuWork:
    """What the NPU does. ``jobs`` are finished jobs a second of each core, from its interrupts."""
    known = [load for load in loads_pct if load is not None]
    rates = [rate for rate in jobs if rate is not None]
    shown = ""
    if rates:
        shown = f"/proc/interrupts: {sum(rates):.0f} jobs/s"
    if not known:
        if not rates:
            return NPU_UNKNOWN
        return NpuWork("working" if sum(rates) > BUSY_JOBS else "idle", shown)
    percents = "/".join(f"{load:.0f}" for load in known)
    source = f"{load_source}: {percents} %" + (f", {shown}" if shown else "")
    if max(known) < BUSY_LOAD_PCT:
        return NpuWork("idle", source)
    is_prefill = sum(known) / len(known) >= PREFILL_LOAD_PCT
    return NpuWork("prefill" if is_prefill else "decode", source)
