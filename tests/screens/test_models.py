"""F2: one list of servers and models; Enter lets one answer, and what is impossible is dim."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.screens.opened import Opened
from tests.widgets.rows_text import row_text
from tui.core.board.headroom import Fit, Verdict
from tui.core.screen.models_view import ModelsView, ServerModels
from tui.core.text.glyphs import UNICODE
from tui.core.types import ModelInfo
from tui.screens.models import ModelsScreen, model_line, model_rows, shortened
from tui.widgets.chat.key_bar import KeyBar

OWN, OTHER = "http://127.0.0.1:8021", "http://127.0.0.1:11434"
A, B, C = ModelInfo("a", is_loaded=True), ModelInfo("b", is_loaded=False), ModelInfo("c")
VIEW = ModelsView(
    (
        ServerModels(OWN, "RockchipLlama :8021", (A, B), True, "connected"),
        ServerModels("http://127.0.0.1:8080", "rkllama :8080"),
        ServerModels(OTHER, "Ollama :11434", (C,)),
    ),
    answering_name="a",
    answering="a answers the next prompt (loaded).",
    can_load=True,
    can_unload=True,
)
FITS = [Verdict("fits", "It fits.")] * 3


class Recorded:
    """Shows a view, and keeps what was asked for."""

    def __init__(self, view: ModelsView = VIEW) -> None:
        self.shown = view
        self.calls: list[tuple[object, ...]] = []

    def view(self) -> ModelsView:
        return self.shown

    def fit(self, url: str, model: ModelInfo) -> Verdict:
        return FITS[0]

    def look_around(self) -> None:
        self.calls.append(("look",))

    def use(self, url: str, name: str, is_forced: bool) -> None:
        self.calls.append(("use", url, name, is_forced))

    def load(self, url: str, name: str, is_forced: bool) -> None:
        self.calls.append(("load", url, name, is_forced))

    def unload(self, name: str | None) -> None:
        self.calls.append(("unload", name))

    def cancel(self) -> bool:
        return False


async def test_keys_go_to_the_marked_model_of_its_server() -> None:
    models = Recorded()
    app = Opened(lambda: ModelsScreen(models, UNICODE))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter", "down", "l", "l", "u", "up", "u", "up", "enter")
    assert models.calls == [
        ("look",),
        ("use", OWN, "a", False),
        ("load", OWN, "b", False),
        ("load", OWN, "b", True),
        ("unload", None),
        ("unload", "a"),
        ("use", OTHER, "c", False),
    ]


async def test_the_mark_stays_with_its_model_when_the_list_changes() -> None:
    models = Recorded()
    app = Opened(lambda: ModelsScreen(models, UNICODE))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("up")
        own, silent, other = VIEW.servers
        models.shown = replace(VIEW, servers=(other, own, silent))
        screen = app.screen
        assert isinstance(screen, ModelsScreen)
        screen.pull()
        await pilot.press("enter")
    assert models.calls[-1] == ("use", OTHER, "c", False)


@pytest.mark.parametrize(("can_load", "can_unload"), [(True, True), (False, True), (False, False)])
async def test_what_is_impossible_is_dim(can_load: bool, can_unload: bool) -> None:
    models = Recorded(replace(VIEW, can_load=can_load, can_unload=can_unload))
    app = Opened(lambda: ModelsScreen(models, UNICODE))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, ModelsScreen)
        screen.pull()
        (row,) = screen.query_one(KeyBar).build(80)
    roles = {text.strip(): role for text, role in row if text.strip()}
    assert (roles["load"] == "track") != can_load
    assert (roles["unload"] == "track") != can_unload
    assert roles["use"] == "dim"


def test_every_model_stands_where_a_click_on_it_looks() -> None:
    for width in (60, 76):
        rows = model_rows(VIEW, 0, FITS, width, UNICODE)
        for index, (_, model) in enumerate(VIEW.rows):
            row = rows[model_line(VIEW, index, width)]
            assert model.name in row_text(row).split()


def test_what_is_known_of_loading_is_told() -> None:
    rows = [row_text(row) for row in model_rows(VIEW, 0, FITS, 76, UNICODE)]
    words = {row.split()[-5]: row for row in rows if row.startswith("  ") and len(row.split()) > 4}
    assert "loaded" in "".join(row for row in rows if " a " in f" {row} ")
    assert "listed" in words
    assert any("a answers the next prompt (loaded)." in row for row in rows)
    problem = replace(VIEW, answering="Ollama has 3 models.", has_to_choose=True)
    told = [row for row in model_rows(problem, 0, FITS, 76, UNICODE) if "3 models" in str(row)]
    assert told[0][0][1] == "warn"


def test_a_long_name_keeps_both_ends() -> None:
    name = "Qwen3-4B-Instruct/Qwen3-4B-Instruct-2507-rk3588-w8a8-16k.rkllm"
    assert shortened(name, 30) == "Qwen3-4B-I…3588-w8a8-16k.rkllm"
    assert len(shortened(name, 30)) <= 30
    assert shortened("short", 30) == "short"


@pytest.mark.parametrize(
    ("fit", "word"), [("fits", "fits"), ("tight", "tight"), ("too large", "no"), ("unknown", "–")]
)
def test_each_row_says_whether_it_fits(fit: Fit, word: str) -> None:
    fits = [Verdict("fits", ""), Verdict(fit, "Why."), Verdict("fits", "")]
    for width in (36, 60, 72):
        rows = [row_text(row) for row in model_rows(VIEW, 1, fits, width, UNICODE)]
        assert rows[1].rstrip().endswith("in RAM")
        assert max(len(row) for row in rows[:6]) <= width
        (row,) = [row for row in rows if f" {UNICODE.closed} " in f" {row}"]
        assert row.split()[-1] == word
        assert len(row.rstrip()) == width
        assert "Why." in rows
