"""What partial updates leave behind: nothing that only the garbage collector could free."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.kit.lean_screen import LeanScreen


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
        for row in (one, other):
            render = row.render_lines

            def noted(
                crop: Region,
                row: Counting = row,
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


def _strips() -> int:
    return sum(isinstance(thing, Strip) for thing in gc.get_objects())
