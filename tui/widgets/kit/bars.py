"""Bars, sparks and three-row digits as spans."""

from __future__ import annotations

from collections.abc import Sequence

from tui.core.text.glyphs import Glyphs
from tui.widgets.kit.rows import Row, Span

WARM_C, HOT_C = 70.0, 85.0


def bar(share: float | None, width: int, glyphs: Glyphs, role: str = "ok") -> Row:
    """One thin line on a track: ``share`` of 1 in half cells. Unknown is an empty track."""
    halves = 0 if share is None else round(min(1.0, max(0.0, share)) * width * 2)
    full, half = divmod(halves, 2)
    spans: list[Span] = []
    if full:
        spans.append((glyphs.bar_full * full, role))
    if half:
        spans.append((glyphs.bar_half, role))
    if rest := width - full - half:
        spans.append((glyphs.bar_track * rest, "track"))
    return tuple(spans)


def stacked(parts: Sequence[tuple[float, str]], width: int, glyphs: Glyphs) -> Row:
    """Shares of 1 side by side on one track, each in its role."""
    spans: list[Span] = []
    used = 0
    total = 0.0
    for share, role in parts:
        total += max(0.0, share)
        end = min(width, round(total * width))
        if end > used:
            spans.append((glyphs.bar_full * (end - used), role))
            used = end
    if used < width:
        spans.append((glyphs.bar_track * (width - used), "track"))
    return tuple(spans)


def spark(
    values: Sequence[float | None],
    width: int,
    glyphs: Glyphs,
    *,
    top: float | None = None,
    role: str = "soft",
) -> Row:
    """The last ``width`` values as blocks, from 0 to ``top`` (their own maximum if None).

    A missing value is a blank, so that a gap in the record is seen as one.
    """
    last = list(values)[-width:]
    known = [value for value in last if value is not None]
    ceiling = top or (max(known) if known else 0.0)
    steps = glyphs.blocks
    cells = []
    for value in last:
        if value is None:
            cells.append(" ")
        elif ceiling <= 0:
            cells.append(steps[0])
        else:
            level = int(min(1.0, max(0.0, value / ceiling)) * (len(steps) - 1) + 0.5)
            cells.append(steps[level])
    return ((" " * (width - len(cells)) + "".join(cells), role),)


def digits(text: str, glyphs: Glyphs) -> tuple[str, str, str]:
    """``text`` (digits, point, ~ and –) in the three rows of the large figures."""
    rows = ["", "", ""]
    for char in text:
        shape = glyphs.digits.get(char, ("   ", "   ", "   "))
        for i in range(3):
            rows[i] += shape[i] + " "
    return rows[0], rows[1], rows[2]


def heat(temperature_c: float | None) -> tuple[str, str]:
    """Role and word of a SoC temperature; quiet while it is normal."""
    if temperature_c is None or temperature_c < WARM_C:
        return "text", ""
    return ("warn", "warm") if temperature_c < HOT_C else ("bad", "hot")
