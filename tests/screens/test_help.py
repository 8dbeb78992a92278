"""The help: folded to any width, the screen it was asked for on first, and no key forgotten."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from textual.binding import Binding, BindingType
from textual.screen import Screen

from tui.core.screen.keys import BENCH_KEYS, BOARD_KEYS, default_keys
from tui.screens.bench.chooser import BenchScreen
from tui.screens.bench.compare import BenchCompareScreen
from tui.screens.bench.live import BenchLiveScreen
from tui.screens.bench.request import BenchRequestScreen
from tui.screens.bench.result import BenchResultScreen
from tui.screens.board import BoardScreen
from tui.screens.help import Place, help_rows
from tui.widgets.kit.rows import Row, row_width

SHOWN = {"plus": "+", "minus": "-", "escape": "Esc", "pageup": "PageUp", "pagedown": "PageDown"}


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
    [("chat", "chat"), ("board", "the board (F9)"), ("bench", "benchmarks (F3)")],
)
def test_the_screen_that_is_open_comes_first(place: Place, title: str) -> None:
    shown = [text(row) for row in help_rows({**default_keys(), "board": "f9"}, "1.2.3", place)]
    assert shown[2] == title
    assert {"chat", "the board (F9)", "benchmarks (F3)", "words and figures"} <= set(shown)


def own_keys(bindings: Iterable[BindingType]) -> Iterable[str]:
    """The first key of each binding that is not the one which opens the screen."""
    for binding in bindings:
        assert isinstance(binding, Binding)
        key = binding.key.split(",")[0]
        if not key.startswith("f") or len(key) == 1:
            yield SHOWN.get(key, key if len(key) == 1 else key.capitalize())


@pytest.mark.parametrize(
    ("screen", "keys"),
    [
        (BenchScreen, BENCH_KEYS),
        (BenchLiveScreen, BENCH_KEYS),
        (BenchResultScreen, BENCH_KEYS),
        (BenchRequestScreen, BENCH_KEYS),
        (BenchCompareScreen, BENCH_KEYS),
    ],
)
def test_every_key_of_a_screen_is_told(
    screen: type[Screen[None]], keys: tuple[tuple[str, str], ...]
) -> None:
    told = {part.strip(",") for names, _ in keys for part in names.split()}
    assert set(own_keys(screen.BINDINGS)) <= told | {"PageUp", "PageDown"}


def test_every_key_of_the_board_is_one_of_the_table() -> None:
    bound = {b.id: b.key for b in BoardScreen.BINDINGS if isinstance(b, Binding)}
    assert bound == {"board": "f5"} | {key.action_id: key.keys for key in BOARD_KEYS}


def test_a_key_that_is_bound_anew_is_told_anew() -> None:
    rows = help_rows({**default_keys(), "board.copy": "x,f8", "board.up": "w"}, "1.2.3", "board")
    shown = [" ".join(text(row).split()) for row in rows]
    assert "x, F8 copy its command" in shown
    assert "w, Down from finding to finding" in shown
