"""Distributes the rows among the curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tui.timeline.record import Series, Timeline
from tui.timeline.series import NPU_LOAD, SPECS, SeriesSpec

LEAST_ROWS = 3
MOST_RATE_ROWS, MOST_ROWS = 10, 6


@dataclass(frozen=True, slots=True)
class ChartOf:
    """One chart: its spec, and the curves that it shows; several are drawn as one range."""

    spec: SeriesSpec
    names: tuple[str, ...]


def charts_of(timeline: Timeline, other: Timeline | None = None) -> list[ChartOf]:
    """All charts that there is something to show in, the most important first."""
    known: Mapping[str, Series] = timeline.series
    if other is not None:
        known = {**other.series, **timeline.series}
    cores = tuple(sorted(name for name in known if name.startswith(f"{NPU_LOAD}.")))
    found = []
    for name, spec in SPECS.items():
        if name == NPU_LOAD and cores:
            found.append(ChartOf(spec, cores))
        elif name in known and any(value == value for value in known[name].values):
            found.append(ChartOf(spec, (name,)))
    return found


def heights(charts: Sequence[ChartOf], rows: int) -> list[int]:
    """How many rows each of the first charts gets, with a blank row between two; the others find no
    room. The first one gets more where there is more."""
    if rows < LEAST_ROWS or not charts:
        return []
    count = min((rows + 1) // (LEAST_ROWS + 1), len(charts))
    found = [LEAST_ROWS] * count
    left = rows - count * (LEAST_ROWS + 1) + 1
    while left > 0:
        before = left
        for place in range(count):
            most = MOST_RATE_ROWS if place == 0 else MOST_ROWS
            more = 2 if place == 0 and left > 1 else 1
            if left > 0 and found[place] < most:
                found[place] += min(more, left)
                left -= min(more, left)
        if left == before:
            break
    return found
