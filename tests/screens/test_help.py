"""The help: folded to any width, the screen it was asked for on first, and no key forgotten."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

import pytest

from tui.core.screen.keymap import Place, help_sections
from tui.core.screen.keys.table import ACTIONS, default_keys
from tui.screens.help import help_rows
from tui.widgets.kit.rows import Row, row_width


def text(row: Row) -> str:
    return "".join(part for part, _ in row)


@pytest.mark.parametrize("width", [30, 34, 48, 74])
def test_no_word_is_cut_at_any_width(width: int) -> None:
    rows = help_rows(default_keys(), "1.2.3", width=width)
    assert max(map(row_width, rows)) <= width
    words = " ".join(" ".join(map(text, rows)).split())
    assert "in npulse board" in words
    assert "and 99 of 100, are shorter" in words


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
    shown = [text(row) for row in help_rows({**default_keys(), "board": "f9"}, "1.2.3", place)]
    titles = [above for blank, above in pairwise(shown) if not blank]
    assert titles[:2] == ["on every screen", title]
    assert {"chat", "the board (F9)", "benchmarks (F3)", "words and figures"} <= set(shown)


def test_a_key_that_is_bound_anew_is_told_anew() -> None:
    keymap = {**default_keys(), "board.copy": "x,f8", "board.up": "w", "bench.pause": "z"}
    shown = [" ".join(text(row).split()) for row in help_rows(keymap, "1.2.3", "board")]
    assert "x, F8 copy its command" in shown
    assert "w, Down from finding to finding" in shown
    assert "z pause and resume the run" in shown


@pytest.mark.parametrize("place", get_args(Place))
def test_every_action_is_told(place: Place) -> None:
    told = [line for _, lines in help_sections(default_keys(), place) for _, line in lines]
    assert {key.help_line for key in ACTIONS} <= set(told)
