"""Rank correlation of inter-token gaps with clocks and temperatures.

Each gap is paired with the nearest board sample. A correlation needs at least 200 gaps and a
variable that varied. Temperature and context grow together, so for the other variables it is the
partial correlation given the context.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tui.bench.analysis.ranks import spearman, spearman_given
from tui.bench.analysis.statistics import nearest
from tui.bench.analysis.trace import STALL_FACTOR
from tui.bench.model.events import Sampled, number

MIN_GAPS = 200
MAX_GAPS = 20_000
MAX_STALLS = 20
VARIABLES = {
    "soc.temp": "SoC temperature",
    "npu.temp": "NPU temperature",
    "ddr.freq": "DDR clock",
    "npu.freq": "NPU clock",
}


@dataclass(frozen=True, slots=True)
class Influence:
    """Correlation of one variable with the gaps: Spearman's ``rho``, None for the reason in
    ``remark``."""

    name: str
    label: str
    n: int
    rho: float | None
    remark: str


@dataclass(frozen=True, slots=True)
class Bucket:
    """The gaps during one value (Hz) of a clock."""

    name: str
    value: float
    n: int
    median_ms: float


@dataclass(frozen=True, slots=True)
class Stall:
    """A gap longer than three median gaps, and the board's state at that time."""

    request: str
    token: int
    gap_ms: float
    state: str


@dataclass(frozen=True, slots=True)
class Correlation:
    """Correlations, gaps by clock, and the longest stalls of one run."""

    influences: tuple[Influence, ...]
    buckets: tuple[Bucket, ...]
    stalls: tuple[Stall, ...]


@dataclass(frozen=True, slots=True)
class _Gap:
    request: str
    token: int
    ms: float
    context: float
    v: Mapping[str, float | str | None]


def correlate(
    stamps: Mapping[tuple[str, int], Sequence[int]],
    contexts: Mapping[tuple[str, int], int],
    samples: Sequence[Sampled],
) -> Correlation | None:
    """Correlate the gaps of a run's requests; None without samples or gaps.

    ``stamps`` are the times of the chunks of each scored request (ns, monotonic), ``contexts`` its
    prompt tokens, both by request key.
    """
    if not samples:
        return None
    times = [sample.t_ns for sample in samples]
    gaps: list[_Gap] = []
    stalls: list[Stall] = []
    for key, marks in stamps.items():
        row = _gaps_of(key, marks, contexts.get(key, 0), times, samples)
        middle = median(gap.ms for gap in row) if row else 0.0
        stalls += [
            Stall(gap.request, gap.token, gap.ms, _state(gap.v))
            for gap in row
            if gap.ms > STALL_FACTOR * middle
        ]
        gaps += row
    if not gaps:
        return None
    step = max(1, len(gaps) // MAX_GAPS)
    kept = gaps[::step]
    influences = (_context(kept), *(_influence(name, kept) for name in VARIABLES))
    stalls.sort(key=lambda stall: -stall.gap_ms)
    return Correlation(influences, _buckets(gaps), tuple(stalls[:MAX_STALLS]))


def _gaps_of(
    key: tuple[str, int],
    marks: Sequence[int],
    context: int,
    times: Sequence[int],
    samples: Sequence[Sampled],
) -> list[_Gap]:
    row = []
    for i in range(1, len(marks)):
        at = nearest(times, marks[i])
        values = samples[at].values if at is not None else {}
        name = f"{key[0]} #{key[1] + 1}"
        row.append(_Gap(name, i + 1, (marks[i] - marks[i - 1]) / 1e6, context + i, values))
    return row


def _context(gaps: Sequence[_Gap]) -> Influence:
    if len(gaps) < MIN_GAPS:
        return Influence("context", "context", len(gaps), None, f"fewer than {MIN_GAPS} gaps")
    rho = spearman([gap.ms for gap in gaps], [gap.context for gap in gaps])
    remark = "constant" if rho is None else ""
    return Influence("context", "context", len(gaps), rho, remark)


def _influence(name: str, gaps: Sequence[_Gap]) -> Influence:
    rows = [(gap, value) for gap in gaps if (value := number(gap.v, name)) is not None]
    label = VARIABLES[name]
    if not rows:
        return Influence(name, label, 0, None, "not readable")
    if len(rows) < MIN_GAPS:
        return Influence(name, label, len(rows), None, f"fewer than {MIN_GAPS} gaps")
    values = [value for _, value in rows]
    if min(values) == max(values):
        return Influence(name, label, len(rows), None, "constant")
    rho = spearman_given([gap.ms for gap, _ in rows], values, [gap.context for gap, _ in rows])
    remark = "given the context" if rho is not None else "varies with context only"
    return Influence(name, label, len(rows), rho, remark)


def _buckets(gaps: Sequence[_Gap]) -> tuple[Bucket, ...]:
    found = []
    for name in ("npu.freq", "ddr.freq"):
        by_clock: dict[float, list[float]] = {}
        for gap in gaps:
            value = number(gap.v, name)
            if value is not None:
                by_clock.setdefault(value, []).append(gap.ms)
        found += [
            Bucket(name, value, len(row), median(row)) for value, row in sorted(by_clock.items())
        ]
    return tuple(found)


def _state(values: Mapping[str, float | str | None]) -> str:
    parts = []
    for name, label in (("npu.freq", "NPU"), ("ddr.freq", "DDR")):
        value = number(values, name)
        if value is not None:
            parts.append(f"{label} {value / 1e6:.0f} MHz")
    heat = number(values, "temp.max")
    if heat is not None:
        parts.append(f"{heat:.0f} °C")
    throttle = values.get("throttle")
    if isinstance(throttle, str) and throttle != "none":
        parts.append(throttle)
    return ", ".join(parts) or "unknown"
