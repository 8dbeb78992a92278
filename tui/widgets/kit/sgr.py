"""The SGR parameters of a style, in as many colours as the terminal has.

The renderer keeps what it made of a style in the style itself, whatever the colours were then. Here
that is kept for one depth of colour, and made anew where the depth changes.
"""

from __future__ import annotations

from rich.color import Color, ColorSystem, ColorType
from rich.console import Console
from rich.style import Style
from textual.strip import Strip

from tui.core.screen.colours import ColourDepth
from tui.core.screen.xterm_colours import nearest_256

MAX_KEPT = 4096
_REVERSE = "7"
_SYSTEMS: dict[ColourDepth, ColorSystem] = {
    "truecolor": ColorSystem.TRUECOLOR,
    "256": ColorSystem.EIGHT_BIT,
    "16": ColorSystem.STANDARD,
}


def color_system(depth: ColourDepth) -> ColorSystem | None:
    """The renderer's own name of a depth; None without colours."""
    return _SYSTEMS.get(depth)


def depth_of(console: Console) -> ColourDepth:
    """The depth that the renderer has found for itself."""
    found = console._color_system
    return next((depth for depth, system in _SYSTEMS.items() if system is found), "truecolor")


class Sgr:
    """Styles as SGR parameters (ECMA-48, 8.3.117): ``1;38;5;80``."""

    def __init__(self, depth: ColourDepth) -> None:
        self.depth: ColourDepth = depth
        self._kept: dict[int, tuple[Style, str]] = {}
        """By identity: a style is compared slower than it is found. Those kept stay alive."""

    def codes(self, style: Style) -> str:
        """What sets this style from the terminal's own."""
        kept = self._kept.get(id(style))
        if kept is None:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            kept = self._kept[id(style)] = style, self._made(style)
        return kept[1]

    def _made(self, style: Style) -> str:
        if self.depth == "none":
            return _without_colours(style)
        if self.depth == "256":
            style = style + Style(color=_in_256(style.color), bgcolor=_in_256(style.bgcolor))
        return Strip.render_ansi(_unkept(style), _SYSTEMS[self.depth])


def _unkept(style: Style) -> Style:
    """A style without what the renderer made of it before."""
    return style if style._ansi is None else style.copy()


def _in_256(colour: Color | None) -> Color | None:
    """Exactly the colour of a palette of 256; one that was blended becomes the nearest."""
    if colour is None or colour.type is not ColorType.TRUECOLOR or colour.triplet is None:
        return colour
    red, green, blue = colour.triplet
    return Color.from_ansi(nearest_256((red, green, blue)))


def _without_colours(style: Style) -> str:
    """Attributes alone. A ground is what is chosen: it is drawn in reverse."""
    attributes = Strip.render_ansi(_unkept(style.without_color), ColorSystem.STANDARD)
    ground = style.bgcolor
    if ground is None or ground.is_default or ground.type is ColorType.TRUECOLOR:
        return attributes
    if _REVERSE in attributes.split(";"):
        return attributes
    return f"{attributes};{_REVERSE}" if attributes else _REVERSE
