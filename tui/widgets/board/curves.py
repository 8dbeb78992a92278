"""Models of the board's charts: curves with scale and present value, from the history."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tui.core.board.answer_log import AnswerMark
from tui.core.board.history import BoardHistory, Point
from tui.core.board.reading import Snapshot
from tui.core.text import format as fmt
from tui.core.text.sanitize import clean_line
from tui.widgets.kit.plot import Scale, nice_top

CURVE_ROLES = ("live", "text", "dim")
"""Colours of curves: green, amber and red are kept for what is well or not."""
MAX_CORES = 3
COOL_C, HOT_C = 40.0, 90.0
"""Temperature scale; wider where values lie outside."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a chart: its name, its points, and its present value as text."""

    name: str
    role: str
    points: Sequence[Point]
    value: str
    shown: Callable[[float | None], str] = fmt.percent
    """A value of the curve as text."""

    @property
    def last(self) -> float | None:
        """The newest value; None where it is absent."""
        return self.points[-1][1] if self.points else None


@dataclass(frozen=True, slots=True)
class ChartModel:
    """One chart. ``absent`` is why there is nothing to draw; ``limit`` is a level to stay below."""

    key: str
    title: str
    short: str
    """Its name beside a row of blocks: at most six characters."""
    unit: str
    curves: tuple[Curve, ...]
    scale: Scale
    limit: float | None = None
    note: str = ""
    """Note beside the title: the limit, or what is missing."""
    note_role: str = "warn"
    absent: str | None = None


def board_charts(
    history: BoardHistory, marks: Sequence[AnswerMark], since_ns: int
) -> tuple[ChartModel, ...]:
    """Every chart, the answers first."""
    snapshot = history.latest
    if snapshot is None:
        return ()
    return (
        _answers(marks, since_ns),
        _npu(history, snapshot, since_ns),
        _ddr(history, snapshot, since_ns),
        _clocks(history, snapshot, since_ns),
        _heat(history, snapshot, since_ns),
        _memory(history, snapshot, since_ns),
    )


def _answers(marks: Sequence[AnswerMark], since_ns: int) -> ChartModel:
    shown = [mark for mark in marks if mark.end_ns >= since_ns]
    points = [point for mark in shown for point in mark.points()]
    rates = [value for _, value in points if value is not None]
    top = nice_top(max(rates, default=4.0))
    last = shown[-1] if shown else None
    value = fmt.UNKNOWN
    if last is not None and last.rates_tps:
        value = ("~" if last.is_estimated else "") + fmt.rate(last.rates_tps[-1])
    name = "now" if last and last.is_running else "last"
    curve = Curve(name, "live", points, f"{value:>6}", lambda rate: f"{fmt.rate(rate):>6}")
    absent = None if shown else "no answer in this time"
    return ChartModel("answers", "answers", "tok/s", "tok/s", (curve,), _scale(top), absent=absent)


def _npu(history: BoardHistory, snapshot: Snapshot, since_ns: int) -> ChartModel:
    cores = [name for name in history.names() if name.startswith("npu.load.")][:MAX_CORES]
    curves = tuple(
        _curve(history, name, core if len(cores) > 1 else "NPU", number, since_ns, fmt.percent)
        for number, name in enumerate(cores)
        for core in (name.rpartition(".")[2],)
    )
    chart = _chart("npu", "NPU load", "NPU", "%", curves, PERCENT, snapshot, "npu.load")
    jobs = _curve(history, "npu.activity", "jobs/s", 0, since_ns, _jobs)
    if not chart.absent or all(value is None for _, value in jobs.points):
        return chart
    # Without root the driver's interrupts still tell how busy the NPU is.
    top = nice_top(max(value for _, value in jobs.points if value is not None))
    note = f"load: {chart.absent}"
    return ChartModel("npu", "NPU activity", "NPU", "jobs/s", (jobs,), _scale(top), None, note)


def _ddr(history: BoardHistory, snapshot: Snapshot, since_ns: int) -> ChartModel:
    load = _curve(history, "ddr.load", "load", 0, since_ns, fmt.percent)
    table = [clock for clock in snapshot.numbers("ddr.table") if clock is not None]
    top = max([*table, snapshot.number("ddr.max_freq") or 0.0])
    clock = _curve(history, "ddr.freq", "clock", 1, since_ns, fmt.megahertz)
    if top > 0:
        shares: list[Point] = [
            (t_ns, None if value is None else 100 * value / top) for t_ns, value in clock.points
        ]

        def of_top(share: float | None) -> str:
            hz = None if share is None else share * top / 100
            return fmt.UNKNOWN if hz is None else f"{fmt.megahertz(hz)} of {top / 1e6:.0f}"

        now = clock.last
        of = of_top(None if now is None else 100 * now / top)
        clock = Curve("clock", clock.role, shares, of, of_top)
        curves: tuple[Curve, ...] = (clock, load)
    else:
        curves = (load,)
    return _chart("ddr", "DDR", "DDR", "% of its maximum", curves, PERCENT, snapshot, "ddr.freq")


