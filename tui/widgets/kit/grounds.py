"""Rows whose spans may have a background: a band of time, a crosshair, highlighted words.

A role may end with ``/`` and the name of a ground: ``soft/band``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.style import Style
from textual.color import Color

from tui.widgets.kit.rows import Row, Rows, Span, pad


class Ground(NamedTuple):
    """The theme's variable of the ground, how much of it is mixed into the background, and what is
    added so that it is seen without colours."""

    variable: str
    share: float
    style: Style = Style()
    plain: Style = Style()
    """Where there are sixteen colours, which have none that is only a little brighter."""


GROUNDS = {
    "band": Ground("track", 0.55),
    "trouble": Ground("warn", 0.16),
    "cursor": Ground("live", 0.22),
    "selected": Ground("live", 0.1, plain=Style(underline=True)),
    "found": Ground("live", 0.28, Style(bold=True), Style(reverse=True)),
    "lit": Ground("live", 0.28, Style(bold=True), Style(bold=True)),
    "token": Ground("live", 0.45, Style(bold=True, underline=True), Style(reverse=True)),
}


class GroundedRows(Rows):
    """Draws rows whose spans name a :class:`Ground`."""

    def style_of(self, role: str) -> Style:
        """The theme's style of a role, on its ground where it names one."""
        plain, has_ground, name = role.partition("/")
        style = super().style_of(plain)
        if not has_ground:
            return style
        found = self._styles.get(role)
        if found is None:
            ground = GROUNDS[name]
            colour = Color.parse(self.app.theme_variables[ground.variable])
            if colour.ansi is None:
                colour = self.background_colors[1].blend(colour, ground.share)
                found = style + ground.style + Style(bgcolor=colour.rich_color)
            else:
                found = style + ground.plain
            self._styles[role] = found
        return found


def on_ground(row: Row, ground: str, width: int) -> Row:
    """The row on one ground up to ``width`` cells. What is dim elsewhere is too dim there."""
    return tuple(
        (text, f"{'soft' if role == 'dim' else role}/{ground}") for text, role in pad(row, width)
    )


def indented(row: Row) -> Row:
    """The row one cell to the right, with its ground below that cell too."""
    if not row:
        return row
    _, has_ground, name = row[0][1].partition("/")
    return ((" ", f"text/{name}" if has_ground else "text"), *row)


def on_grounds(cells: Sequence[Span], grounds: Sequence[str]) -> Row:
    """One span a cell, each with the name of its ground (or nothing), as the fewest spans."""
    spans: list[Span] = []
    last = ""
    text: list[str] = []
    for (char, role), ground in zip(cells, grounds, strict=True):
        name = f"{role}/{ground}" if ground else role
        if name != last and text:
            spans.append(("".join(text), last))
            text = []
        last = name
        text.append(char)
    if text:
        spans.append(("".join(text), last))
    return tuple(spans)
