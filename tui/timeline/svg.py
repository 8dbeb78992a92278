"""Renders a timeline as SVG: curves with ranges, phases and marks on one time axis.

One SVG without script and without anything from elsewhere; light or dark as the reader's screen is.
Every text is escaped. Nothing is drawn outside of the axis.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

from tui.core.text import format as fmt
from tui.core.text.sanitize import clean_line
from tui.timeline.binning import BinnedSeries, TimeAxis, axis_of
from tui.timeline.record import Timeline
from tui.timeline.series import GAP, SPECS, SeriesSpec
from tui.timeline.words import head, mark_words

WIDTH, LEFT, RIGHT = 960, 150, 16
CURVE_ROWS, CURVE_GAP = 52, 12
PHASE_ROWS, HEAD_ROWS, LINE_ROWS = 18, 40, 16
COLUMNS = 200
MAX_CURVES, MAX_MARKS, MAX_MARK_CHARS = 7, 12, 130
MAX_PHASES = 300
_TICKS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600, 7200, 21600, 86400)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_LIGHT = {"ink": "#1b232b", "soft": "#5a6875", "rule": "#d5dce3", "back": "#fff", "line": "#14798a",
          "warn": "#8a5a00", "bad": "#b3261e"}  # fmt: skip
_DARK = {"ink": "#d5dce4", "soft": "#9fb0bf", "rule": "#26303a", "back": "#0e1318",
         "line": "#56c8d8", "warn": "#e0af5a", "bad": "#e8716a"}  # fmt: skip


def _colours(of: Mapping[str, str]) -> str:
    """Rules with plain colours: what draws pictures outside of a browser knows no variables."""
    ink, soft, rule, back, line, warn, bad = of.values()
    return (
        f".ntl{{background:{back}}}.ntl .b{{fill:{back}}}.ntl text{{fill:{soft}}}"
        f".ntl .h{{fill:{ink}}}.ntl .a{{stroke:{rule}}}.ntl .c{{stroke:{line}}}"
        f".ntl .g,.ntl .q{{fill:{line}}}.ntl .p{{fill:{rule}}}.ntl .p,.ntl .q{{stroke:{back}}}"
        f".ntl .m{{stroke:{warn}}}.ntl .n,.ntl .t{{fill:{warn}}}.ntl .e{{stroke:{bad}}}"
        f".ntl .z{{fill:{bad}}}"
    )


STYLE = (
    ".ntl text{font:11px system-ui,sans-serif}.ntl .h{font-size:13px}.ntl .a,.ntl .c{fill:none}"
    ".ntl .c{stroke-width:1.3}.ntl .g{fill-opacity:.22}.ntl .t{fill-opacity:.12}"
    ".ntl .q{fill-opacity:.35}.ntl .m{stroke-dasharray:3 3}"
    f"{_colours(_LIGHT)}@media(prefers-color-scheme:dark){{{_colours(_DARK)}}}"
)
"""Of all pictures of a page: it need stand there only once."""


def timeline_svg(timeline: Timeline, *, columns: int = COLUMNS, has_style: bool = True) -> str:
    """The picture. ``columns``: how finely the curves are cut. ``has_style`` False: the page has
    :data:`STYLE` already."""
    axis = axis_of(timeline.start_ns, max(timeline.end_ns, timeline.start_ns + 1), columns)
    scale = _Scale(axis)
    curves, y = [], HEAD_ROWS
    for spec, binned in _curves(timeline, axis):
        curves.append(_curve(spec, binned, scale, y))
        y += CURVE_ROWS + CURVE_GAP
    marks, mark_lines = _marks(timeline, scale, HEAD_ROWS, y)
    phases = _phases(timeline, scale, y)
    y += PHASE_ROWS + 4
    ticks = _ticks(timeline, scale, HEAD_ROWS, y)
    y += LINE_ROWS + 4
    legend = []
    for line, is_error in mark_lines:
        y += LINE_ROWS
        legend.append(f'<text x="10" y="{y}"{" class=z" if is_error else ""}>{_xml(line)}</text>')
    height = y + 12
    title = _xml(clean_line(head(timeline), 160))
    style = f"<style>{STYLE}</style>" if has_style else ""
    body = "".join((*ticks, *curves, *phases, *marks, *legend)).replace("class=z", 'class="z"')
    return (
        f'<svg class="ntl" role="img" xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"><title>{title}</title>'
        f'{style}<rect width="{WIDTH}" height="{height}" class="b"/>'
        f'<text class="h" x="10" y="20">{title}</text>{body}</svg>\n'
    )


class _Scale:
    """From times to pixels, never outside of the axis."""

    def __init__(self, axis: TimeAxis) -> None:
        self.axis = axis
        self._span_ns = max(axis.end_ns - axis.start_ns, 1)

    def x(self, t_ns: int) -> int:
        share = (t_ns - self.axis.start_ns) / self._span_ns
        return LEFT + round(min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT))


def _curves(timeline: Timeline, axis: TimeAxis) -> list[tuple[SeriesSpec, BinnedSeries]]:
    """The most important curves that have a value on the axis."""
    found: list[tuple[SeriesSpec, BinnedSeries]] = []
    for name, spec in SPECS.items():
        if name in timeline.series and name != GAP and len(found) < MAX_CURVES:
            binned = BinnedSeries(axis, timeline.series[name])
            binned.update()
            if binned.limits() is not None:
                found.append((spec, binned))
    return found


def _curve(spec: SeriesSpec, binned: BinnedSeries, scale: _Scale, top: int) -> str:
    """Name, limits, range and mean of one curve."""
    limits = binned.limits() or (0.0, 1.0)
    low, high = _limits(spec, *limits)
    bottom = top + CURVE_ROWS

    def y(value: float) -> int:
        # A difference can be too small for a float beside a value, or too large for one.
        share = (value - low) / (high - low) if high > low else 0.5
        return bottom - round(min(max(share, 0.0), 1.0) * CURVE_ROWS) if share == share else bottom

    areas, lines = [], []
    run: list[tuple[int, int, int, int]] = []
    axis = binned.axis
    for place in range(axis.count + 1):
        found = binned.at(place)
        if found.mean is not None and found.low is not None and found.high is not None:
            x = scale.x(axis.time_of(place) + axis.bin_ns // 2)
            run.append((x, y(found.low), y(found.high), y(found.mean)))
        elif run:
            areas.append(_path([(p[0], p[2]) for p in run] + [(p[0], p[1]) for p in run[::-1]]))
            lines.append(_path([(p[0], p[3]) for p in run], is_dot=len(run) == 1))
            run = []
    labels = "".join(
        f'<text x="{LEFT - 8}" y="{at}" text-anchor="end">{_xml(text)}</text>'
        for at, text in (
            (top + 9, spec.shown(high)),
            (bottom, spec.shown(low)),
        )
    )
    return (
        f'<text class="h" x="10" y="{top + 22}">{_xml(spec.label)}</text>'
        f'<text x="10" y="{top + 36}">{_xml(spec.unit)}</text>{labels}'
        f'<path class="a" d="M{LEFT} {top}V{bottom}H{WIDTH - RIGHT}"/>'
        f'<path class="g" d="{"z".join(areas)}z"/><path class="c" d="{"".join(lines)}"/>'
    )


def _limits(spec: SeriesSpec, low: float, high: float) -> tuple[float, float]:
    """Bottom and top of a curve's scale: 0 where that says something, noise never large."""
    if spec.top is not None:
        return 0.0, max(spec.top, high)
    if spec.name == "rate":
        return 0.0, max(high * 1.05, spec.least_span)
    missing = max(spec.least_span - (high - low), 0.0)
    bottom = max(low - missing / 2, 0.0) if low >= 0 else low - missing / 2
    return bottom, max(high, bottom + spec.least_span)


