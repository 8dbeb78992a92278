"""Rows below the curves: phases, marks and time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tui.core.text.glyphs import Glyphs
from tui.timeline.binning import TOKEN_STEPS, TimeAxis
from tui.timeline.record import Mark, MarkKind, Phase
from tui.timeline.view import AxisUnit, TimelineView
from tui.widgets.kit.rows import Span

MARK_WORDS: dict[MarkKind, str] = {
    "throttled": "throttled",
    "clock": "clock fell",
    "program": "other program",
    "memory": "memory",
    "slow": "slow",
    "stopped": "stopped",
    "limit": "token limit",
    "error": "error",
}
NO_MARK: Span = (" ", "dim")
"""A cell in which nothing stands."""
MIN_TICKS = 3
"""So many are aimed at on the narrowest axis: one alone gives no scale."""
PHASE_ROLES = {"queued": "dim", "loading": "dim", "prefill": "soft", "thinking": "dim"}


def cell_of(view: TimelineView, axis: TimeAxis, t_ns: int, per_cell: int) -> int:
    """The cell of a moment; outside of the axis it is below 0 or beyond its last one."""
    return axis.bin_of(view.place_of(view.timeline, t_ns)) // per_cell


def phase_cells(
    view: TimelineView, axis: TimeAxis, width: int, per_cell: int, glyphs: Glyphs
) -> list[Span]:
    """Each phase with its name at its begin and a line to its end, where there is room."""
    cells: list[Span] = [NO_MARK] * width
    for phase in view.timeline.phases:
        first, after = _cells(view, axis, phase, per_cell)
        if after <= 0 or first >= width:
            continue
        first, after = max(first, 0), min(after, width)
        room = after - first
        if room < 1:
            continue
        name = f"{phase.name} " if room > len(phase.name) + 1 else phase.name
        # Names never touch: the last cell of a phase is that of its line.
        text = name if len(phase.name) < room else ""
        text = text + glyphs.bar_full * (room - len(text) - 1)
        text = (text + glyphs.bar_half)[:room] if room > len(name) else text.ljust(room)[:room]
        if not text.strip():
            text = (glyphs.bar_full * (room - 1)) + glyphs.bar_half
        role = PHASE_ROLES.get(phase.name, "text")
        for offset, char in enumerate(text):
            is_name = char.isalpha() or char == " "
            cells[first + offset] = (char, role if is_name else "track")
    return cells


def _cells(view: TimelineView, axis: TimeAxis, phase: Phase, per_cell: int) -> tuple[int, int]:
    first = cell_of(view, axis, phase.start_ns, per_cell)
    after = cell_of(view, axis, phase.end_ns, per_cell)
    if phase is view.timeline.phases[-1]:
        after += 1
    return first, after


def mark_cells(
    view: TimelineView, axis: TimeAxis, width: int, per_cell: int, glyphs: Glyphs
) -> list[Span]:
    """A sign at the begin of each mark, its word where there is room, and a line to its end."""
    cells: list[Span] = [NO_MARK] * width
    sign, line = ("^", "-") if glyphs.is_ascii else ("▲", "━")
    places: list[tuple[int, int, Mark]] = []
    for mark in view.timeline.marks:
        first = cell_of(view, axis, mark.start_ns, per_cell)
        last = cell_of(view, axis, mark.end_ns, per_cell)
        if last >= 0 and first < width:
            places.append((max(first, 0), min(max(last, first), width - 1), mark))
    # Lines first, so that no line covers a sign, then signs, then words where nothing stands.
    for first, last, _ in places:
        for x in range(first, last + 1):
            cells[x] = (line, "track")
    for first, _, mark in places:
        cells[min(first, width - 1)] = (sign, mark_role(mark))
    for first, _, mark in places:
        word = f" {MARK_WORDS[mark.kind]} "
        start = first + 1
        if start + len(word) > width:
            start = first - len(word)
        stretch = range(start, start + len(word))
        if start < 0 or any(cells[x][0] == sign or cells[x][1] == "soft" for x in stretch):
            continue
        for x, char in zip(stretch, word, strict=True):
            cells[x] = (char, "soft")
    return cells


def mark_role(mark: Mark) -> str:
    """The colour role of a mark."""
    if mark.kind == "error":
        return "bad"
    return "warn" if mark.is_trouble else "soft"


def trouble_cells(
    marks: Sequence[Mark], view: TimelineView, axis: TimeAxis, width: int, per_cell: int
) -> dict[int, set[str]]:
    """Cells with problems, each with the curves that show them; ``*`` is all."""
    found: dict[int, set[str]] = {}
    for mark in marks:
        if not mark.is_trouble or mark.kind == "error":
            continue
        first = max(cell_of(view, axis, mark.start_ns, per_cell), 0)
        last = min(cell_of(view, axis, mark.end_ns, per_cell), width - 1)
        names = mark.series if mark.kind == "slow" else ("*",)
        for x in range(first, last + 1):
            found.setdefault(x, set()).update(names)
    return found


def tick_cells(axis: TimeAxis, unit: AxisUnit, width: int, per_cell: int) -> list[Span]:
    """Times, or numbers of tokens, at round distances."""
    cells: list[Span] = [NO_MARK] * width
    scale = TOKEN_STEPS if unit == "token" else 1_000_000_000
    span = axis.bin_ns * axis.count / scale
    step = tick_step(span, max(width // 12, MIN_TICKS))
    if unit == "token":
        step = max(round(step), 1)
    first = math.ceil(axis.start_ns / scale / step - 1e-9)
    for number in range(first, first + width):
        place = round(number * step * scale)
        x = axis.bin_of(place) // per_cell
        if x >= width:
            break
        label = tick_label(number * step, step, unit)
        start = x if x + len(label) <= width else width - len(label)
        if start < 0 or any(cells[at][0] != " " for at in range(max(start - 1, 0), start)):
            continue
        for offset, char in enumerate(label):
            cells[start + offset] = (char, "dim")
    return cells


def tick_step(span: float, count: int) -> float:
    """A round distance that gives about so many ticks."""
    least = span / count
    if least <= 0:
        return 1.0
    for seconds in (60, 120, 300, 600, 900, 1800, 3600, 7200, 18000, 36000):
        if 30 < least <= seconds:
            return seconds
    power = 10.0 ** math.floor(math.log10(least))
    return next((m * power for m in (1, 2, 5) if m * power >= least), 10 * power)


def tick_label(value: float, step: float, unit: AxisUnit) -> str:
    if unit == "token":
        return f"{value:.0f}"
    return seconds(value, step)


def seconds(value: float, step: float = 0.1) -> str:
    """A time on the axis, as exact as its steps: ``12 s``, ``0.25 s``, ``4:10``."""
    if step >= 60 or abs(value) >= 600:
        sign = "-" if value < 0 else ""
        minutes, rest = divmod(round(abs(value)), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{sign}{hours}:{minutes:02}:{rest:02}" if hours else f"{sign}{minutes}:{rest:02}"
    digits = 0 if step >= 1 else 1 if step >= 0.1 else 2 if step >= 0.01 else 3
    return f"{value:.{digits}f} s"
