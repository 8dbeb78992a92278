"""The cost limits of npulse. Ratios to a reference of the same run are preferred to times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from benchmarks import echo, sharing, tapping
from benchmarks.figures import KINDS, Results
from benchmarks.screens import SCENARIOS as SCREENS

OURS = "npulse"

SHAPES = ("list", "fence", "table", "cjk", "oneline")


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit for one figure; with ``of`` a factor of another figure."""

    scenario: str
    kind: str
    limit: float
    of: tuple[str, str, str] | None = None
    """(scenario, program, kind) of the figure that ``limit`` is multiplied with."""


def _fixed() -> Iterator[Budget]:
    yield Budget("start", "start_ms", 1.5, ("start", "bare", "start_ms"))
    yield Budget("start", "first_paint_cpu_ms", 80)
    yield Budget("sampler", "sample_p50_ms", 2)
    yield Budget("sampler", "sampling_cpu_pct", 0.5)
    yield Budget("idle", "idle_bytes_per_s", 100)
    yield Budget("idle", "idle_cpu_pct", 0.5)
    yield Budget("idle", "rss_start_mb", 46)
    for scenario in SCREENS:
        yield Budget(scenario, "screen_bytes_per_s", 1200)
        yield Budget(scenario, "screen_cpu_pct", 4)
        yield Budget(scenario, "screen_open_bytes", 25_000)
        yield Budget(scenario, "screen_close_bytes", 25_000)
    for scenario in ("unfocused", "unfocused-3"):
        yield Budget(scenario, "unfocused_bytes_per_s", 0)
        yield Budget(scenario, "focus_back_ms", 100)
    yield Budget("unfocused", "unfocused_cpu_pct", 0.15)
    yield Budget("thin-3", "thin_bytes_per_s", 300)
    for scenario in (*echo.PROMPT, *echo.OTHERS):
        yield Budget(scenario, "echo_p99_ms", 30)
    yield Budget("prose-3", "cpu_ms_per_token", 10)
    yield Budget("prose-3", "bytes_per_token", 380)
    yield Budget("lab-3", "cpu_ms_per_token", 10)
    yield Budget("lab-3", "bytes_per_token", 380)
    yield Budget("timeline-16k", "timeline_open_ms", 150)
    yield Budget("timeline-hour", "timeline_open_ms", 150)
    yield Budget("timeline-16k", "growth", 1.15)
    for scenario in ("prose-3", "prose-50", "prose-200"):
        yield Budget(scenario, "lag_p99_ms", 100)
    yield Budget("prose-200", "cpu_ms_per_token", 0.35)
    yield Budget("prose-200", "bytes_per_token", 80)
    yield Budget("prose-200", "growth", 1.15)
    for scenario in SHAPES:
        prose = ("prose-200", OURS, "cpu_ms_per_token")
        yield Budget(scenario, "cpu_ms_per_token", 2, prose)
        yield Budget(scenario, "growth", 1.15)
    yield Budget("memory", "rss_added_mb", 8)
    yield Budget("history", "history_open_ms", 300)
    yield Budget("history", "history_search_ms", 100)
    yield Budget("history", "history_bytes_per_token", 16)
    yield Budget("history-50", "journal_cpu_ms_per_token", 0.02)
    yield Budget("exporter", "scrape_p50_ms", 5)
    for scenario in tapping.SCENARIOS:
        yield Budget(scenario, "tap_held_p99_ms", 0.2)
    for scenario in tapping.BUSY:
        yield Budget(scenario, "tap_forward_cpu_ms", 0.05)
    for scenario in tapping.QUIET:
        bare = (scenario, "bare", "tap_forward_cpu_ms")
        yield Budget(scenario, "tap_forward_cpu_ms", 1.5, bare)
    yield Budget("fleet", "fleet_cpu_pct", 5)
    for kind, factor in (("prompt_ms", 1.25), ("prompt_cpu_ms", 1.0)):
        yield Budget(sharing.SCENARIO, kind, factor, (sharing.SCENARIO, sharing.ALONE, kind))
    yield Budget("neighbour", "neighbour_slowdown_pct", 0.5)


def _timing(scenarios: Iterator[str]) -> Iterator[Budget]:
    for scenario in scenarios:
        yield Budget(scenario, "ttft_error_ms", 1)
        yield Budget(scenario, "gap_error_p99_ms", 0.5)
        yield Budget(scenario, "rate_error_pct", 0.1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A budget and the measured figure."""

    budget: Budget
    limit: float
    measured: float

    @property
    def word(self) -> Literal["ok", "over"]:
        return "ok" if self.measured <= self.limit else "over"

    @property
    def text(self) -> str:
        """The limit as text: ``<= 100 ms``, ``<= 2x bare = 812 ms``."""
        kind = KINDS[self.budget.kind]
        limit = f"{self.limit:,.{kind.digits}f} {kind.unit}"
        if self.budget.of is None:
            return f"<= {self.budget.limit:g} {kind.unit}"
        scenario, program, _ = self.budget.of
        reference = program if scenario == self.budget.scenario else scenario
        return f"<= {self.budget.limit:g}x {reference} = {limit}"


def verdicts(results: Results) -> list[Verdict]:
    """Every budget whose figure, and reference, is in these results."""
    timing = dict.fromkeys(f.scenario for f in results.figures() if f.kind == "gap_error_p99_ms")
    found = []
    for budget in (*_fixed(), *_timing(iter(timing))):
        measured = results.median(budget.scenario, OURS, budget.kind)
        factor = 1.0 if budget.of is None else results.median(*budget.of)
        if measured is not None and factor is not None:
            found.append(Verdict(budget, budget.limit * factor, measured))
    return found
