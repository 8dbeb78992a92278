"""The help: folded to any width, the screen it was asked for on first, and no key forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import get_args

import pytest

from tests.screens.opened import Opened
from tests.widgets.rows_text import row_text
from tui.core.screen.keymap import Place, help_sections
from tui.core.screen.keys.table import ACTIONS, default_keys
from tui.core.text.glyphs import UNICODE
from tui.screens.help import HelpRows, HelpScreen
from tui.screens.help_text import TWO_COLUMNS, HelpText
from tui.widgets.kit.rows import Row, row_width


def help_rows(keymap: Mapping[str, str], place: Place = "chat", width: int = 74) -> list[Row]:
    return HelpText(keymap, "1.2.3", place).lay_out(width).rows


@pytest.mark.parametrize("width", [30, 34, 48, 74, TWO_COLUMNS, 126])
def test_no_word_is_cut_at_any_width(width: int) -> None:
    rows = help_rows(default_keys(), width=width)
    assert max(map(row_width, rows)) <= width
    if width < TWO_COLUMNS:
        words = " ".join(" ".join(map(row_text, rows)).split())
        assert "in npulse board" in words
        assert "and 99 of 100, are shorter" in words
    lines = {part.strip() for row in rows for part, _ in row}
    assert all(key in lines for key in ("Ctrl+R", "F5", "TTFT"))


@pytest.mark.parametrize(
    ("place", "title"),
    [
        ("chat", "chat"),
        ("board", "the board (F9)"),
        ("ram", "RAM calculator (c)"),
        ("bench", "benchmarks (F3)"),
        ("models", "models (F2)"),
        ("settings", "settings (F6)"),
        ("help", "help (F1)"),
    ],
)
def test_the_screen_that_is_open_comes_first(place: Place, title: str) -> None:
    shown = [row_text(row) for row in help_rows({**default_keys(), "board": "f9"}, place)]
    titles = [above for blank, above in pairwise(shown) if not blank]
    assert titles[:2] == ["on every screen", title]
    assert {"chat", "the board (F9)", "benchmarks (F3)", "words and figures"} <= set(shown)


def test_a_key_that_is_bound_anew_is_told_anew() -> None:
    keymap = {**default_keys(), "board.copy": "x,f8", "board.up": "w", "bench.pause": "z"}
    shown = [" ".join(row_text(row).split()) for row in help_rows(keymap, "board")]
    assert "x, F8 copy its command" in shown
    assert "w, Down from finding to finding" in shown
    assert "z pause and resume the run" in shown


@pytest.mark.parametrize("place", get_args(Place))
def test_every_action_is_told(place: Place) -> None:
    told = [line for _, lines in help_sections(default_keys(), place) for _, line in lines]
    assert {key.help_line for key in ACTIONS} <= set(told)


def test_in_two_columns_the_open_screen_stands_at_the_top_of_the_second() -> None:
    rows = [row_text(row) for row in help_rows(default_keys(), "board", width=126)]
    assert rows[2].startswith("on every screen")
    assert rows[2].rstrip().endswith("the board (F5)")
    assert len(rows) < 0.7 * len(help_rows(default_keys(), "board"))


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
async def test_what_is_searched_for_comes_into_sight(size: tuple[int, int]) -> None:
    app = Opened(lambda: HelpScreen(default_keys(), "1.2.3", UNICODE))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        box = app.screen.query_one("#help-box")
        rows = app.screen.query_one(HelpRows)
        await pilot.press("slash", *"median", "enter")
        await pilot.pause()
        assert rows.row is not None
        assert box.scroll_y <= rows.row < box.scroll_y + box.size.height
        assert "median" in row_text(rows._rows[rows.row])
        first, count = rows.at, len(rows.found)
        assert count > 1
        await pilot.press("n")
        assert rows.at == first + 1
        await pilot.press("N", "N")
        assert rows.at == count - 1
        await pilot.press("escape")
        assert rows.found == []
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("slash", "q", "n", "escape", "q")
        await pilot.pause()
        assert not isinstance(app.screen, HelpScreen)


def test_a_key_that_is_bound_anew_is_found() -> None:
    found = HelpText({**default_keys(), "board": "ctrl+k"}, "1.2.3", "chat")
    assert found.find("ctrl+k")
    assert not found.find("no such words")
    assert found.find("  ") == []