def _path(points: Sequence[tuple[int, int]], *, is_dot: bool = False) -> str:
    """Whole pixels, each as its difference to the one before: the least room."""
    (x, y), *rest = points
    steps = [f"M{x} {y}"]
    if is_dot:
        steps.append("h1")
    if rest:
        steps.append("l")
        last = (x, y)
        moves = []
        for x, y in rest:
            moves.append(f"{x - last[0]} {y - last[1]}")
            last = (x, y)
        steps.append(" ".join(moves).replace(" -", "-"))
    return "".join(steps)


def _phases(timeline: Timeline, scale: _Scale, top: int) -> list[str]:
    made = [f'<text class="h" x="10" y="{top + 13}">phases</text>']
    for phase in timeline.phases[:MAX_PHASES]:
        x, end = scale.x(phase.start_ns), scale.x(phase.end_ns)
        role = "q" if phase.name in ("answer", "code") else "p"
        name = _xml(phase.name)
        made.append(
            f'<rect class="{role}" x="{x}" y="{top}" width="{max(end - x, 1)}" '
            f'height="{PHASE_ROWS}"><title>{name}</title></rect>'
        )
        if end - x > 7 * len(phase.name):
            made.append(f'<text x="{x + 4}" y="{top + 13}">{name}</text>')
    return made


