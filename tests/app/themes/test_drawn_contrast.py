"""What is really drawn: each letter on the ground below it, in every theme and depth of colour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rich.color import Color, ColorType
from rich.style import Style
from textual._context import visible_screen_stack
from textual.pilot import Pilot
from textual.screen import ModalScreen, Screen

from tests.screens.test_snapshots import SCREENS, alone
from tui.app.palettes import MIN_CONTRAST
from tui.app.themes import LoadedTheme, load_themes
from tui.core.screen.colours import ColourDepth
from tui.core.screen.commands import commands_of
from tui.core.screen.explanations import Explanation
from tui.core.screen.keys.table import ACTIONS, default_keys
from tui.core.screen.xterm_colours import RGB, XTERM_16, contrast, nearest_256, parsed, xterm_rgb
from tui.core.text.glyphs import UNICODE
from tui.screens.explain import ExplainScreen
from tui.screens.palette import PaletteScreen
from tui.screens.theme_chooser import ThemeScreen

pytestmark = pytest.mark.slow

MADE: dict[str, tuple[Any, tuple[str, ...]]] = {
    **{
        name: SCREENS[name]
        for name in (
            "bench-chooser",
            "bench-result",
            "board",
            "dashboard-streaming",
            "help",
            "lab-matrix",
            "models",
            "settings",
            "timeline",
        )
    },
    "palette": (
        alone(lambda: PaletteScreen(commands_of(ACTIONS, default_keys()), UNICODE)),
        ("a", "n", "down"),
    ),
    "help-searched": (SCREENS["help"][0], ("slash", *"median", "enter")),
    "themes": (alone(lambda: ThemeScreen(lambda: "256 colours", UNICODE)), ("down",)),
    "explained": (
        alone(lambda: ExplainScreen("x", [Explanation("a", "1", "b", "c")], UNICODE)),
        (),
    ),
}
DEPTHS: tuple[ColourDepth, ...] = ("truecolor", "256", "16")


def _rgb(colour: Color | None, depth: ColourDepth) -> RGB | None:
    """What the terminal shows; None for its own two colours."""
    if colour is None or colour.type is ColorType.DEFAULT:
        return None
    if colour.type is ColorType.STANDARD:
        assert colour.number is not None
        return XTERM_16[colour.number]
    triplet = colour.get_truecolor()
    rgb = triplet.red, triplet.green, triplet.blue
    return xterm_rgb(nearest_256(rgb)) if depth == "256" else rgb


def _drawn(screen: Screen[Any]) -> Iterator[tuple[str, Style]]:
    """Texts with letters or digits, without what is dimmed below a dialog."""
    visible_screen_stack.set(screen.app._background_screens)
    area = screen.children[0].region if isinstance(screen, ModalScreen) else screen.region
    for y, strip in enumerate(screen._compositor.render_strips()):
        if area.y <= y < area.bottom or y == screen.size.height - 1:
            x = 0
            for segment in strip:
                is_inside = y == screen.size.height - 1 or area.x <= x < area.right
                if is_inside and any(char.isalnum() for char in segment.text):
                    yield segment.text, segment.style or Style()
                x += segment.cell_length


def _failures(
    screen: Screen[Any], theme: LoadedTheme, depth: ColourDepth
) -> Iterator[tuple[str, str, float]]:
    palette = theme.palettes.at(depth)
    # What is not possible now is told by its words elsewhere.
    inactive = None if palette.track.startswith("ansi") else parsed(palette.track)
    for text, style in _drawn(screen):
        front, back = _rgb(style.color, depth), _rgb(style.bgcolor, depth)
        if style.reverse:
            front, back = back, front
        if front is None and back is None:
            continue
        if front is None or back is None:
            yield text, f"{style}: one of two is the terminal's own", 0.0
        elif front != inactive and contrast(front, back) < MIN_CONTRAST:
            yield text, str(style).partition(" meta")[0], round(contrast(front, back), 2)


async def _show(pilot: Pilot[Any], theme: LoadedTheme, depth: ColourDepth) -> None:
    app = pilot.app
    for one in load_themes().at(depth):
        app.register_theme(one)
    if app.theme == theme.name:
        app._watch_theme(theme.name)
    else:
        app.theme = theme.name
    await pilot.pause()
    await pilot.pause()


@pytest.mark.parametrize("name", MADE)
async def test_every_letter_that_is_drawn_can_be_read(name: str) -> None:
    make, keys = MADE[name]
    themes = [theme for theme in load_themes().by_name.values() if not theme.at("truecolor").ansi]
    found: dict[str, list[tuple[str, str, float]]] = {}
    async with make().run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        for theme in themes:
            for depth in DEPTHS:
                await _show(pilot, theme, depth)
                failures = list(_failures(pilot.app.screen, theme, depth))
                if failures:
                    found[f"{theme.name} {depth}"] = failures[:5]
    assert found == {}
