"""Measured figures with the value of every run, and their names in a report."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kind:
    """Name and format of one kind of figure."""

    label: str
    unit: str
    digits: int


KINDS = {
    "start_ms": Kind("exec to a prompt that takes keys", "ms", 0),
    "first_paint_ms": Kind("exec to the first paint", "ms", 0),
    "first_paint_cpu_ms": Kind("processor time until the first paint", "ms", 0),
    "start_cpu_ms": Kind("processor time until it takes keys", "ms", 0),
    "cpu_ms_per_token": Kind("CPU per token", "ms", 2),
    "bytes_per_token": Kind("bytes to the terminal per token", "B", 0),
    "first_cpu_ms_per_token": Kind("CPU per token, first quarter", "ms", 3),
    "last_cpu_ms_per_token": Kind("CPU per token, last quarter", "ms", 3),
    "growth": Kind("CPU of last quarter / first quarter", "x", 2),
    "lag_p50_ms": Kind("socket to terminal, p50", "ms", 0),
    "lag_p99_ms": Kind("socket to terminal, p99", "ms", 0),
    "late_ms": Kind("still busy after the last token for", "ms", 0),
    "sample_p50_ms": Kind("time per sample of the board, p50", "ms", 2),
    "sample_p99_ms": Kind("time per sample of the board, p99", "ms", 2),
    "sampling_cpu_pct": Kind("CPU of sampling once a second", "%", 3),
    "idle_cpu_pct": Kind("CPU, idle", "%", 2),
    "idle_bytes_per_s": Kind("bytes to the terminal per second, idle", "B/s", 0),
    "screen_open_bytes": Kind("bytes to open it", "B", 0),
    "screen_close_bytes": Kind("bytes to close it", "B", 0),
    "screen_bytes_per_s": Kind("bytes per second while it is open and 3.13 tok/s stream", "B/s", 0),
    "screen_cpu_pct": Kind("CPU while it is open and 3.13 tok/s stream", "%", 1),
    "unfocused_bytes_per_s": Kind("bytes per second without the focus", "B/s", 0),
    "unfocused_cpu_pct": Kind("CPU without the focus", "%", 2),
    "focus_back_ms": Kind("from the focus to the picture", "ms", 0),
    "thin_bytes_per_s": Kind("bytes per second of a session with --low-bandwidth", "B/s", 0),
    "echo_p50_ms": Kind("key to its letter on the screen, p50", "ms", 0),
    "echo_p99_ms": Kind("key to its letter on the screen, p99", "ms", 0),
    "followed_bytes_per_s": Kind("bytes per second while it follows an answer", "B/s", 0),
    "timeline_open_ms": Kind("key to the curves of the whole answer", "ms", 0),
    "rss_start_mb": Kind("memory at start (RSS)", "MB", 1),
    "pss_start_mb": Kind("memory at start (PSS)", "MB", 1),
    "rss_added_mb": Kind("memory added by the answer (RSS)", "MB", 1),
    "neighbour_slowdown_pct": Kind("slow-down of a memory-bound neighbour", "%", 2),
    "neighbour_spread_pct": Kind("spread of that (half the middle half)", "%", 2),
    "ttft_error_ms": Kind("TTFT error, largest", "ms", 2),
    "gap_error_p50_ms": Kind("gap error, p50", "ms", 2),
    "gap_error_p95_ms": Kind("gap error, p95", "ms", 2),
    "gap_error_p99_ms": Kind("gap error, p99", "ms", 2),
    "merged_pct": Kind("tokens in one read with the next: no time of their own", "%", 1),
    "rate_error_pct": Kind("tok/s error", "%", 3),
    "history_open_ms": Kind("history opened, first page of the list", "ms", 0),
    "history_search_ms": Kind("slowest of seven searches in it", "ms", 0),
    "history_bytes_per_token": Kind("bytes on the disk per token kept", "B", 1),
    "journal_cpu_ms_per_token": Kind("CPU of keeping an answer, per token", "ms", 3),
    "scrape_p50_ms": Kind("one scrape of the exporter, p50", "ms", 2),
    "scrape_p99_ms": Kind("one scrape of the exporter, p99", "ms", 2),
    "tap_lag_p50_ms": Kind("a chunk from its server to its client, p50", "ms", 3),
    "tap_lag_p99_ms": Kind("a chunk from its server to its client, p99", "ms", 3),
    "tap_held_p99_ms": Kind("from a chunk's arrival at the tap until handed on, p99", "ms", 3),
    "tap_forward_cpu_ms": Kind("CPU of forwarding, per chunk", "ms", 3),
    "tap_measure_cpu_ms": Kind("CPU of measuring beside it, per chunk", "ms", 3),
    "fleet_cpu_pct": Kind("CPU of npulse with 20 boards on F10", "%", 2),
    "fleet_ssh_cpu_pct": Kind("CPU of its ssh processes", "%", 2),
    "prompt_ms": Kind("a prompt on its board, from one to the next", "ms", 0),
    "prompt_cpu_ms": Kind("CPU of who asks, per prompt", "ms", 1),
    "prompt_worker_cpu_ms": Kind("CPU on the board, per prompt", "ms", 1),
    "estimate_error_pct": Kind("tok/s error where chunks are characters", "%", 1),
    "shown_rate_error_pct": Kind("tok/s error as shown (3 digits)", "%", 2),
}


def quantile(values: Sequence[float], share: float) -> float:
    """Quantile by the nearest rank (ceil(share * n)), without interpolation.

    Raises ValueError where there is no value.
    """
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one program in one scenario: a value for each run."""

    scenario: str
    program: str
    kind: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def text(self) -> str:
        """The median as text, without the unit."""
        return f"{self.median:,.{KINDS[self.kind].digits}f}"


@dataclass(slots=True)
class Results:
    """Collects values, and notes on what could not be measured and why."""

    _values: dict[tuple[str, str, str], list[float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, scenario: str, program: str, kind: str, value: float | None) -> None:
        """Adds a value. None and NaN count as no value."""
        if kind not in KINDS:
            raise KeyError(kind)
        if value is not None and math.isfinite(value):
            self._values.setdefault((scenario, program, kind), []).append(value)

    def note(self, text: str) -> None:
        """Adds a note for the report; repeated ones are left out."""
        if text not in self.notes:
            self.notes.append(text)

    def figures(self) -> list[Figure]:
        return [Figure(*key, tuple(values)) for key, values in self._values.items()]

    def median(self, scenario: str, program: str, kind: str) -> float | None:
        values = self._values.get((scenario, program, kind))
        return statistics.median(values) if values else None
