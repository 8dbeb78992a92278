"""Finds changes during an answer, and describes their cause.

Takes samples of the board and gaps between tokens one at a time, each at O(1), so that the same
code serves an answer that runs and one that is stored. A mark begins with the first sample that
shows it and ends with the first one that does not: it is as exact as the board was sampled.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import sub
from statistics import median
from typing import NamedTuple

from tui.timeline.record import Mark, MarkKind
from tui.timeline.series import (
    CPU_CLOCK,
    FREE_RAM,
    GAP,
    NPU_LOAD,
    OTHERS,
    PRESSURE,
    RATE,
    THROTTLE,
    spec_of,
)

CLOCKS = ("npu.freq", CPU_CLOCK, "ddr.freq")
FALL_SHARE = 0.92
"""Share of a clock's highest value below which it counts as fallen."""
BUSY_PCT = 10.0
"""NPU load below which falling clocks are normal (idle)."""
OTHERS_PCT, OTHERS_AGAIN_PCT = 80.0, 40.0
"""Per cent of one core, by programs beside the server and npulse: begins, ends."""
PRESSURE_PCT, PRESSURE_AGAIN_PCT = 10.0, 5.0
LOW_RAM_GIB, ENOUGH_RAM_GIB = 0.5, 0.8
SLOW_FACTOR = 4.0
SLOW_NS = 50_000_000
"""Least excess over the usual gap, in addition to the factor."""
USUAL_GAPS, LEAST_GAPS = 64, 8
CPU_CLOCK_NS = 2_000_000_000
"""The CPU's clock is read every other second, and may dip between two of its jobs."""
OTHERS_NS = 4_500_000_000
"""Least duration of other programs' load. It is the CPUs' load minus the server's, which is up to
four seconds old, so shorter differences mean nothing.
"""
MAX_MARKS = 500


