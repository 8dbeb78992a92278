"""Bars, histories of one row and three-row digits as spans."""

from __future__ import annotations

from collections.abc import Sequence

from tui.core.text.glyphs import Glyphs
from tui.widgets.kit.rows import Row, Span

WARM_C, HOT_C = 70.0, 85.0
BRAILLE = 0x2800
LEFT_DOTS, RIGHT_DOTS = (0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08)
"""Bits of the dots of a braille cell, the lowest first (Unicode 15.0, section 21.1)."""


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
    """Shares of 1 side by side on one track, each in its role. Every second one is dashed: they
    are told apart without colours too."""
    spans: list[Span] = []
    used = 0
    total = 0.0
    for number, (share, role) in enumerate(parts):
        total += max(0.0, share)
        end = min(width, round(total * width))
        if end > used:
            spans.append(((glyphs.bar_full, glyphs.bar_dashed)[number % 2] * (end - used), role))
            used = end
    if used < width:
        spans.append((glyphs.bar_track * (width - used), "track"))
    return tuple(spans)


def values_in(width: int, glyphs: Glyphs) -> int:
    """How many values a history of ``width`` cells shows."""
    return width if glyphs.is_ascii else 2 * width


def spark(
    values: Sequence[float | None],
    width: int,
    glyphs: Glyphs,
    *,
    top: float | None = None,
    role: str = "soft",
) -> Row:
    """The last values as a line of one row, from 0 to ``top`` (their own maximum if None): as many
    as :func:`values_in` says. What is steady is a thin line, not a solid block.

    A missing value is a blank, so that a gap in the record is seen as one.
    """
    room = values_in(width, glyphs)
    last = list(values)[-room:] if room > 0 else []
    known = [value for value in last if value is not None]
    ceiling = top or max(known, default=0.0)
    levels = [None if value is None else _level(value, ceiling, glyphs) for value in last]
    levels = [*[None] * (room - len(levels)), *levels]
    if glyphs.is_ascii:
        return (("".join(" " if n is None else glyphs.levels[n] for n in levels), role),)
    return (("".join(map(_dots, levels[::2], levels[1::2])), role),)


def _level(value: float, ceiling: float, glyphs: Glyphs) -> int:
    share = value / ceiling if ceiling > 0 else 0.0
    return int(min(1.0, max(0.0, share)) * (len(glyphs.levels) - 1) + 0.5)


def _dots(left: int | None, right: int | None) -> str:
    bits = (0 if left is None else LEFT_DOTS[left]) | (0 if right is None else RIGHT_DOTS[right])
    return chr(BRAILLE + bits) if bits else " "


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
