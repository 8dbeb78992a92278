"""Charts of a result: bars, dots, lines and columns on axes, drawn by plotext."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence

from tui.bench.model.screen import Picture, Series
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.widgets.bench.parts import folded
from tui.widgets.kit.plot import BRAILLE_DOTS, Line, Scale, ascii_frame, nice_top, plot
from tui.widgets.kit.rows import Row, Rows, cut, fit, pad, row_width, spread

MARGIN = 7
MAX_LABEL = 22
VALUE_CELLS = 8
ROLES = ("live", "soft", "text", "dim")
"""Colours of series: green, amber and red are kept for what is well or not."""
LEAST_STRIP = 3
DOT_ROLES = ("soft", "live")
MIN_ROWS = 5
MOST_STEPS = 3
"""Of a scale, before its ends are rounded."""


def picture_rows(picture: Picture, width: int, height: int, glyphs: Glyphs) -> list[Row]:
    """Title, canvas and axis in exactly ``height`` rows."""
    if height < 1 or width < 1:
        return []
    title = _title(picture, width, glyphs)
    if not picture.series or height < MIN_ROWS:
        why = picture.why if not picture.series else ""
        lines = folded(why, width - 6)
        rows: list[Row] = [title, (), ((f"  {fmt.UNKNOWN}  {lines[0]}", "dim"),)]
        rows += [((f"     {line}", "dim"),) for line in lines[1:]]
        return ([fit(row, width) for row in rows] + [()] * height)[:height]
    draw = {"bars": _bars, "dots": _dots, "lines": _lines, "columns": _columns}[picture.kind]
    # The last column stays free, as beside all other text.
    rows = [title, *draw(picture, width - 1, height - 1, glyphs)]
    if glyphs.is_ascii:
        rows = ascii_frame(rows)
    return ([fit(row, width) for row in rows] + [()] * height)[:height]


def _title(picture: Picture, width: int, glyphs: Glyphs) -> Row:
    right: Row = ()
    roles = DOT_ROLES if picture.kind == "dots" else ROLES
    if len(picture.series) > 1 and picture.kind != "lines":
        for at, series in enumerate(picture.series):
            mark = _letter(series) if glyphs.is_ascii else glyphs.square
            right = (*right, (f" {mark} ", roles[at % len(roles)]), (f"{series.name} ", "dim"))
    return spread(_named(picture, width - row_width(right) - 2), right, width)


def _named(picture: Picture, width: int) -> Row:
    """The title, and as many of the clauses of what y is as there is room for."""
    clauses = picture.y_name.split(", ")
    title: Row = ((f" {picture.title}", "strong"),)
    for count in range(len(clauses), 0, -1):
        row: Row = (*title, (f"  {', '.join(clauses[:count])}", "dim"))
        if row_width(row) <= width:
            return row
    return title


def _letter(series: Series) -> str:
    return series.name[:1]


def _span(picture: Picture) -> tuple[float, float]:
    xs = [x for series in picture.series for x in series.xs]
    low, high = (min(xs), max(xs)) if xs else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _top(picture: Picture) -> float:
    return nice_top(max((y for s in picture.series for y in s.ys if y is not None), default=1.0))


def _scale(low: float, high: float) -> Scale:
    middle = (low + high) / 2
    return Scale(low, high, tuple((value, f"{value:g}") for value in (low, middle, high)))


def _axis(span: tuple[float, float], name: str, width: int) -> Row:
    """Both ends of x, and what it is in the middle."""
    left, right = _plain(span[0], span), _plain(span[1], span)
    room = width - MARGIN - len(left) - len(right)
    return ((" " * MARGIN + left, "dim"), (f"{name:^{max(0, room)}}", "dim"), (right, "dim"))


def _plain(value: float, span: tuple[float, float]) -> str:
    is_round = span[1] - span[0] >= 10 or all(end == int(end) for end in span)
    return f"{value:.0f}" if is_round else f"{value:.2f}"


def _points(series: Series) -> tuple[tuple[float, float], ...]:
    return tuple((x, y) for x, y in zip(series.xs, series.ys, strict=True) if y is not None)


def _dots(picture: Picture, width: int, height: int, glyphs: Glyphs) -> list[Row]:
    """The first series as dots, the others as lines over them. y need not begin at 0."""
    known = [y for series in picture.series for y in series.ys if y is not None]
    low, high = min(known), max(known)
    room = max(high - low, 0.05 * abs(high), 1e-6) * 0.15
    span, scale = _span(picture), _rounded(max(0.0, low - room), high + room, height - 1)
    lines = [
        Line(
            _points(series),
            DOT_ROLES[at % len(DOT_ROLES)],
            _letter(series) if glyphs.is_ascii else None,
            is_dotted=at == 0,
        )
        for at, series in enumerate(picture.series)
    ]
    rows = plot(lines, span, scale, (width, height - 1), MARGIN)
    return [*rows, _axis(span, picture.x_name, width)]


def _rounded(low: float, high: float, rows: int) -> Scale:
    """Ends that are multiples of a round step, and what stands between them where there are rows
    for it; each label has as many digits as the step needs."""
    step = _nice_step((high - low) / MOST_STEPS)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    numbers = [first, last]
    if rows > MOST_STEPS:
        numbers = [first, (first + last) // 2, last] if (last - first) % 2 == 0 else numbers
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    ticks = tuple((number * step, f"{number * step:.{digits}f}") for number in numbers)
    return Scale(first * step, last * step, ticks)


def _nice_step(least: float) -> float:
    """The next 1, 2 or 5 times a power of ten that is not below ``least``."""
    if not sys.float_info.min <= least < math.inf:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(
        (step * power for step in (1, 2, 5) if step * power >= least * (1 - 1e-9)), 10 * power
    )


def _lines(picture: Picture, width: int, height: int, glyphs: Glyphs) -> list[Row]:
    """A small chart for each series, above each other on one axis of time: each has its own
    scale."""
    span = _span(picture)
    count = max(min(len(picture.series), (height - 1) // LEAST_STRIP), 1)
    rows: list[Row] = []
    each, rest = divmod(height - 1, count)
    for at, series in enumerate(picture.series[:count]):
        rows += _strip(series, span, width, each + (at < rest), glyphs)
    if count < len(picture.series):
        hidden = ", ".join(series.name for series in picture.series[count:])
        rows = [*rows[: height - 2], ((f" no room for {hidden}", "dim"),)]
    return [*rows, _axis(span, picture.x_name, width)]


def _strip(
    series: Series, span: tuple[float, float], width: int, height: int, glyphs: Glyphs
) -> list[Row]:
    """One series on its own scale; above it its name and its least, middle and largest value."""
    known = sorted(y for y in series.ys if y is not None)
    if not known or height < LEAST_STRIP:
        return [((f" {series.name}  {fmt.UNKNOWN}", "dim"),)] + [()] * (height - 1)
    low, high = known[0], known[-1]
    room = max(high - low, 0.05 * abs(high), 1e-6) * 0.1
    top = 100.0 if series.name.endswith("%") and high <= 100 else high + room
    scale = _rounded(max(0.0, low - room), min(high + room, top), height - 1)
    values: Row = ()
    for word, value in (("least", low), ("median", known[len(known) // 2]), ("most", high)):
        values = (*values, (f"  {word} ", "dim"), (_short(value), "text"))
    head = spread(((f" {series.name}", "text"),), values, width)
    line = Line(_points(series), "live", "*" if glyphs.is_ascii else None)
    return [head, *plot([line], span, scale, (width, height - 1), MARGIN)]


def _short(value: float) -> str:
    """Three significant figures, and all of those before the point."""
    return f"{value:.0f}" if abs(value) >= 99.95 else f"{value:.3g}"


def _columns(picture: Picture, width: int, height: int, glyphs: Glyphs) -> list[Row]:
    """A filled column for each value: each column of dots takes that of the x nearest to it."""
    series, span, top = picture.series[0], _span(picture), _top(picture)
    count = max(2, (width - MARGIN) * (1 if glyphs.is_ascii else BRAILLE_DOTS))
    mark = "#" if glyphs.is_ascii else None
    lines = []
    for dot in range(count):
        x = span[0] + (span[1] - span[0]) * dot / (count - 1)
        at = round((len(series.xs) - 1) * dot / (count - 1))
        y = series.ys[at]
        if y:
            lines.append(Line(((x, 0.0), (x, y)), "live", mark))
    rows = plot(lines, span, _scale(0.0, top), (width, height - 1), MARGIN)
    return [*rows, _axis(span, picture.x_name, width)]


def _bars(picture: Picture, width: int, height: int, glyphs: Glyphs) -> list[Row]:
    """One row a value: its name, its range and its place on an axis that shows the differences."""
    series = picture.series[0]
    known = [
        (label, y, _range_of(series, at, y))
        for at, (label, y) in enumerate(zip(series.labels, series.ys, strict=True))
        if y is not None
    ]
    if not known:
        return []
    low = min(ends[0] for _, _, ends in known)
    high = max(ends[1] for _, _, ends in known)
    room = max(high - low, 0.05 * abs(high), 1e-6) * 0.1
    scale = _rounded(max(0.0, low - room), high + room, 2)
    margin = min(MAX_LABEL, max(len(label) for label, _, _ in known)) + 3
    margin = max(4, min(margin, width // 2))
    cells = max(width - margin - VALUE_CELLS, 1)
    rows: list[Row] = []
    shown = known if len(known) < height else known[: max(height - 2, 1)]
    for label, y, ends in shown:
        name = pad(cut(((f" {label}", "text"),), margin - 1, glyphs), margin)
        rows.append(
            (
                *name,
                *_on_track(y, ends, scale, cells, glyphs),
                (f"{fmt.rate(y):>{VALUE_CELLS - 1}}", "text"),
            )
        )
    if len(shown) < len(known):
        rows.append(((f" {'':<{margin - 1}}and {len(known) - len(shown)} more", "dim"),))
    ends_text = scale.ticks[0][1], scale.ticks[-1][1]
    axis = f"{ends_text[0]}{ends_text[1]:>{max(cells - len(ends_text[0]), 0)}}"
    return [*rows, ((f"{'':<{margin}}{axis}", "dim"),)]


def _range_of(series: Series, at: int, y: float) -> tuple[float, float]:
    found = series.ranges[at] if at < len(series.ranges) else None
    return (y, y) if found is None else (min(found[0], y), max(found[1], y))


def _on_track(y: float, ends: tuple[float, float], scale: Scale, cells: int, glyphs: Glyphs) -> Row:
    """A dot at the value, a thick line over its range, a thin one over the rest."""
    span = scale.high - scale.low

    def cell(value: float) -> int:
        share = (value - scale.low) / span if span > 0 else 0.0
        return min(max(round(share * (cells - 1)), 0), cells - 1)

    first, at, last = cell(ends[0]), cell(y), cell(ends[1])
    parts = (
        (glyphs.bar_track * first, "track"),
        (glyphs.bar_full * (at - first), "soft"),
        (glyphs.dot, "live"),
        (glyphs.bar_full * (last - at), "soft"),
        (glyphs.bar_track * (cells - 1 - last), "track"),
    )
    return tuple(part for part in parts if part[0])


class PictureView(Rows):
    """One chart of a result, drawn anew only where it or its size has changed."""

    DEFAULT_CSS = "PictureView { height: 1fr; }"

    def __init__(
        self, picture: Callable[[], Picture | None], glyphs: Glyphs, *, id: str | None = None
    ) -> None:
        super().__init__(glyphs, id=id)
        self._picture = picture
        self._key: tuple[Picture | None, int, int] | None = None
        self._drawn: list[Row] = []

    def build(self, width: int) -> Sequence[Row]:
        picture, height = self._picture(), self.size.height
        key = (picture, width, height)
        if key != self._key:
            self._key = key
            self._drawn = (
                [] if picture is None else picture_rows(picture, width, height, self._glyphs)
            )
        return self._drawn
