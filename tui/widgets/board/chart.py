"""A chart on a time axis that it shares with others, behind it the answers that ran."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.core.board.answer_log import AnswerMark
from tui.core.text.glyphs import Glyphs
from tui.widgets.board.curves import ChartModel, Curve
from tui.widgets.board.time_axis import TimeAxis, time_axis
from tui.widgets.kit.bars import spark
from tui.widgets.kit.grounds import GroundedRows
from tui.widgets.kit.plot import BRAILLE_DOTS, Line, ascii_frame, plot
from tui.widgets.kit.rows import Row, Span, fit, row_width, spread

MARGIN = 7
"""Cells of labels and axis left of every canvas."""
BAND = "/band"
"""Ends the role of a span that stands on the band of an answer."""
LIMIT_DOTS = 4
TICK_MINUTES = {1: 0.25, 2: 0.5, 5: 1, 10: 2}


@dataclass(frozen=True, slots=True)
class Frame:
    """What charts side by side have in common: time, answers, room at the right, characters."""

    axis: TimeAxis
    cells: int
    """Width of every canvas."""
    marks: tuple[AnswerMark, ...]
    glyphs: Glyphs
    is_lettered: bool
    """Curves are drawn with letters: in ASCII, and where colours cannot tell them apart."""

    def band(self) -> frozenset[int]:
        """The columns of the canvas in which an answer ran."""
        return frozenset(
            column for mark in self.marks for column in self.axis.columns(mark, self.cells)
        )


def frame(
    now_ns: int,
    window_ns: int,
    width: int,
    marks: Sequence[AnswerMark],
    glyphs: Glyphs,
    *,
    right: int = 0,
    is_colourless: bool = False,
) -> Frame:
    """The frame of charts of ``width`` cells with ``right`` cells left free."""
    is_lettered = glyphs.is_ascii or is_colourless
    cells = max(1, width - MARGIN - right)
    dots = cells * (1 if is_lettered else BRAILLE_DOTS)
    axis = time_axis(now_ns, window_ns, dots)
    return Frame(axis, cells, tuple(marks), glyphs, is_lettered)


def chart_rows(model: ChartModel, frame: Frame, width: int, height: int) -> list[Row]:
    """One row of title and present values, then the canvas."""
    rows = [_title(model, frame, width)]
    if height < 2:
        return rows[:height]
    size = (MARGIN + frame.cells, height - 1)
    lines = [] if model.absent else _lines(model, frame)
    drawn = plot(lines, frame.axis.span, model.scale, size, MARGIN)
    if frame.glyphs.is_ascii:
        drawn = ascii_frame(drawn)
    band = frame.band()
    return rows + [_with_band(row, band) for row in drawn]


def _title(model: ChartModel, frame: Frame, width: int) -> Row:
    left: Row = ((model.title, "strong"), (f"  {model.unit}", "dim"))
    if model.absent:
        left = (left[0], (f"  {frame.glyphs.unknown}  {model.absent}", "dim"))
    elif model.note:
        left = (*left, (f"   {model.note}", "warn"))
    spans: list[Span] = []
    for curve in model.curves if not model.absent else ():
        mark = letter(curve) if frame.is_lettered else frame.glyphs.square
        name = "" if mark == curve.name else f"{curve.name} "
        spans += [("  ", "dim"), (f"{mark} ", curve.role), (name, "dim")]
        spans.append((f"{curve.value:>4}", "text"))
    room = width - row_width(tuple(spans)) - 1
    if row_width(left) > room:
        left = left[:2] if row_width(left[:2]) <= room else left[:1]
    return spread(left, tuple(spans), width)


def letter(curve: Curve) -> str:
    """The character that draws the curve where colours cannot tell it apart."""
    return curve.name[:1]


def _lines(model: ChartModel, frame: Frame) -> list[Line]:
    lines: list[Line] = []
    if model.limit is not None:
        step = LIMIT_DOTS * (1 if frame.is_lettered else BRAILLE_DOTS) // 2
        dots = tuple((float(x), model.limit) for x in range(0, frame.axis.n_bins, max(step, 1)))
        mark = "." if frame.is_lettered else None
        lines.append(Line(dots, "warn", mark, is_dotted=True))
    # The first curve is the one that matters most: it is drawn last, over the others.
    for curve in reversed(model.curves):
        mark = letter(curve) if frame.is_lettered else None
        lines += [Line(some, curve.role, mark) for some in frame.axis.lines(curve.points)]
    return lines


def _with_band(row: Row, band: frozenset[int]) -> Row:
    """The row with the columns of answers on their own ground."""
    if not band:
        return row
    spans: list[Span] = []
    column = -MARGIN
    for text, role in row:
        for char in text:
            name = role + BAND if column in band else role
            if spans and spans[-1][1] == name:
                spans[-1] = (spans[-1][0] + char, name)
            else:
                spans.append((char, name))
            column += 1
    return tuple(spans)


def answer_row(frame: Frame) -> Row:
    """When answers ran, in the columns of the charts above."""
    band = frame.band()
    full, track = frame.glyphs.bar_full, " "
    cells = "".join(full if column in band else track for column in range(frame.cells))
    return ((f"{'asked':>{MARGIN - 1}} ", "dim"), (cells, "live"))


def axis_row(frame: Frame, window_ns: int) -> Row:
    """Minutes before now, under the charts."""
    minutes = window_ns / 60e9
    step = TICK_MINUTES.get(round(minutes), minutes / 5)
    cells = [" "] * (MARGIN + frame.cells)
    count = round(minutes / step)
    for number in range(count + 1):
        ago = minutes - number * step
        label = "now" if number == count else _ago(ago)
        column = MARGIN + round(number * (frame.cells - 1) / count)
        start = min(max(column - len(label) // 2, 0), len(cells) - len(label))
        if all(cell == " " for cell in cells[max(start - 1, 0) : start + len(label)]):
            cells[start : start + len(label)] = label
    return (("".join(cells), "dim"),)


def _ago(minutes: float) -> str:
    return f"-{minutes:g} min" if minutes >= 1 else f"-{minutes * 60:.0f} s"


def spark_row(model: ChartModel, frame: Frame, is_chosen: bool, width: int) -> Row:
    """The chart's first curve as one row of blocks, in the columns of the charts above."""
    name = f"{model.short:<{MARGIN}}"
    head: Span = (name, "strong" if is_chosen else "dim")
    if model.absent or not model.curves:
        text = f"{frame.glyphs.unknown}  {model.absent or ''}"
        return fit((head, (text, "dim")), width)
    curve = model.curves[0]
    values = frame.axis.per_column(curve.points, frame.cells)
    low = model.scale.low
    above = [None if value is None else value - low for value in values]
    blocks = spark(above, frame.cells, frame.glyphs, top=model.scale.high - low, role="soft")
    return spread((head, *blocks), ((curve.value.partition(" of ")[0].strip(), "text"),), width)


class Chart(GroundedRows):
    """Draws one model; drawn anew only where what it shows has changed."""

    DEFAULT_CSS = "Chart { height: 6; }"

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(glyphs, id=id)
        self._model: ChartModel | None = None
        self._frame: Frame | None = None
        self._key: object = None
        self._canvas: list[Row] = []
        self.draws = 0
        """How often the canvas was drawn: the cost of this widget."""

    def show_model(self, model: ChartModel | None, frame: Frame) -> None:
        """Show this chart in that frame."""
        self._model, self._frame = model, frame
        self.refresh_rows()

    def build(self, width: int) -> Sequence[Row]:
        model, frame = self._model, self._frame
        height = self.size.height
        if model is None or frame is None or height < 1:
            return [()] * max(height, 1)
        # What lies in complete bins stays as it is: with the same axis it is the same picture.
        names = tuple(curve.name for curve in model.curves)
        key = (frame.axis, names, model.scale, model.absent, frame.band(), width, height)
        if key != self._key:
            self._key = key
            self._canvas = chart_rows(model, frame, width, height)
            self.draws += 1
            return self._canvas
        return [_title(model, frame, width), *self._canvas[1:]]
