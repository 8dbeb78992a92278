"""Curves on a canvas of cells, drawn by plotext and given back as rows of spans.

plotext writes text with escape sequences. Here they are only read: a curve is drawn in the colour
whose number stands for its role, the numbers are turned into roles again, and everything that is
not a character of a chart is dropped. No escape sequence leaves this module.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from tui.widgets.kit.rows import ROLES, Row, Span

BRAILLE_DOTS = 2
"""Columns of dots in one cell."""
MIN_WIDTH, MIN_HEIGHT = 8, 2

_CODES: Mapping[str, int] = {role: number for number, role in enumerate(ROLES, 1)}
_ROLES: Mapping[int, str] = {number: role for role, number in _CODES.items()}
_ESCAPE = re.compile(r"\x1b\[([0-9;]*)m")
_FOREIGN = re.compile(r"[^\x20-\x7e\u2500-\u257f\u2800-\u28ff]")
_ASCII_FRAME = str.maketrans({"│": "|", "┤": "+", "┼": "+", "─": "-", "└": "+", "┌": "+"})


@dataclass(frozen=True, slots=True)
class Line:
    """Points that belong together, in the canvas's own units; a gap begins a new line."""

    points: tuple[tuple[float, float], ...]
    role: str
    mark: str | None = None
    """The character of its points where lines of dots cannot be drawn or told apart; None: dots."""
    is_dotted: bool = False
    """Only the points, not the line between them: a limit."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The values at the bottom and at the top of the canvas, and the labels between."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = ()


def plot(
    lines: Sequence[Line],
    span: tuple[float, float],
    scale: Scale,
    size: tuple[int, int],
    margin: int,
) -> list[Row]:
    """Rows of ``size`` (cells, rows): ``margin`` cells of labels and axis, then the canvas.

    ``span`` is x at the left edge of the canvas and at its right one. Lines are drawn in their
    order, so the last one is on top. Too small a size gives blank rows.
    """
    width, height = size
    if width - margin < MIN_WIDTH or height < MIN_HEIGHT or not _is_range(*span):
        return [((" " * width, "text"),) for _ in range(height)]
    if not _is_range(scale.low, scale.high):
        scale = Scale(0.0, 1.0, ((0.0, "0"), (1.0, "1")))
    inside = [_inside(line, span, scale) for line in lines]
    return rows_of(_drawn(inside, span, scale, size, margin), width, height)


def _is_range(low: float, high: float) -> bool:
    return low < high and math.isfinite(high - low)


def _inside(line: Line, span: tuple[float, float], scale: Scale) -> Line:
    """The line held within the canvas.

    The library draws also what lies outside, dot by dot: a value far away would take all memory and
    end the process.
    """
    points = tuple(
        (x, min(max(y, scale.low), scale.high))
        for x, y in line.points
        if span[0] <= x <= span[1] and math.isfinite(y)
    )
    return replace(line, points=points)


def _drawn(
    lines: Sequence[Line],
    span: tuple[float, float],
    scale: Scale,
    size: tuple[int, int],
    margin: int,
) -> str:
    """What plotext writes."""
    figure = _figure()
    figure.theme("colorless")
    figure.canvas("default")
    figure.plot_size(*size)
    figure.legend(False)
    figure.axes(False)
    figure.axes(True, axis="y", side="left")
    across, up = figure.ruler("x", "lower"), figure.ruler("y", "left")
    across.lim(*span).ticks([], []).alignment(lim="edge")
    up.lim(scale.low, scale.high).alignment(lim="edge")
    # All labels are as wide as the margin: canvases of several charts stand exactly in line.
    cells = margin - 1
    labels = {
        value: f"{label[:cells]:>{cells}}"
        for value, label in scale.ticks or ((scale.low, f"{scale.low:g}"),)
    }
    up.ticks(list(labels), list(labels.values()))
    for line in lines:
        if not line.points:
            continue
        marker = _marker(line.mark or "braille", _CODES.get(line.role, _CODES["text"]))
        xs, ys = zip(*line.points, strict=True)
        signal = figure.signal(list(xs), list(ys), marker=marker)
        figure.draw(signal if line.is_dotted else signal.lines())
    text: str = figure.build().string()
    return text


def _figure() -> Any:
    """A figure of its own: the library's shared one belongs to whoever prints to a terminal."""
    # Here, because it takes a tenth of a second and most runs never open a chart.
    import plotext

    plotext.terminal.limit(False, False)
    return type(plotext.figure)(parent=plotext.terminal)


@cache
def _marker(symbol: str, code: int) -> Any:
    import plotext

    return plotext.marker(symbol, plotext.pixel(code))


def rows_of(text: str, width: int, height: int) -> list[Row]:
    """Text with escape sequences as ``height`` rows of exactly ``width`` cells.

    Colours become roles, every other sequence and every character that no chart has is dropped.
    """
    found = [_row(line, width) for line in text.split("\n")[:height]]
    blank: Row = ((" " * width, "dim"),)
    return found + [blank] * (height - len(found))


def _row(line: str, width: int) -> Row:
    spans: list[Span] = []
    role = "dim"
    left = width
    at = 0
    for match in (*_ESCAPE.finditer(line), None):
        end = len(line) if match is None else match.start()
        piece = _FOREIGN.sub("", line[at:end])[:left]
        if piece:
            spans.append((piece, role))
            left -= len(piece)
        if match is not None:
            at, role = match.end(), _role_of(match[1])
    if left:
        spans.append((" " * left, "dim"))
    return tuple(spans)


def _role_of(parameters: str) -> str:
    """The role behind ``38;5;N``; that of labels and axes behind everything else."""
    head, _, number = parameters.rpartition(";")
    if head == "38;5" and number.isdecimal() and len(number) < 4:
        return _ROLES.get(int(number), "dim")
    return "dim"


def ascii_frame(rows: Sequence[Row]) -> list[Row]:
    """The same rows with an axis in plain characters."""
    return [tuple((text.translate(_ASCII_FRAME), role) for text, role in row) for row in rows]


def nice_top(value: float) -> float:
    """The next 1, 2, 4, 5, 8 or 10 times a power of ten above ``value``; 1 where it is no number
    above 0 (nor so near to it that its power of ten is 0)."""
    if not sys.float_info.min <= value < math.inf:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in (1, 2, 4, 5, 8) if step * power >= value), 10 * power)
