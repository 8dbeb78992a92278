"""The board during a request, from samples: clocks, heat, memory, energy, and taints."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from tui.bench.model.events import Sampled, Values, number
from tui.bench.model.metrics import finite
from tui.bench.model.records import Hardware, Taint
from tui.core.board.clock import CLOCK_TOLERANCE, top_clock
from tui.core.board.reading import Snapshot

CLOCK_LOW_PCT = 95.0
"""A request with less than this share of samples at the highest clock is tainted."""
BUSY_LOAD_PCT = 50.0
BIG_SHARE = 0.9
"""A CPU cluster is big if its highest clock is at least this share of the fastest cluster's."""
SWAP_TAINT_MB = 1.0
BACKGROUND_TAINT_PCT = 50.0
OWN_TAINT_PCT = 10.0
MIN_LOAD_SAMPLES = 3
"""Least number of samples from which a CPU load is taken for that of a request."""
SETTLE_NS = 2_500_000_000
"""Some readings are updated every 2 s only: those of a request are used from this time on."""
THROTTLED_WORDS = frozenset({"throttling", "capped"})
MB = 2**20

_PLAIN = {
    "npu.freq": 1.0,
    "npu.temp": 1.0,
    "ddr.freq": 1.0,
    "ddr.load": 1.0,
    "soc.temp": 1.0,
    "ram.available": 1.0,
    "ram.model": 1.0,
    "swap.used": 1.0,
    "server.rss": 1.0,
    "server.hwm": 1.0,
    "server.pid": 1.0,
    "server.cpu": 1.0,
    "npulse.cpu": 1.0,
    "power.w": 1.0,
    "psi.memory": 1.0,
}
_LISTS = ("npu.load", "cpu.freq")


@dataclass(frozen=True, slots=True)
class Targets:
    """The highest clock of each device in Hz; None if unknown. ``cpu_hz`` is per cluster, None for
    a little one."""

    npu_hz: float | None = None
    ddr_hz: float | None = None
    cpu_hz: tuple[float | None, ...] = ()


def reduced(snapshot: Snapshot) -> dict[str, float | str | None]:
    """The values of a snapshot that a journal keeps, by reading id: numbers in the snapshot's
    units, ``temp.max`` (hottest zone), ``throttle`` (its state), ``cpu.sum`` (load of all CPUs)."""
    values: dict[str, float | str | None] = {}
    for name in _PLAIN:
        values[name] = finite(snapshot.number(name))
    for name in _LISTS:
        for index, value in enumerate(snapshot.numbers(name)):
            values[f"{name}.{index}"] = finite(value)
    zones = [snapshot.number(name) for name in snapshot.readings if name.startswith("temp.")]
    zones += [snapshot.number("soc.temp"), snapshot.number("npu.temp")]
    values["temp.max"] = max((zone for zone in zones if zone is not None), default=None)
    values["throttle"] = snapshot.text("throttle")
    loads = [load for load in snapshot.numbers("cpu.load") if load is not None]
    values["cpu.sum"] = round(sum(loads), 1) if loads else None
    return {name: value for name, value in values.items() if value is not None}


def targets(snapshot: Snapshot) -> Targets:
    """The highest clock of each device, which a reliable run should hold."""
    tops = snapshot.numbers("cpu.max_freq")
    highest = max((top for top in tops if top is not None), default=0.0)
    return Targets(
        npu_hz=top_clock(snapshot, "npu"),
        ddr_hz=top_clock(snapshot, "ddr"),
        cpu_hz=tuple(top if top and top >= BIG_SHARE * highest else None for top in tops),
    )


def npu_load(values: Values) -> float | None:
    """The load of the busiest NPU core in per cent; None if the load is unknown."""
    loads = [number(values, f"npu.load.{core}") for core in range(8)]
    return max((load for load in loads if load is not None), default=None)