def _clocks(history: BoardHistory, snapshot: Snapshot, since_ns: int) -> ChartModel:
    big = [name for name in history.names() if name.startswith("cpu.big.freq.")][:2]
    curves = (
        _curve(history, "npu.freq", "NPU", 0, since_ns, _mhz, 1e-6),
        *(
            _curve(
                history, name, "CPU big" if number == 1 else "big 2", number, since_ns, _mhz, 1e-6
            )
            for number, name in enumerate(big, 1)
        ),
    )
    tops = [snapshot.number("npu.max_freq") or 0.0]
    tops += [top for top in snapshot.numbers("cpu.max_freq") if top is not None]
    top = max(max(tops) / 1e6, 100.0)
    ticks = ((0.0, "0"), (top / 2, f"{top / 2:.0f}"), (top, f"{top:.0f}"))
    return _chart(
        "clocks", "clocks", "clock", "MHz", curves, Scale(0, top, ticks), snapshot, "npu.freq"
    )


def _heat(history: BoardHistory, snapshot: Snapshot, since_ns: int) -> ChartModel:
    curves = (
        _curve(history, "soc.temp", "SoC", 0, since_ns, fmt.celsius),
        _curve(history, "npu.temp", "NPU", 1, since_ns, fmt.celsius),
    )
    values = [value for curve in curves for _, value in curve.points if value is not None]
    low = 10 * math.floor(min([COOL_C, *values]) / 10)
    high = 10 * math.ceil(max([HOT_C, *values]) / 10)
    limit = snapshot.number("thermal.trip_passive")
    ticks = (
        (low, f"{low:.0f}"),
        ((low + high) / 2, f"{(low + high) / 2:.0f}"),
        (high, f"{high:.0f}"),
    )
    model = _chart(
        "heat", "heat", "heat", "°C", curves, Scale(low, high, ticks), snapshot, "soc.temp"
    )
    if limit is None or not low < limit < high or model.absent:
        return model
    return replace(model, limit=limit, note=f"slows at {limit:.0f} °C", note_role="dim")


def _memory(history: BoardHistory, snapshot: Snapshot, since_ns: int) -> ChartModel:
    curves = (
        _curve(history, "ram.available", "free", 1, since_ns, _gib, 2.0**-30),
        _curve(history, "ram.model", "model", 0, since_ns, _gib, 2.0**-30),
    )
    total = (snapshot.number("ram.total") or 0.0) / 2**30
    values = [value for curve in curves for _, value in curve.points if value is not None]
    top = total if total > 0 else nice_top(max(values, default=1.0))
    ticks = ((0.0, "0"), (top / 2, f"{top / 2:.1f}"), (top, f"{top:.1f}"))
    return _chart(
        "ram", "RAM", "RAM", "GiB", curves, Scale(0, top, ticks), snapshot, "ram.available"
    )


def _chart(
    key: str,
    title: str,
    short: str,
    unit: str,
    curves: tuple[Curve, ...],
    scale: Scale,
    snapshot: Snapshot,
    reading_id: str,
) -> ChartModel:
    """The chart, with the reason of its main reading where there is no value in any curve."""
    curves = tuple(curve for curve in curves if any(value is not None for _, value in curve.points))
    if curves:
        return ChartModel(key, title, short, unit, curves, scale)
    reason = clean_line(snapshot.get(reading_id).reason or "no value yet", 60)
    return ChartModel(key, title, short, unit, (), scale, absent=reason)


def _curve(
    history: BoardHistory,
    name: str,
    label: str,
    number: int,
    since_ns: int,
    text: Callable[[float | None], str],
    factor: float = 1.0,
) -> Curve:
    points = history.points(name, since_ns)
    newest = points[-1][1] if points else None
    if factor != 1.0:
        points = [(t_ns, None if value is None else value * factor) for t_ns, value in points]
    role = CURVE_ROLES[number % len(CURVE_ROLES)]

    def shown(value: float | None) -> str:
        return text(None if value is None else value / factor)

    return Curve(label, role, points, text(newest), shown)


def _jobs(per_s: float | None) -> str:
    return fmt.UNKNOWN if per_s is None else f"~{per_s:.0f}"


def _mhz(value_hz: float | None) -> str:
    """Without the unit, which is in the title."""
    return fmt.UNKNOWN if value_hz is None else f"{value_hz / 1e6:.0f}"


def _gib(value_bytes: float | None) -> str:
    return fmt.UNKNOWN if value_bytes is None else f"{fmt.gib(value_bytes)} GiB"


def _scale(top: float) -> Scale:
    return Scale(0, top, ((0.0, "0"), (top / 2, f"{top / 2:g}"), (top, f"{top:g}")))


PERCENT = _scale(100.0)
