"""Partial updates draw what has changed, ask nobody else, and leave nothing behind that only the
garbage collector could free."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest
from rich.segment import Segment
from textual._compositor import LayoutUpdate
from textual.app import App, ComposeResult
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from tui.widgets.kit.lean_screen import LeanScreen
from tui.widgets.kit.sgr import Sgr
from tui.widgets.kit.terminal_cells import TerminalCells


class Counting(Widget):
    """A row that is another one each time."""

    count = 0

    def render_line(self, y: int) -> Strip:
        return Strip([Segment(f"{self.count:05d}".ljust(self.size.width))], self.size.width)


class CountingScreen(LeanScreen):
    def compose(self) -> ComposeResult:
        yield Counting()


class CountingApp(App[None]):
    def get_default_screen(self) -> CountingScreen:
        return CountingScreen()


@pytest.mark.slow
async def test_a_row_that_was_replaced_frees_itself() -> None:
    async with CountingApp().run_test(size=(40, 3)) as pilot:
        row = pilot.app.screen.query_one(Counting)
        gc.collect()
        gc.disable()
        try:
            before = _strips()
            for _ in range(50):
                row.count += 1
                row.refresh()
                await pilot.pause()
            assert row.count == 50
            assert _strips() - before < 20
        finally:
            gc.enable()


class TwoRowsScreen(LeanScreen):
    DEFAULT_CSS = "Counting { height: 1; }"

    def compose(self) -> ComposeResult:
        yield Counting(id="one")
        yield Counting(id="other")


class TwoRowsApp(App[None]):
    def get_default_screen(self) -> TwoRowsScreen:
        return TwoRowsScreen()


async def test_only_the_widget_that_changed_is_asked_for_its_rows() -> None:
    async with TwoRowsApp().run_test(size=(40, 3)) as pilot:
        screen = pilot.app.screen
        one, other = screen.query_one("#one", Counting), screen.query_one("#other", Counting)
        drawn: list[str | None] = []
        for row in (one, other, screen):
            render = row.render_lines

            def noted(
                crop: Region,
                row: Widget = row,
                render: Callable[[Region], list[Strip]] = render,
            ) -> list[Strip]:
                drawn.append(row.id)
                return render(crop)

            row.render_lines = noted  # type: ignore[method-assign]
        await pilot.pause()
        drawn.clear()
        one.refresh()
        await pilot.pause()
        assert drawn
        assert set(drawn) == {"one"}


class OverlaidScreen(LeanScreen):
    DEFAULT_CSS = """
    OverlaidScreen { layers: below above; }
    OverlaidScreen Counting { height: 2; layer: below; }
    OverlaidScreen .above { width: 5; height: 1; offset: 3 1; layer: above; }
    """

    def compose(self) -> ComposeResult:
        yield Counting(id="below")
        yield Static("above", classes="above")


class OverlaidApp(App[None]):
    def get_default_screen(self) -> OverlaidScreen:
        return OverlaidScreen()


@pytest.mark.parametrize(
    "changed",
    [
        [Region(0, 0, 20, 1)],
        [Region(0, 0, 20, 1), Region(0, 0, 5, 2)],
        [Region(2, 0, 3, 1), Region(10, 0, 4, 1), Region(10, 1, 4, 1)],
        [Region(0, 1, 20, 1)],
        [Region(4, 1, 2, 1)],
    ],
)
async def test_what_changed_is_drawn_and_nothing_else(changed: list[Region]) -> None:
    async with OverlaidApp().run_test(size=(20, 2)) as pilot:
        compositor = pilot.app.screen._compositor
        below = pilot.app.screen.query_one("#below", Counting)
        cells, sgr = TerminalCells(), Sgr("truecolor")
        whole = compositor.render_full_update()
        assert isinstance(whole, LayoutUpdate)
        cells.changes(whole, Size(20, 2), sgr)
        below.count = 98765
        below._styles_cache.clear()
        compositor._dirty_regions.update(changed)
        update = compositor.render_partial_update()
        assert update is not None
        cells.changes(update, Size(20, 2), sgr)
        shown = ["".join(text for text, _ in runs) for runs in cells.shown()]
    expected = [list("00000".ljust(20)), list("00000".ljust(20))]
    for y, x in ((y, x) for one in changed for y in one.line_range for x in one.column_range):
        expected[y][x] = "98765".ljust(20)[x]
    expected[1][3:8] = "above"
    assert shown == list(map("".join, expected))


def _strips() -> int:
    return sum(isinstance(thing, Strip) for thing in gc.get_objects())