@dataclass(slots=True)
class HardwareLog:
    """All board samples of a run, sorted by time (monotonic)."""

    targets: Targets = field(default_factory=Targets)
    samples: list[Sampled] = field(default_factory=list)
    idle_w: float | None = None

    def add(self, t_ns: int, values: dict[str, float | str | None]) -> None:
        self.samples.append(Sampled(t_ns=t_ns, values=values))

    @property
    def latest(self) -> Sampled | None:
        return self.samples[-1] if self.samples else None

    def between(self, start_ns: int, end_ns: int) -> list[Sampled]:
        """The samples in a time range, and the last one before it, which applies at its start."""
        times = [sample.t_ns for sample in self.samples]
        first, last = bisect_left(times, start_ns), bisect_right(times, end_ns)
        return self.samples[max(0, first - 1) : last]

    def describe(
        self, t0_ns: int, te_ns: int, t1_ns: int | None, tn_ns: int | None
    ) -> tuple[Hardware, tuple[Taint, ...]]:
        """The board from the request (t0) to its end (te), and the taints that follow from it.

        Times are monotonic; t1 and tN are the first and last token, for the energy.
        """
        rows = self.between(t0_ns, te_ns)
        inside = [row for row in rows if t0_ns <= row.t_ns <= te_ns]
        if not rows:
            return Hardware(), ()
        settled = [row for row in inside if row.t_ns >= t0_ns + SETTLE_NS]
        clock_ok = self._clock_ok(inside, settled)
        shares = list(clock_ok.values())
        heat = _series(rows, "temp.max")
        throttled = _throttled_s(rows, t0_ns, te_ns)
        swap = _series(rows, "swap.used")
        energy = None if t1_ns is None or tn_ns is None else energy_j(rows, t1_ns, tn_ns)
        own = _series(inside, "npulse.cpu")
        described = Hardware(
            samples=len(inside),
            t_start=heat[0] if heat else None,
            t_max=max(heat) if heat else None,
            t_end=heat[-1] if heat else None,
            clock_ok_pct=min(shares) if shares else None,
            clock_ok=clock_ok,
            throttled_s=throttled,
            avail_min_mb=_scaled(min(_series(rows, "ram.available"), default=None)),
            rss_mb=_scaled(max(_series(rows, "server.rss"), default=None)),
            hwm_mb=_scaled(max(_series(rows, "server.hwm"), default=None)),
            swap_delta_mb=_scaled(swap[-1] - swap[0]) if swap else None,
            energy_j=energy,
            idle_w=self.idle_w,
            own_cpu_pct=median(own) if own else None,
        )
        return described, _taints(described, settled)

    def _clock_ok(self, rows: Sequence[Sampled], settled: Sequence[Sampled]) -> dict[str, float]:
        """Per cent of samples at the highest clock, per device, while the NPU is busy."""
        busy = [row for row in rows if _is_busy(row.values)]
        shares: dict[str, float] = {}
        wanted = {"npu": self.targets.npu_hz, "ddr": self.targets.ddr_hz}
        for name, target in wanted.items():
            values = _series(busy, f"{name}.freq")
            if target and values:
                shares[name] = _share(value >= CLOCK_TOLERANCE * target for value in values)
        big = [(i, top) for i, top in enumerate(self.targets.cpu_hz) if top]
        verdicts = [
            (row.number(f"cpu.freq.{index}") or 0.0) >= CLOCK_TOLERANCE * top
            for row in settled
            if _is_busy(row.values)
            for index, top in big
            if row.number(f"cpu.freq.{index}") is not None
        ]
        if verdicts:
            shares["cpu"] = _share(verdicts)
        return shares


def _is_busy(values: Values) -> bool:
    """Whether the NPU is busy; True if its load is unknown."""
    load = npu_load(values)
    return load is None or load >= BUSY_LOAD_PCT


def _share(verdicts: Iterable[bool]) -> float:
    values = list(verdicts)
    return round(100.0 * sum(values) / len(values), 1)


def _series(rows: Sequence[Sampled], name: str) -> list[float]:
    return [value for row in rows if (value := row.number(name)) is not None]


def _scaled(value: float | None) -> float | None:
    return None if value is None else round(value / MB, 2)


def _throttled_s(rows: Sequence[Sampled], t0_ns: int, te_ns: int) -> float | None:
    """Time with a thermal limit in s; each sample applies until the next one."""
    if not any("throttle" in row.values for row in rows):
        return None
    total = 0
    for index, row in enumerate(rows):
        end_ns = rows[index + 1].t_ns if index + 1 < len(rows) else te_ns
        start_ns = max(row.t_ns, t0_ns)
        if row.values.get("throttle") in THROTTLED_WORDS:
            total += max(0, min(end_ns, te_ns) - start_ns)
    return total / 1e9


def energy_j(rows: Sequence[Sampled], t1_ns: int, tn_ns: int) -> float | None:
    """Energy in J from t1 to tN: the integral of power by the trapezoidal rule.

    Beyond the outermost samples, power is taken as constant. None without a sensor, or with fewer
    than two samples from t1 to tN.
    """
    points = [(row.t_ns, value) for row in rows if (value := row.number("power.w")) is not None]
    if tn_ns <= t1_ns or sum(t1_ns <= t <= tn_ns for t, _ in points) < 2:
        return None
    times = [t for t, _ in points]

    def at(t_ns: int) -> float:
        right = bisect_left(times, t_ns)
        if right == 0:
            return points[0][1]
        if right == len(points):
            return points[-1][1]
        (ta, wa), (tb, wb) = points[right - 1], points[right]
        return wb if tb == ta else wa + (wb - wa) * (t_ns - ta) / (tb - ta)

    edges = [(t1_ns, at(t1_ns)), *((t, w) for t, w in points if t1_ns < t < tn_ns)]
    edges.append((tn_ns, at(tn_ns)))
    area = sum(
        (edges[i + 1][0] - edges[i][0]) * (edges[i + 1][1] + edges[i][1]) / 2
        for i in range(len(edges) - 1)
    )
    return area / 1e9


def _taints(found: Hardware, rows: Sequence[Sampled]) -> tuple[Taint, ...]:
    taints: list[Taint] = []
    if found.throttled_s:
        taints.append("throttled")
    if found.clock_ok_pct is not None and found.clock_ok_pct < CLOCK_LOW_PCT:
        taints.append("clock_low")
    if (found.swap_delta_mb or 0.0) > SWAP_TAINT_MB:
        taints.append("swap")
    others = [
        total - (row.number("server.cpu") or 0.0) - (row.number("npulse.cpu") or 0.0)
        for row in rows
        if (total := row.number("cpu.sum")) is not None and row.number("server.cpu")
    ]
    if len(others) >= MIN_LOAD_SAMPLES and median(others) > BACKGROUND_TAINT_PCT:
        taints.append("background")
    own = _series(rows, "npulse.cpu")
    if len(own) >= MIN_LOAD_SAMPLES and median(own) > OWN_TAINT_PCT:
        taints.append("ui_heavy")
    return tuple(taints)
