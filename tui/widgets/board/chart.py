"""A chart on a shared time axis, with the answers in the background."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message

from tui.core.board.answer_log import AnswerMark
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.timeline.binning import BinnedSeries, TimeAxis
from tui.timeline.record import Series
from tui.timeline.series import SeriesSpec
from tui.widgets.board.curves import ChartModel, Curve
from tui.widgets.kit.bars import BRAILLE, spark, values_in
from tui.widgets.kit.curve import CurveCells, Limits
from tui.widgets.kit.grounds import GroundedRows, on_grounds
from tui.widgets.kit.rows import Row, Span, fit, row_width, spread

MARGIN = 7
"""Cells of labels and axis left of every canvas."""
LIMIT_CELLS = 2
STEPS = 12
"""The axis moves in steps of this part of its length."""
GAP_NS = 10_000_000_000
"""No line is drawn over a longer time without a sample."""
LEAST_STEP_NS = 3_000_000_000
"""Time between two redraws, to limit the bytes over SSH."""
WINDOWS_MIN = (1, 2, 5, 10, 60)
KNOWN_BEFORE = 0.05
"""A longer window is used only for more than this share of additional data."""
TICK_MINUTES = {1: 0.25, 2: 0.5, 5: 1, 10: 2, 60: 10}


@dataclass(frozen=True, slots=True)
class Frame:
    """Shared properties of charts in a column: time, answers, room at the right, characters."""

    axis: TimeAxis
    now_ns: int
    cells: int
    """Width of every canvas."""
    marks: tuple[AnswerMark, ...]
    glyphs: Glyphs
    is_lettered: bool
    """Curves are drawn with letters: in ASCII, and where colours cannot tell them apart."""
    cursor_ns: int | None = None
    """Position of the crosshair."""

    @property
    def per_cell(self) -> int:
        """Bins in one cell."""
        return bins_in_cell(self.is_lettered)

    @property
    def end_ns(self) -> int:
        """The end of the last complete bin: so a chart changes once a bin, not once a sample, and
        no more often than each :data:`LEAST_STEP_NS`."""
        bin_ns = self.axis.bin_ns
        step_ns = -(-LEAST_STEP_NS // bin_ns) * bin_ns
        return self.now_ns // step_ns * step_ns

    def cell_of(self, t_ns: int) -> int:
        """The column of that moment; it may lie outside of the canvas."""
        return self.axis.bin_of(t_ns) // self.per_cell

    def cells_of(self, mark: AnswerMark) -> range:
        """The columns that the answer touches."""
        end_ns = min(mark.end_ns, self.end_ns - 1)
        first, last = self.cell_of(mark.start_ns), self.cell_of(end_ns)
        return range(max(first, 0), min(last, self.cells - 1) + 1)

    def band(self) -> frozenset[int]:
        """The columns of the canvas in which an answer ran."""
        return frozenset(column for mark in self.marks for column in self.cells_of(mark))

    @property
    def cursor(self) -> int | None:
        """The column of the crosshair."""
        if self.cursor_ns is None:
            return None
        return min(max(self.cell_of(self.cursor_ns), 0), self.cells - 1)


def bins_in_cell(is_lettered: bool) -> int:
    """How many bins of time one cell shows."""
    return 1 if is_lettered else 2


def frame(
    now_ns: int,
    window_ns: int,
    width: int,
    marks: Sequence[AnswerMark],
    glyphs: Glyphs,
    *,
    right: int = 0,
    is_colourless: bool = False,
    cursor_ns: int | None = None,
) -> Frame:
    """The frame of charts of ``width`` cells with ``right`` cells left free."""
    is_lettered = glyphs.is_ascii or is_colourless
    cells = max(1, width - MARGIN - right)
    count = cells * bins_in_cell(is_lettered)
    axis = steady_axis(now_ns, window_ns, count)
    return Frame(axis, now_ns, cells, tuple(marks), glyphs, is_lettered, cursor_ns)


def steady_axis(now_ns: int, window_ns: int, count: int) -> TimeAxis:
    """``count`` bins that cover ``window_ns`` and a little more. The axis stands still while
    ``now_ns`` goes on in that rest, so that most samples change a column, not all of them."""
    step = max(count // STEPS, 1)
    bin_ns = max(-(-window_ns // max(count - step - 1, 1)), 1)
    first = -(-(now_ns // bin_ns + 1 - count) // step) * step
    return TimeAxis(first * bin_ns, bin_ns, count)


def fitting_window(begun_ns: int | None, now_ns: int) -> int:
    """Which of :data:`WINDOWS_MIN` holds all that is known since ``begun_ns``."""
    known_min = 0.0 if begun_ns is None else (now_ns - begun_ns) / 60e9 * (1 - KNOWN_BEFORE)
    fits = (at for at, minutes in enumerate(WINDOWS_MIN) if minutes >= known_min)
    return next(fits, len(WINDOWS_MIN) - 1)


def binned(curve: Curve, shared: Frame) -> BinnedSeries:
    """The curve on the axis of the frame, up to the last complete bin."""
    end_ns = shared.end_ns
    shown = [point for point in curve.points if point[0] < end_ns]
    times = tuple(t_ns for t_ns, _ in shown)
    values = tuple(math.nan if value is None else value for _, value in shown)
    hold_ns = max(GAP_NS, 2 * shared.axis.bin_ns)
    found = BinnedSeries(shared.axis, Series(curve.name, times, values), hold_ns=hold_ns)
    found.update()
    return found


def canvas_rows(model: ChartModel, shared: Frame, height: int) -> list[Row]:
    """The curves on their scale, ``height`` rows; each column shows the range of its time."""
    drawn = [] if model.absent else [_cells(model, curve, shared, height) for curve in model.curves]
    spec, limits = _spec(model), Limits(model.scale.low, model.scale.high)
    scale = CurveCells(spec, [], [], height, 1, is_ascii=shared.is_lettered, limits=limits)
    labels = {scale.row_of(value): label for value, label in model.scale.ticks}
    limit = None if model.limit is None or model.absent else scale.row_of(model.limit)
    band, cursor = shared.band(), shared.cursor
    glyphs = shared.glyphs
    rows: list[Row] = []
    for y in range(height):
        found, grounds = [], []
        for x in range(shared.cells):
            span = _overlaid([cells.columns[x][y] for cells in drawn], model, shared)
            if y == limit and span[0] == " " and x % LIMIT_CELLS == 0:
                span = (glyphs.separator, "dim")
            ground = "band" if x in band else ""
            if x == cursor:
                ground = "cursor"
                span = (glyphs.column if span[0] == " " else span[0], "live")
            found.append(span)
            grounds.append(ground)
        label = f"{labels.get(y, '')[: MARGIN - 1]:>{MARGIN - 1}}{glyphs.column}"
        rows.append(((label, "dim"), *on_grounds(found, grounds)))
    return rows


def _spec(model: ChartModel) -> SeriesSpec:
    return SeriesSpec(model.key, model.title, model.unit)


def _cells(model: ChartModel, curve: Curve, shared: Frame, height: int) -> CurveCells:
    found = CurveCells(
        _spec(model),
        [binned(curve, shared)],
        [],
        height,
        shared.cells,
        is_ascii=shared.is_lettered,
        limits=Limits(model.scale.low, model.scale.high),
        role=curve.role,
    )
    found.update()
    return found


def _overlaid(spans: Sequence[Span], model: ChartModel, shared: Frame) -> Span:
    """One cell of all curves; the first curve is the one that matters most."""
    inked = [(place, span) for place, span in enumerate(spans) if span[0] != " "]
    if not inked:
        return (" ", "dim")
    place, (char, role) = next(
        ((place, span) for place, span in inked if span[1] != "rule"), inked[0]
    )
    if shared.is_lettered:
        return (letter(model.curves[place]) if char == "*" else char, role)
    bits = 0
    for _, (one, _) in inked:
        bits |= ord(one) - BRAILLE
    return (chr(BRAILLE + bits), role)


def _title(model: ChartModel, shared: Frame, width: int, values: Sequence[str]) -> Row:
    left: Row = ((model.title, "strong"), (f"  {model.unit}", "dim"))
    if model.absent:
        left = (left[0], (f"  {shared.glyphs.unknown}  {model.absent}", "dim"))
    elif model.note:
        left = (*left, (f"   {model.note}", model.note_role))
    spans: list[Span] = []
    for curve, value in zip(model.curves if not model.absent else (), values, strict=False):
        mark = letter(curve) if shared.is_lettered else shared.glyphs.square
        name = "" if mark == curve.name else f"{curve.name} "
        spans += [("  ", "dim"), (f"{mark} ", curve.role), (name, "dim")]
        spans.append((f"{value:>4}", "text" if shared.cursor_ns is None else "live"))
    room = width - row_width(tuple(spans)) - 1
    if row_width(left) > room:
        left = left[:2] if row_width(left[:2]) <= room else left[:1]
    return spread(left, tuple(spans), width)


def letter(curve: Curve) -> str:
    """The character that draws the curve where colours cannot tell it apart."""
    return curve.name[:1]


def values_at(model: ChartModel, shared: Frame) -> list[str]:
    """The present value of each curve; at the crosshair, that of its column."""
    if shared.cursor is None:
        return [curve.value for curve in model.curves]
    first = shared.cursor * shared.per_cell
    found = []
    for curve in model.curves:
        bins = binned(curve, shared)
        means = [bins.at(first + n).mean for n in range(shared.per_cell)]
        known = [mean for mean in means if mean is not None]
        found.append(curve.shown(sum(known) / len(known) if known else None))
    return found


def answer_row(shared: Frame) -> Row:
    """When answers ran, in the columns of the charts above."""
    band = shared.band()
    full = shared.glyphs.bar_full
    cells = "".join(full if column in band else " " for column in range(shared.cells))
    return ((f"{'asked':>{MARGIN - 1}} ", "dim"), (cells, "live"))


def axis_row(shared: Frame, window_ns: int) -> Row:
    """Minutes before now, under the charts; at the crosshair, how long ago and when."""
    minutes = window_ns / 60e9
    step = TICK_MINUTES.get(round(minutes), minutes / 5)
    cells = [" "] * (MARGIN + shared.cells)
    roles = ["dim"] * len(cells)

    def put(label: str, t_ns: int, role: str) -> None:
        column = MARGIN + min(shared.cell_of(t_ns), shared.cells - 1)
        start = min(max(column - len(label) // 2, 0), len(cells) - len(label))
        around = cells[max(start - 1, 0) : start + len(label) + 1]
        if column >= MARGIN and all(cell == " " for cell in around):
            cells[start : start + len(label)] = label
            roles[start : start + len(label)] = [role] * len(label)

    if shared.cursor_ns is not None:
        ago_s = max(shared.now_ns - shared.cursor_ns, 0) / 1e9
        clock = time.strftime("%H:%M:%S", time.localtime(time.time() - ago_s))
        put(f"-{fmt.clock(ago_s)}  {clock}", shared.cursor_ns, "live")
    put("now", shared.now_ns, "dim")
    for number in range(1, round(minutes / step) + 1):
        put(_ago(number * step), shared.now_ns - round(number * step * 60e9), "dim")
    return on_grounds(list(zip(cells, roles, strict=True)), [""] * len(cells))


def _ago(minutes: float) -> str:
    return f"-{minutes:g} min" if minutes >= 1 else f"-{minutes * 60:.0f} s"


def spark_row(model: ChartModel, shared: Frame, is_chosen: bool, width: int) -> Row:
    """The chart's first curve as a line of one row, in the columns of the charts above."""
    name = f"{model.short:<{MARGIN}}"
    head: Span = (name, "strong" if is_chosen else "dim")
    if model.absent or not model.curves:
        text = f"{shared.glyphs.unknown}  {model.absent or ''}"
        return fit((head, (text, "dim")), width)
    curve = model.curves[0]
    bins, count = binned(curve, shared), values_in(shared.cells, shared.glyphs)
    means = [bins.at(place * shared.axis.count // count).mean for place in range(count)]
    low = model.scale.low
    above = [None if mean is None else mean - low for mean in means]
    line = spark(above, shared.cells, shared.glyphs, top=model.scale.high - low, role="soft")
    value = values_at(model, shared)[0].partition(" of ")[0].strip()
    if value.isdecimal():
        value = f"{value} {model.unit}"
    return spread((head, *line), ((value, "text"),), width)


class Chart(GroundedRows):
    """Draws one model; redrawn only where its content has changed."""

    DEFAULT_CSS = "Chart { height: 6; }"

    @dataclass
    class Pointed(Message):
        """The mouse points at a moment of the chart."""

        t_ns: int

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(glyphs, id=id)
        self._model: ChartModel | None = None
        self._frame: Frame | None = None
        self._key: object = None
        self._canvas: list[Row] = []
        self._is_pressed = False
        self.draws = 0
        """Number of redraws, as a measure of cost."""

    def show_model(self, model: ChartModel | None, shared: Frame) -> None:
        """Show this chart in that frame."""
        self._model, self._frame = model, shared
        self.refresh_rows()

    def build(self, width: int) -> Sequence[Row]:
        model, shared = self._model, self._frame
        height = self.size.height
        if model is None or shared is None or height < 1:
            return [()] * max(height, 1)
        # What lies in complete bins stays as it is: up to the same bin it is the same picture.
        names = tuple(curve.name for curve in model.curves)
        key = (shared.axis, shared.end_ns, shared.cursor, names, model.scale, model.absent,
               shared.band(), height)  # fmt: skip
        if key != self._key:
            self._key = key
            self._canvas = canvas_rows(model, shared, height - 1)
            self.draws += 1
        return [_title(model, shared, width, values_at(model, shared)), *self._canvas]

    def _point(self, event: events.MouseEvent) -> None:
        shared, x = self._frame, event.x - MARGIN
        if shared is not None and 0 <= x < shared.cells:
            self.post_message(self.Pointed(shared.axis.time_of(x * shared.per_cell)))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._is_pressed = True
        self.capture_mouse()
        self._point(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._is_pressed:
            self._point(event)

    def on_mouse_up(self) -> None:
        self._is_pressed = False
        self.release_mouse()
