"""Chart of an answer's decode rate, with its phases and problems."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from tui.core.text.glyphs import Glyphs
from tui.core.turn.turn_stats import TurnStats
from tui.timeline.binning import BinnedSeries, TimeAxis
from tui.timeline.record import Chunks, Series, Timeline
from tui.timeline.series import RATE, SPECS
from tui.timeline.view import TimelineView
from tui.widgets.kit.axis_rows import NO_MARK, mark_cells, phase_cells, tick_cells, trouble_cells
from tui.widgets.kit.curve import CurveCells
from tui.widgets.kit.grounds import on_grounds
from tui.widgets.kit.rows import Row, Span

MARGIN = 6
"""Cells for the scale and its axis."""
ROWS_BELOW = 2
"""Phases with marks, and the time."""
LEAST_ROWS = 3
MEDIAN_STEP = 3


class RateChart:
    """Draws the chart of the present answer; only new columns are drawn."""

    def __init__(self, glyphs: Glyphs) -> None:
        self._glyphs = glyphs
        self._key: object = None
        self._curve: CurveCells | None = None

    def rows(
        self, timeline: Timeline, width: int, height: int, median_tps: float | None
    ) -> list[Row]:
        """``height`` rows, of which the last :data:`ROWS_BELOW` are phases and time. The dotted
        line is at ``median_tps``."""
        cells = width - MARGIN
        if cells < 4 or height < LEAST_ROWS + ROWS_BELOW:
            return [()] * height
        view = TimelineView(timeline)
        per_cell = 1 if self._glyphs.is_ascii else 2
        axis = view.axis(cells * per_cell)
        curve = self._updated(timeline, axis, cells, height - ROWS_BELOW)
        troubles = trouble_cells(timeline.marks, view, axis, cells, per_cell)
        grounds = ["trouble" if x in troubles else "" for x in range(cells)]
        rows: list[Row] = []
        labels = _labels(curve)
        dotted = None if median_tps is None else curve.row_of(median_tps)
        for y in range(curve.height):
            found = [column[y] if column else (" ", "dim") for column in curve.columns]
            if y == dotted:
                found = [_median_dot(x, span, self._glyphs) for x, span in enumerate(found)]
            label = f"{labels.get(y, ''):>{MARGIN - 1}}{self._glyphs.column}"
            rows.append(((label, "dim"), *on_grounds(found, grounds)))
        below = _with_signs(
            phase_cells(view, axis, cells, per_cell, self._glyphs),
            mark_cells(view, axis, cells, per_cell, self._glyphs),
            self._glyphs,
        )
        ticks = tick_cells(axis, view.unit, cells, per_cell)
        blank: Span = (" " * MARGIN, "dim")
        return [*rows, *((blank, *on_grounds(spans, [""] * cells)) for spans in (below, ticks))]

    def _updated(self, timeline: Timeline, axis: TimeAxis, cells: int, height: int) -> CurveCells:
        series = timeline.series.get(RATE) or Series(RATE, (), ())
        key = (axis, cells, height, id(series.values))
        if key != self._key or self._curve is None:
            self._key = key
            binned = BinnedSeries(axis, series)
            is_ascii = self._glyphs.is_ascii
            self._curve = CurveCells(SPECS[RATE], [binned], [], height, cells, is_ascii=is_ascii)
        self._curve.update()
        return self._curve


def timeline_of(stats: TurnStats) -> Timeline:
    """What an answer without a timeline of its own still shows: its rate in bins."""
    bin_ns = round(stats.rate_history_bin_s * 1e9)
    first_ns = round((stats.ttft_ms or 0.0) * 1e6)
    rates = stats.rate_history_tps
    times = tuple(first_ns + (2 * number + 1) * bin_ns // 2 for number in range(len(rates)))
    end_ns = max(round(stats.elapsed_s * 1e9), times[-1] if times else 0)
    series = {RATE: Series(RATE, times, rates)} if rates else {}
    chunks = Chunks((), (), ())
    return Timeline(
        "", "", 0, end_ns, "", "", chunks, series,
        status="complete" if stats.phase.is_over else None,
    )  # fmt: skip


def _labels(curve: CurveCells) -> dict[int, str]:
    """The numbers of the scale by their row: top, bottom, and the middle where it has a row."""
    low, high = curve.limits.low, curve.limits.high
    digits = 1 if high < 100 else 0
    last = curve.height - 1
    found = {0: high, last: low}
    if last % 2 == 0 and last >= 4:
        found[last // 2] = (low + high) / 2
    return {row: f"{value:.{digits}f}" for row, value in found.items()}


def _median_dot(x: int, span: Span, glyphs: Glyphs) -> Span:
    is_free = span[0] == " " and x % MEDIAN_STEP == 0
    return (glyphs.separator, "dim") if is_free else span


def _with_signs(phases: Sequence[Span], marks: Sequence[Span], glyphs: Glyphs) -> list[Span]:
    """The marks in front of the phases; a name that a mark would cut becomes part of the line."""
    is_mark = [mark != NO_MARK for mark in marks]
    found = list(phases)
    start = 0
    for is_name, group in groupby(phases, key=lambda span: span[1] != "track"):
        after = start + len(list(group))
        if is_name and any(is_mark[start:after]):
            shown = [span != NO_MARK for span in phases[start:after]]
            line: Span = (glyphs.bar_full, "track")
            found[start:after] = [line if one else NO_MARK for one in shown]
        start = after
    return [mark if taken else one for mark, taken, one in zip(marks, is_mark, found, strict=True)]