def _marks(
    timeline: Timeline, scale: _Scale, top: int, bottom: int
) -> tuple[list[str], list[tuple[str, bool]]]:
    """Lines with numbers, and the legend: each number's sentence, and whether it is a failure."""
    drawn, legend = [], []
    for mark in timeline.marks[:MAX_MARKS]:
        first, last = scale.x(mark.start_ns), scale.x(mark.end_ns)
        if mark.is_trouble and last > first:
            size = f'width="{last - first}" height="{bottom - top}"'
            drawn.append(f'<rect class="t" x="{first}" y="{top}" {size}/>')
    for number, mark in enumerate(timeline.marks[:MAX_MARKS], 1):
        x, is_error = scale.x(mark.start_ns), mark.kind == "error"
        line, text = ("m e", "z") if is_error else ("m", "n")
        drawn.append(
            f'<path class="{line}" d="M{x} {top}V{bottom}"/>'
            f'<text class="{text}" x="{min(x + 3, WIDTH - 16)}" y="{top - 3}">{number}</text>'
        )
        words = clean_line(mark_words(mark), MAX_MARK_CHARS)
        legend.append((f"{number}. {words}", is_error))
    more = len(timeline.marks) - MAX_MARKS
    if more > 0:
        legend.append((f"and {more} more", False))
    legend += [(clean_line(note, MAX_MARK_CHARS), False) for note in timeline.notes]
    return drawn, legend


def _ticks(timeline: Timeline, scale: _Scale, top: int, bottom: int) -> list[str]:
    """Times below, with lines through all curves."""
    span_s = timeline.span_ns / 1e9
    step_s = next((step for step in _TICKS_S if span_s / step <= 10), span_s / 5)
    made: list[str] = []
    number = max(-int(-timeline.start_ns / 1e9 // step_s), -20) if timeline.start_ns < 0 else 0
    while number * step_s * 1e9 <= timeline.end_ns and len(made) < 40:
        t_s = number * step_s
        number += 1
        if t_s * 1e9 < timeline.start_ns:
            continue
        x = scale.x(round(t_s * 1e9))
        shown = fmt.clock(t_s) if t_s >= 60 else f"{t_s:g} s"
        anchor = "end" if x > WIDTH - 40 else "middle"
        made.append(
            f'<path class="a" d="M{x} {top}V{bottom}"/>'
            f'<text x="{x}" y="{bottom + 13}" text-anchor="{anchor}">{_xml(shown)}</text>'
        )
    return made


def _xml(text: str) -> str:
    """A text that no character of can end, or that XML does not have."""
    return escape(_NOT_XML.sub("", text), quote=True)
