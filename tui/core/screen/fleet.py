"""Rows of the fleet screen, one per board."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from tui.core.board.headroom import RESERVE_BYTES
from tui.core.screen.server_facts import NpuPhase

HOT_C = 85.0
"""From here on Rockchip's system monitor holds clocks down."""
SLOW_MS = 500.0
"""From here on keys that go over the line are felt to lag."""
Trouble = Literal["none", "note", "bad"]


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One board now. Strings are sanitised, empty or None is not known."""

    name: str
    address: str
    state: Literal["connecting", "connected", "lost"] = "connecting"
    latency_ms: float | None = None
    problem: str = ""
    """Why it cannot be reached, in one sentence."""
    board: str = ""
    model: str = ""
    server: str = ""
    is_server_busy: bool = False
    server_problem: str = ""
    rate: str = ""
    """Its rate now in tok/s: by the tap there, else by the server's own counters."""
    npu_pct: float | None = None
    """The mean over its cores."""
    npu_reason: str = ""
    npu_phase: NpuPhase = "unknown"
    ram_available_bytes: float | None = None
    temperature_c: float | None = None
    throttle: str = ""
    queue: int | None = None
    """How many requests wait, by the same."""
    way: str = ""
    """How its files are read, in one sentence."""
    is_other_version: bool = False
    """npulse there cannot be used; ``way`` says why."""
    work: str = ""
    """What a benchmark of many boards has it do, in words."""

    @property
    def wrong(self) -> tuple[Trouble, str]:
        """Severity, and the problems with the worst first."""
        if bad := self._bad():
            return "bad", bad
        note = self._note()
        return ("note", note) if note else ("none", "")

    def _bad(self) -> str:
        if self.state == "lost":
            said = self.problem.removeprefix(f"{self.address} was not reached: ")
            return said or "not reached"
        if self.state == "connecting":
            return ""
        free = self.ram_available_bytes
        if free is not None and free < RESERVE_BYTES:
            return f"RAM: {free / 2**20:.0f} MiB left"
        if self.throttle in ("throttling", "capped"):
            return "clocks are held down by heat"
        if self.temperature_c is not None and self.temperature_c >= HOT_C:
            return f"hot: {self.temperature_c:.0f} °C"
        return self.server_problem

    def _note(self) -> str:
        if self.state == "connecting":
            return "connecting"
        if self.throttle == "limited by user":
            return "clocks are limited by a setting"
        if self.is_server_busy:
            return "server busy"
        if self.latency_ms is not None and self.latency_ms >= SLOW_MS:
            return f"slow connection: {self.latency_ms:.0f} ms"
        if self.is_other_version:
            # All of it stands below the table.
            return self.way.partition(":")[0].partition(",")[0]
        if self.npu_pct is None and self.npu_reason:
            return f"NPU load: {self.npu_reason}"
        return ""


class FleetWatch(Protocol):
    """The boards that are watched; :class:`tui.remote.fleet.Fleet` is the real one.

    A Protocol, for what draws must not open a connection.
    """

    def rows(self) -> tuple[BoardRow, ...]:
        """The boards now."""

    def start(self) -> None:
        """Begin to read them."""

    def close(self) -> None:
        """End every connection."""


_ORDER: dict[Trouble, int] = {"bad": 0, "note": 1, "none": 2}


def by_what_is_wrong(rows: Iterable[BoardRow]) -> tuple[BoardRow, ...]:
    """The worst first; among equals the order of the config."""
    return tuple(sorted(rows, key=lambda row: _ORDER[row.wrong[0]]))
