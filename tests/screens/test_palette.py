"""Ctrl+P and the themes: typed, chosen, run; a theme is seen before it is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from tests.app.prepared_app import PreparedApp, appearance
from tests.widgets.rows_text import row_text
from tui.app.themes import load_themes
from tui.core.screen.colours import DEPTHS
from tui.core.screen.commands import Command, find
from tui.core.text.glyphs import ASCII, UNICODE, Glyphs
from tui.screens.palette import PaletteScreen, command_lines
from tui.screens.theme_chooser import ThemeList, ThemeScreen, theme_row
from tui.settings.state import Chosen
from tui.widgets.kit.choice_list import ChoiceList
from tui.widgets.kit.rows import row_width

COMMANDS = [
    Command("a", "stop at the end of this paragraph; again: cancel", "Alt+S", "answer"),
    Command("b", "new line in the prompt", "Shift+Enter, Ctrl+J, Alt+Enter", "prompt"),
    Command("c", "quit", "Ctrl+Q", "npulse"),
]


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("width", [32, 70])
def test_each_line_has_its_key_at_the_right_edge(width: int, glyphs: Glyphs) -> None:
    lines = command_lines(find("", COMMANDS), width, glyphs, is_grouped=True)
    rows = [line.row for line in lines if line.number is not None]
    assert [row_width(row) for row in rows] == [width - 2] * 3
    assert [row[-1][0] for row in rows] == ["Alt+S", "Shift+Enter", "Ctrl+Q"]
    assert [line.row[0][0] for line in lines if line.row and line.number is None] == [
        "answer",
        "prompt",
        "npulse",
    ]


async def test_what_is_typed_counts_before_the_enter_that_follows_it(tmp_path: Path) -> None:
    app = PreparedApp(appearance(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p", "h", "i", "g", "h", "space", "c", "o", "n", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ThemeScreen)
        await pilot.press("escape", "ctrl+p", "ctrl+p")
        await pilot.pause()
        assert app.screen_stack == [app.dashboard]


async def test_keys_go_over_headings_and_around(tmp_path: Path) -> None:
    app = PreparedApp(appearance(tmp_path))
    async with app.run_test(size=(40, 16)) as pilot:
        await pilot.press("ctrl+p")
        await pilot.pause()
        assert isinstance(app.screen, PaletteScreen)
        found = app.screen.query_one(ChoiceList)
        last = found.count - 1
        await pilot.press("up")
        assert found.chosen == last
        shown = [row_text(row) for row in found._rows]
        assert shown[-1].startswith(UNICODE.closed)
        await pilot.press("down", "pagedown", "pagedown", "pageup")
        assert 0 < found.chosen < last
        app.screen.query_one(Input).value = "zzzz"
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, PaletteScreen)


def test_a_line_says_what_can_be_seen_of_a_theme() -> None:
    told = {
        depth: [row_text(theme_row(theme, 54, UNICODE)) for theme in themes]
        for depth in DEPTHS
        if (themes := load_themes().at(depth))
    }
    assert all(UNICODE.square in line or "16 colours" in line for line in told["truecolor"])
    assert all("all alike" in line for line in told["none"])


@pytest.mark.slow
async def test_a_theme_is_shown_at_once_and_kept_by_enter_alone(tmp_path: Path) -> None:
    kept: list[str] = []
    app = PreparedApp(appearance(tmp_path))

    def remember(chosen: Chosen) -> None:
        kept.append(chosen.theme)

    app._remember = remember
    async with app.run_test(size=(120, 40)) as pilot:
        before = app.dashboard.styles.background
        await pilot.press("alt+v", "down", "down", "down")
        await pilot.pause()
        chosen = app.screen.query_one(ThemeList).chosen
        assert app.theme == list(app.available_themes)[chosen] != "npulse-dark"
        await pilot.pause()
        assert app.dashboard.styles.background != before
        await pilot.press("escape")
        await pilot.pause()
        assert app.theme == "npulse-dark"
        assert app.dashboard.styles.background == before
        assert kept == []
        await pilot.press("alt+v", "down", "enter")
        await pilot.pause()
        assert kept == [app.theme] != ["npulse-dark"]
