"""The last minutes of the board: a series for each reading, all on one time axis."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from itertools import islice, repeat

from tui.core.board.reading import Snapshot

NUMBERS = (
    "ddr.load",
    "ddr.freq",
    "ddr.max_freq",
    "soc.temp",
    "npu.temp",
    "npu.freq",
    "npu.max_freq",
    "ram.available",
    "ram.model",
    "psi.memory",
)
"""Readings kept as one series each."""

THROTTLE_LEVELS = {"none": 0.0, "limited by user": 1.0, "capped": 2.0, "throttling": 2.0}
"""The reading ``throttle`` as a number: not, by a setting, by heat."""

COARSE_SAMPLES, MAX_COARSE = 10, 360
"""An hour is kept at ten seconds, where a sample is taken each second."""

BIG_SHARE = 0.85
"""A cluster is a big one from this share of the highest CPU clock on."""

Point = tuple[int, float | None]
"""``perf_counter_ns`` of a sample and what it read; None where the reading was absent."""


class BoardHistory:
    """History of readings. A missing value is None, so that gaps stay visible."""

    def __init__(self, length: int = 600) -> None:
        self._length = length
        self._series: dict[str, deque[float | None]] = {}
        self._times_ns: deque[int] = deque(maxlen=length)
        self._count = 0
        self._coarse: dict[str, deque[tuple[int, float | None, float | None]]] = {}
        """Of each reading, time, least and largest value of :data:`COARSE_SAMPLES` each."""
        self.latest: Snapshot | None = None
        self.absence = "reading ..."
        """What stands in place of readings before the first sample."""

    def add(self, snapshot: Snapshot) -> None:
        """Take one snapshot; one value is added to every series."""
        values = series_values(snapshot)
        for name in values.keys() | self._series.keys():
            self._begun(name).append(values.get(name))
        self._times_ns.append(snapshot.t_ns)
        self._count += 1
        self.latest = snapshot
        if self._count % COARSE_SAMPLES == 0:
            for name in self._series:
                known = [v for v in self.series(name, COARSE_SAMPLES) if v is not None]
                kept = self._coarse.setdefault(name, deque(maxlen=MAX_COARSE))
                kept.append((snapshot.t_ns, min(known, default=None), max(known, default=None)))

    @property
    def begun_ns(self) -> int | None:
        """When the first sample was taken that is still known; None before it."""
        known = [rows[0][0] for rows in self._coarse.values() if rows]
        fine = [self._times_ns[0]] if self._times_ns else []
        return min([*known, *fine], default=None)

    def _begun(self, name: str) -> deque[float | None]:
        """The values of that reading; one that appears later begins with a gap."""
        if name not in self._series:
            self._series[name] = deque(repeat(None, self._count), self._length)
        return self._series[name]

    def names(self) -> tuple[str, ...]:
        """Names of all series, sorted."""
        return tuple(sorted(self._series))

    def series(self, name: str, count: int) -> list[float | None]:
        """The last ``count`` values of that reading, oldest first; empty where it never was
        sampled.

        ``npu.load.0``, ``npu.load.1``, ... are the cores of ``npu.load``; ``cpu.big.freq.0``, ...
        the clocks of the big CPU clusters, ``npu.activity`` is the sum over the cores.
        """
        values = self._series.get(name, ())
        return list(islice(values, max(len(values) - max(count, 0), 0), None))

    def in_place(self, name: str, room: int) -> list[float | None]:
        """The last values of that reading as ``room`` places from left to right. A value stays in
        its place until there is no more room; then all move on by a quarter. What is drawn of it
        changes by one place a sample, not by all."""
        step = max(room // 4, 1)
        first = max(0, -(-(self._count - room) // step) * step)
        shown = self.series(name, min(self._count - first, self._length))
        missing = room - len(shown)
        return [*shown, *[None] * missing] if missing > 0 else shown[-room:]

    def points(self, name: str, since_ns: int = 0) -> list[Point]:
        """The values of that reading with their times, from ``since_ns`` on, oldest first. Before
        the last samples there are two for each :data:`COARSE_SAMPLES`: the least and the
        largest."""
        if name not in self._series:
            return []
        times = list(self._times_ns)
        skip = bisect_left(times, since_ns)
        fine = list(zip(times[skip:], self.series(name, len(times) - skip), strict=True))
        if not times or since_ns >= times[0]:
            return fine
        coarse: list[Point] = []
        for t_ns, low, high in self._coarse.get(name, ()):
            if since_ns <= t_ns < times[0]:
                coarse += [(t_ns, low), (t_ns, high)] if low != high else [(t_ns, low)]
        return [*coarse, *fine]


def series_values(snapshot: Snapshot) -> dict[str, float | None]:
    """One value for each series of a history; None where the reading was absent."""
    values = {name: snapshot.number(name) for name in NUMBERS}
    for number, freq in enumerate(big_clocks(snapshot)):
        values[f"cpu.big.freq.{number}"] = freq
    activity = [rate for rate in snapshot.numbers("npu.activity") if rate is not None]
    values["npu.activity"] = sum(activity) if activity else None
    for core, load in enumerate(snapshot.numbers("npu.load")):
        values[f"npu.load.{core}"] = load
    values["throttle.level"] = THROTTLE_LEVELS.get(snapshot.text("throttle") or "")
    values["cpu.others"] = others_cpu(snapshot)
    return values


def others_cpu(snapshot: Snapshot) -> float | None:
    """CPU time that neither the server nor npulse takes, in per cent of one core; None where the
    server's share is not known."""
    loads = [load for load in snapshot.numbers("cpu.load") if load is not None]
    server, own = snapshot.number("server.cpu"), snapshot.number("npulse.cpu")
    if not loads or server is None:
        return None
    return max(sum(loads) - server - (own or 0.0), 0.0)


def big_clocks(snapshot: Snapshot) -> list[float | None]:
    """The clocks in Hz of the big CPU clusters, in the order of the readings."""
    tops = snapshot.numbers("cpu.max_freq")
    highest = max((top for top in tops if top is not None), default=0.0)
    return [
        freq
        for freq, top in zip(snapshot.numbers("cpu.freq"), tops, strict=False)
        if top is not None and top >= BIG_SHARE * highest
    ]