@dataclass(slots=True)
class _Open:
    """A mark that has begun."""

    kind: MarkKind
    start_ns: int
    series: tuple[str, ...]
    tell: Callable[[_Open, int], str]
    """The sentence, from what was seen and the end."""
    lasting_ns: int = 0
    first: dict[str, float] = field(default_factory=dict)
    least: dict[str, float] = field(default_factory=dict)
    most: dict[str, float] = field(default_factory=dict)

    def saw(self, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self.least[name] = min(value, self.least.get(name, value))
            self.most[name] = max(value, self.most.get(name, value))


class SlowGap(NamedTuple):
    """A gap that was far longer than usual, both in ns."""

    gap_ns: int
    usual_ns: float


class GapWatch:
    """Tracks the usual gap: the median of the last ones."""

    __slots__ = ("_last", "_least_slow", "_since", "_usual", "_window")

    def __init__(self) -> None:
        self._last: deque[int] = deque(maxlen=USUAL_GAPS)
        self._since = 0
        self._window: tuple[int, ...] = ()
        self._usual: float | None = 0.0
        """Median of the window; None while nobody has asked for it."""
        self._least_slow: float | None = None
        """No gap up to this one can be slow, whatever the median; None while nobody has asked."""

    @property
    def usual_ns(self) -> float:
        """0 while that is not known."""
        if self._usual is None:
            self._usual = median(self._window)
        return self._usual

    def feed(self, gaps_ns: Iterable[int]) -> list[tuple[int, SlowGap]]:
        """More gaps; those that were slow, with their numbers among these."""
        found: list[tuple[int, SlowGap]] = []
        last, since = self._last, self._since
        # In line: an answer of 16,384 tokens comes by here when it is opened.
        for number, gap_ns in enumerate(gaps_ns):
            least = self._least_slow
            if gap_ns > SLOW_NS and (least is None or gap_ns > least) and self.is_slow(gap_ns):
                found.append((number, SlowGap(gap_ns, self.usual_ns)))
            last.append(gap_ns)
            since += 1
            # With the first eight it is known, and looked at again with each eight.
            if since >= LEAST_GAPS:
                since = 0
                self._window, self._usual, self._least_slow = tuple(last), None, None
        self._since = since
        return found

    def is_slow(self, gap_ns: int) -> bool:
        """Whether a gap of this length is far longer than usual."""
        if not self._window:
            return False
        # The least of the gaps is below their median, and far cheaper.
        if self._least_slow is None:
            self._least_slow = SLOW_FACTOR * min(self._window)
        if gap_ns <= self._least_slow:
            return False
        usual_ns = self.usual_ns
        return usual_ns > 0 and gap_ns > SLOW_FACTOR * usual_ns and gap_ns - usual_ns > SLOW_NS


class MarkFinder:
    """The marks of one answer so far."""

    def __init__(self) -> None:
        self.gaps = GapWatch()
        self._found: list[Mark] = []
        self._open: dict[str, _Open] = {}
        self._tops: dict[str, float] = {}
        self._before: dict[str, float] = {}
        self._level = 0.0
        self._is_released = False
        """Whether clocks have recovered although a limit is still reported."""

    # What comes -----------------------------------------------------------------------------

    def chunks(self, before_ns: int | None, times_ns: Sequence[int]) -> None:
        """Chunks of the answer came, and the one before them at ``before_ns``."""
        if before_ns is None and times_ns:
            # Reading a prompt and writing an answer need different clocks.
            self._tops = {}
            before_ns, times_ns = times_ns[0], times_ns[1:]
        if before_ns is None:
            return
        starts = (before_ns, *times_ns[:-1])
        for number, slow in self.gaps.feed(map(sub, times_ns, starts)):
            words = _slow_words(slow)
            self._keep(Mark("slow", starts[number], times_ns[number], words, (GAP, RATE)))

    def sample(self, t_ns: int, values: Mapping[str, float]) -> None:
        """The readings of one sample that are there, by series, in the units of their specs."""
        for mark in self._open.values():
            mark.saw(values)
        if self._open or self._is_released or not self._is_quiet(values):
            self._throttle(t_ns, values)
            self._clocks(t_ns, values)
            self._others(t_ns, values)
            self._memory(t_ns, values)
        self._before.update(values)

    def _is_quiet(self, values: Mapping[str, float]) -> bool:
        """Whether nothing can begin with this sample; nearly all samples of an hour are so."""
        get, before, tops = values.get, self._before, self._tops
        for name in CLOCKS:
            value = get(name)
            if value is not None and (value != before.get(name) or value != tops.get(name)):
                return False
        if get(THROTTLE, 0.0) or self._level or (THROTTLE in values and THROTTLE not in before):
            return False
        is_alone = get(OTHERS, 0.0) < OTHERS_AGAIN_PCT
        return is_alone and get(PRESSURE, 0.0) < PRESSURE_PCT and get(FREE_RAM, 1e9) >= LOW_RAM_GIB

    def marks(self, now_ns: int, last_ns: int | None = None) -> list[Mark]:
        """All marks as of ``now_ns``, by their start. ``last_ns`` is when the last chunk came, of
        an answer that still runs."""
        found = list(self._found)
        found += [
            _marked(one, max(now_ns, one.start_ns), is_open=True)
            for one in self._open.values()
            if now_ns - one.start_ns >= one.lasting_ns
        ]
        if last_ns is not None and self.gaps.is_slow(now_ns - last_ns):
            slow = SlowGap(now_ns - last_ns, self.gaps.usual_ns)
            words = f"no token for {_seconds(slow.gap_ns)}, usually {_seconds(slow.usual_ns)}"
            found.append(Mark("slow", last_ns, now_ns, words, (GAP, RATE), is_open=True))
        return sorted(found, key=lambda mark: (mark.start_ns, mark.end_ns))

    # What it means --------------------------------------------------------------------------

    def _throttle(self, t_ns: int, values: Mapping[str, float]) -> None:
        level = values.get(THROTTLE)
        if level is None:
            return
        # A limit that a user has set is no change while it stands; one that heat sets always is.
        is_limited = level >= 2 or (level >= 1 and ("throttled" in self._open or not self._level))
        before_first = THROTTLE not in self._before
        if level == 1 and before_first:
            is_limited = False
        # The limits are read less often than the clocks: it is over when those are back.
        self._is_released = is_limited and (self._is_released or self._has_recovered(values))
        if self._is_released:
            self._end("throttled", t_ns)
            self._is_released = not self._has_fallen(values)
        elif is_limited and "throttled" not in self._open:
            fallen = [name for name in CLOCKS if name in self._open]
            start_ns = min((self._open[name].start_ns for name in fallen), default=t_ns)
            first = {**self._before, **self._tops}
            for name in fallen:
                del self._open[name]
            tell = _heat_words if level >= 2 else _limit_words
            self._begin("throttled", start_ns, "throttled", (RATE, *CLOCKS, "soc.temp"), tell)
            self._open["throttled"].first = first
            self._open["throttled"].saw(values)
        elif not is_limited:
            self._end("throttled", t_ns)
        self._level = level

    def _has_fallen(self, values: Mapping[str, float]) -> bool:
        """Whether a clock is far below its highest."""
        return any(
            name in values and values[name] < FALL_SHARE * self._tops.get(name, 0.0)
            for name in CLOCKS
        )

    def _has_recovered(self, values: Mapping[str, float]) -> bool:
        """Whether clocks that fell while it was throttled are what they were before."""
        one = self._open.get("throttled")
        if one is None:
            return False
        fell = [
            name
            for name in CLOCKS
            if name in one.first and one.least.get(name, math.inf) < FALL_SHARE * one.first[name]
        ]
        return bool(fell) and all(
            values.get(name, 0.0) >= FALL_SHARE * one.first[name] for name in fell
        )

    def _clocks(self, t_ns: int, values: Mapping[str, float]) -> None:
        for name in CLOCKS:
            value = values.get(name)
            if value is None:
                continue
            top = self._tops[name] = max(value, self._tops.get(name, value))
            is_busy = values.get(NPU_LOAD, 100.0) >= BUSY_PCT
            has_fallen = value < FALL_SHARE * top and is_busy and "throttled" not in self._open
            if not has_fallen:
                self._end(name, t_ns)
            elif name not in self._open:
                lasting_ns = CPU_CLOCK_NS if name == CPU_CLOCK else 0
                self._begin(name, t_ns, "clock", (name, RATE), _clock_words(name), lasting_ns)
                self._open[name].first = {name: top}
                self._open[name].saw(values)

    def _others(self, t_ns: int, values: Mapping[str, float]) -> None:
        load_pct = values.get(OTHERS)
        if load_pct is None:
            return
        limit = OTHERS_AGAIN_PCT if "program" in self._open else OTHERS_PCT
        if load_pct < limit:
            self._end("program", t_ns)
        elif "program" not in self._open:
            self._begin("program", t_ns, "program", (OTHERS, RATE), _others_words, OTHERS_NS)
            self._open["program"].saw(values)

    def _memory(self, t_ns: int, values: Mapping[str, float]) -> None:
        pressure, free = values.get(PRESSURE), values.get(FREE_RAM)
        is_open = "memory" in self._open
        waits = pressure is not None and pressure >= (
            PRESSURE_AGAIN_PCT if is_open else PRESSURE_PCT
        )
        is_low = free is not None and free < (ENOUGH_RAM_GIB if is_open else LOW_RAM_GIB)
        if not (waits or is_low):
            if pressure is not None or free is not None:
                self._end("memory", t_ns)
        elif not is_open:
            self._begin("memory", t_ns, "memory", (FREE_RAM, PRESSURE, RATE), _memory_words)
            self._open["memory"].saw(values)

    # Bookkeeping ----------------------------------------------------------------------------

    def _begin(
        self,
        key: str,
        t_ns: int,
        kind: MarkKind,
        series: tuple[str, ...],
        tell: Callable[[_Open, int], str],
        lasting_ns: int = 0,
    ) -> None:
        self._open[key] = _Open(kind, t_ns, series, tell, lasting_ns)

    def _end(self, key: str, t_ns: int) -> None:
        one = self._open.pop(key, None)
        if one is not None and t_ns - one.start_ns >= one.lasting_ns:
            self._keep(_marked(one, max(t_ns, one.start_ns)))

    def _keep(self, mark: Mark) -> None:
        if len(self._found) < MAX_MARKS:
            self._found.append(mark)


def _marked(one: _Open, end_ns: int, *, is_open: bool = False) -> Mark:
    return Mark(one.kind, one.start_ns, end_ns, one.tell(one, end_ns), one.series, is_open)


def _heat_words(one: _Open, end_ns: int) -> str:
    heat = one.most.get("soc.temp")
    at = "" if heat is None else f" at {heat:.0f} °C"
    return f"throttled{at}{_falls(one)} for {_seconds(end_ns - one.start_ns)}"


def _limit_words(one: _Open, end_ns: int) -> str:
    return f"clocks limited by a setting{_falls(one)} for {_seconds(end_ns - one.start_ns)}"


def _falls(one: _Open) -> str:
    """The clocks that were lower than before, from and to."""
    falls = [
        f"{spec_of(name).label} {one.first[name]:.0f} → {one.least[name]:.0f} MHz"
        for name in CLOCKS
        if name in one.first and one.least.get(name, math.inf) < FALL_SHARE * one.first[name]
    ]
    return f": {', '.join(falls)}" if falls else ""


def _clock_words(name: str) -> Callable[[_Open, int], str]:
    def words(one: _Open, end_ns: int) -> str:
        label, top, least = spec_of(name).label, one.first[name], one.least.get(name, 0.0)
        lasted = _seconds(end_ns - one.start_ns)
        return f"{label} fell {top:.0f} → {least:.0f} MHz for {lasted}"

    return words


def _others_words(one: _Open, end_ns: int) -> str:
    lasted = _seconds(end_ns - one.start_ns)
    return f"another program took {one.most.get(OTHERS, 0.0):.0f} % of a core for {lasted}"


def _memory_words(one: _Open, end_ns: int) -> str:
    lasted = _seconds(end_ns - one.start_ns)
    pressure, free = one.most.get(PRESSURE), one.least.get(FREE_RAM)
    if pressure is not None and pressure >= PRESSURE_PCT:
        return f"memory pressure: programs waited {pressure:.0f} % of the time for {lasted}"
    return f"RAM nearly full: {free or 0.0:.1f} GiB free for {lasted}"


def _slow_words(slow: SlowGap) -> str:
    return f"one token took {_seconds(slow.gap_ns)}, usually {_seconds(slow.usual_ns)}"


def _seconds(ns: float) -> str:
    if ns < 1e9:
        return f"{ns / 1e6:.0f} ms"
    return f"{ns / 1e9:.1f} s" if ns < 100e9 else f"{ns / 1e9:.0f} s"
