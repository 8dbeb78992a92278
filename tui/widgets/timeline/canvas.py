"""All curves of a timeline on one axis, the crosshair, and below them phases, marks and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message

from tui.core.text.glyphs import Glyphs
from tui.timeline.binning import BinnedSeries, TimeAxis
from tui.timeline.record import Timeline
from tui.timeline.series import GAP, RATE, SeriesSpec
from tui.timeline.view import TimelineView
from tui.widgets.kit.axis_rows import (
    cell_of,
    mark_cells,
    phase_cells,
    tick_cells,
    trouble_cells,
)
from tui.widgets.kit.curve import CurveCells
from tui.widgets.kit.grounds import GroundedRows, on_grounds
from tui.widgets.kit.rows import Row, Span, fit
from tui.widgets.timeline.layout import ChartOf, charts_of, heights

LEFT, RIGHT = 16, 11
"""Cells for names and scales, and for the values at the crosshair."""
BELOW = 3
NO_LINE = -1
"""The cell of a crosshair that is not drawn."""
HOLD_NS = 5_000_000_000


class TimelineCanvas(GroundedRows):
    """Draws what a :class:`TimelineView` looks at; :meth:`refresh_rows` after each change."""

    DEFAULT_CSS = "TimelineCanvas { height: 1fr; }"

    @dataclass
    class Pointed(Message):
        """The mouse points at a moment; ``is_dragged``: from where it was pressed to here."""

        t_ns: int
        is_dragged: bool

    @dataclass
    class Wheeled(Message):
        """The wheel turned over the curves: 1 is towards the user."""

        step: int

    def __init__(
        self, view: Callable[[], TimelineView | None], glyphs: Glyphs, *, id: str | None = None
    ) -> None:
        super().__init__(glyphs, id=id)
        self._view = view
        self._curves: list[tuple[ChartOf, CurveCells]] = []
        self._kept: dict[int, tuple[object, list[Row]]] = {}
        """The rows of each chart, with all that they were made of."""
        self._key: object = None
        self._axis: TimeAxis | None = None
        self._is_pressed = False
        self.first_chart = 0
        """The chart that is shown below the rate, where there is no room for all."""
        self.shown_charts = 0
        self.total_charts = 0
        self.drawn_columns = 0
        """Columns of curves that were drawn so far: the cost of this widget."""

    @property
    def _per_cell(self) -> int:
        return 1 if self._glyphs.is_ascii else 2

    # Drawing --------------------------------------------------------------------------------

    def build(self, width: int) -> Sequence[Row]:
        height, view = self.size.height, self._view()
        cells = width - LEFT - RIGHT
        if view is None or cells < 8 or height < BELOW:
            return [()] * height
        self._update(view, cells, height)
        axis = self._axis
        assert axis is not None
        rows: list[Row] = []
        # Where it follows an answer the curves end at the crosshair: a line through all of them
        # and the range of a column that is not full would be written with each token, for nothing.
        cursor = cell_of(view, axis, view.cursor_ns, self._per_cell)
        troubles = trouble_cells(view.timeline.marks, view, axis, cells, self._per_cell)
        selected = self._selected(view, axis)
        line = NO_LINE if view.is_following else cursor
        blank = self._blank_row(cells, line, selected)
        for number, (chart, curve) in enumerate(self._curves):
            if number:
                rows.append(blank)
            readout = self._readout(view, chart, curve, cursor)
            key = (curve.draws, curve.limits, readout, line, selected, troubles)
            kept = self._kept.get(number)
            if kept is None or kept[0] != key:
                drawn = self._chart_rows(chart, curve, readout, cells, line, troubles, selected)
                kept = self._kept[number] = (key, drawn)
            rows += kept[1]
        rows += [blank] * (height - BELOW - len(rows))
        rows = rows[: height - BELOW]
        per_cell, glyphs = self._per_cell, self._glyphs
        below = (
            ("", mark_cells(view, axis, cells, per_cell, glyphs)),
            ("", phase_cells(view, axis, cells, per_cell, glyphs)),
            ("", tick_cells(axis, view.unit, cells, per_cell)),
        )
        for label, found in below:
            grounds = ["selected" if x in selected else "" for x in range(cells)]
            if 0 <= line < cells:
                grounds[line] = "cursor"
            rows.append(((label.ljust(LEFT), "dim"), *on_grounds(found, grounds)))
        return rows

    def _update(self, view: TimelineView, cells: int, height: int) -> None:
        """New curves where axis, size or answer changed; else only what has come."""
        axis = view.axis(cells * self._per_cell)
        charts = charts_of(view.timeline, view.other)
        self.total_charts = len(charts)
        charts = self._chosen(charts, height - BELOW)
        rows = heights(charts, height - BELOW)
        self.shown_charts = len(rows)
        other = view.other
        key = (axis, view.unit, tuple(charts), tuple(rows), id(other),
               tuple(id(one.values) for one in view.timeline.series.values()))  # fmt: skip
        if key != self._key:
            self._key, self._axis = key, axis
            self._kept = {}
            self._curves = [
                (chart, self._curve(view, axis, chart, count))
                for chart, count in zip(charts, rows, strict=False)
            ]
        for _, curve in self._curves:
            before = curve.draws
            curve.update()
            self.drawn_columns += curve.draws - before

    def _chosen(self, charts: list[ChartOf], rows: int) -> list[ChartOf]:
        """The rate, and from the others those that the user went to."""
        room = len(heights(charts, rows))
        self.first_chart = min(self.first_chart, max(len(charts) - room, 0))
        return charts[:1] + charts[1 + self.first_chart :]

    def _curve(self, view: TimelineView, axis: TimeAxis, chart: ChartOf, height: int) -> CurveCells:
        def binned(timeline: Timeline | None) -> list[BinnedSeries]:
            if timeline is None:
                return []
            place_of = None
            if view.unit == "token":

                def place_of(t_ns: int, timeline: Timeline = timeline) -> int:
                    return view.place_of(timeline, t_ns)

            found = [timeline.series[name] for name in chart.names if name in timeline.series]
            return [BinnedSeries(axis, series, place_of) for series in found]

        own, others = binned(view.timeline), binned(view.other)
        is_ascii = self._glyphs.is_ascii
        return CurveCells(
            chart.spec, own, others, height, axis.count // self._per_cell, is_ascii=is_ascii
        )

    def _chart_rows(
        self,
        chart: ChartOf,
        curve: CurveCells,
        readout: tuple[str, str],
        cells: int,
        cursor: int,
        troubles: dict[int, set[str]],
        selected: range,
    ) -> list[Row]:
        spec = chart.spec
        digits = spec.digits if curve.limits.high < 100 else 0
        low, high = (f"{value:.{digits}f}" for value in (curve.limits.low, curve.limits.high))
        value, detail = readout
        rows: list[Row] = []
        last = curve.height - 1
        for y in range(curve.height):
            name = (
                (f" {spec.label}", "strong")
                if y == 0
                else (f" {spec.unit if y == 1 else ''}", "dim")
            )
            number = high if y == 0 else low if y == last else ""
            room = LEFT - 1 - len(name[0])
            margin: Row = (name, (f"{number:>{room}} " if room > 0 else " ", "dim"))
            found: list[Span] = []
            grounds: list[str] = []
            for x in range(cells):
                char, role = curve.columns[x][y] if x < curve.width else (" ", "dim")
                ground = ""
                if x == cursor:
                    if char == " ":
                        char = self._glyphs.column
                    role = "live"
                elif x in selected:
                    ground = "selected"
                elif x in troubles:
                    names = troubles[x]
                    if "*" in names or spec.name in names:
                        ground = "trouble"
                found.append((char, role))
                grounds.append(ground)
            right: Row = ()
            if y == 0:
                right = ((f" {value}", "strong"),)
            elif y == 1:
                right = ((f" {detail}", "dim"),)
            rows.append((*margin, *on_grounds(found, grounds), *fit(right, RIGHT)))
        return rows

    def _blank_row(self, cells: int, cursor: int, selected: range) -> Row:
        found: list[Span] = [(" ", "dim")] * cells
        grounds = ["selected" if x in selected else "" for x in range(cells)]
        if 0 <= cursor < cells:
            found[cursor] = (self._glyphs.column, "live")
        return ((" " * LEFT, "dim"), *on_grounds(found, grounds))

    def _readout(
        self, view: TimelineView, chart: ChartOf, curve: CurveCells, cursor: int
    ) -> tuple[str, str]:
        """The value at the crosshair, and below it the other answer's, or the range of its cell."""
        unknown = self._glyphs.unknown
        spec = chart.spec
        values = [value_at(view.timeline, name, view.cursor_ns) for name in chart.names]
        shown = " ".join(spec.shown(value, unknown) for value in values)
        if len(chart.names) == 1 and spec.name == RATE and view.timeline.is_rate_estimated:
            shown = f"~{shown}" if values[0] is not None else shown
        if view.other is not None:
            found = curve.at(cursor, of_other=True)
            return shown, f"/ {spec.shown(found.mean, unknown)}"
        if view.is_following:
            return shown, ""
        here = curve.at(cursor)
        if here.low is None or here.high is None:
            return shown, ""
        return shown, _range_words(spec, here.low, here.high)

    def _selected(self, view: TimelineView, axis: TimeAxis) -> range:
        selection = view.selection
        if selection is None:
            return range(0)
        first = cell_of(view, axis, selection.start_ns, self._per_cell)
        last = cell_of(view, axis, selection.end_ns, self._per_cell)
        return range(first, last + 1)

    def cell_bounds(self, t_ns: int) -> tuple[int, int] | None:
        """From when to when the cell of that moment goes; None before anything was drawn."""
        view, axis = self._view(), self._axis
        if view is None or axis is None:
            return None
        cell = cell_of(view, axis, t_ns, self._per_cell)
        low = view.time_of(axis.time_of(cell * self._per_cell))
        high = view.time_of(axis.time_of((cell + 1) * self._per_cell))
        return low, max(high, low + 1)

    # The mouse ------------------------------------------------------------------------------

    def _time_at(self, event: events.MouseEvent) -> int | None:
        view, axis = self._view(), self._axis
        x = event.x - LEFT
        if view is None or axis is None or not 0 <= x < axis.count // self._per_cell:
            return None
        middle = axis.time_of(x * self._per_cell) + axis.bin_ns * self._per_cell // 2
        return view.time_of(middle)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        t_ns = self._time_at(event)
        if t_ns is not None:
            self._is_pressed = True
            self.capture_mouse()
            self.post_message(self.Pointed(t_ns, is_dragged=False))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        t_ns = self._time_at(event) if self._is_pressed else None
        if t_ns is not None:
            self.post_message(self.Pointed(t_ns, is_dragged=True))

    def on_mouse_up(self) -> None:
        self._is_pressed = False
        self.release_mouse()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.Wheeled(1))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.Wheeled(-1))


def _range_words(spec: SeriesSpec, low: float, high: float) -> str:
    """From and to, with as many digits as there is room for; nothing where they look alike."""
    for digits in range(spec.digits, -1, -1):
        first, last = f"{low:.{digits}f}", f"{high:.{digits}f}"
        words = f"{first}–{last}" if first != last else ""
        if len(words) < RIGHT:
            return words
    return ""


def value_at(timeline: Timeline, name: str, t_ns: int) -> float | None:
    """What a curve says at that moment: the last reading, or the gap that ends next."""
    series = timeline.series.get(name)
    if series is None:
        return None
    if name in (RATE, GAP):
        chunk = timeline.chunks.at(t_ns)
        # Between two tokens it is the gap that they make.
        if chunk is not None and timeline.chunks.times_ns[chunk] < t_ns:
            chunk += 1
        if chunk is None or chunk >= len(series):
            return None
        value = series.values[chunk]
        return value if value == value else None
    return series.at(t_ns, HOLD_NS)
