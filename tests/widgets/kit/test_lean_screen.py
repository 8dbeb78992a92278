"""A screen below a dialog or a full screen: what changed on it is drawn once, where it is seen."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from textual._context import visible_screen_stack
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from tests.waiting import until
from tui.widgets.kit.dimmed_screen import DimsBelow
from tui.widgets.kit.lean_screen import LeanScreen
from tui.widgets.kit.opaque_screen import OpaqueScreen

WIDTH, HEIGHT = 40, 12


class Rows(Widget):
    """Rows of which each is refreshed alone."""

    texts: tuple[str, ...] = ("one",) * HEIGHT

    def render_line(self, y: int) -> Strip:
        return Strip([Segment(self.texts[y].ljust(self.size.width))], self.size.width)

    def change(self, y: int, text: str) -> None:
        self.texts = (*self.texts[:y], text, *self.texts[y + 1 :])
        self.refresh(Region(0, y, WIDTH, 1))


class Below(LeanScreen):
    def compose(self) -> ComposeResult:
        yield Rows()


class Box(DimsBelow, ModalScreen[None]):
    DEFAULT_CSS = "Box { align: center middle; } Box Static { width: 10; height: 2; }"

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[Region, ...]] = []

    def compose(self) -> ComposeResult:
        yield Static("a box")

    def refresh(self, *regions: Region, **how: bool) -> Box:
        self.told.append(regions)
        return super().refresh(*regions, **how)


class BoxApp(App[None]):
    def get_default_screen(self) -> Below:
        return Below()


def seen(app: App[None]) -> list[str]:
    visible_screen_stack.set(app._background_screens)
    return [strip.text for strip in app.screen._compositor.render_strips()]


def has_changes(below: Below) -> bool:
    """Whether the dialog has yet to be told of a change, or to draw it."""
    top = below.app.screen
    is_told = below._telling is None and not below._compositor._dirty_regions
    return not is_told or bool(top._compositor._dirty_regions)


@pytest.mark.slow
async def test_each_change_below_is_told_once_and_shown() -> None:
    async with BoxApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        below = pilot.app.screen
        assert isinstance(below, Below)
        rows, box = below.query_one(Rows), Box()
        await pilot.app.push_screen(box)
        await pilot.pause()
        for y, text in ((0, "two"), (11, "three"), (1, "four")):
            # What was told of the change before has been drawn, and is not told again.
            await until(lambda: not has_changes(below))
            box.told.clear()
            rows.change(y, text)
            await until(lambda: any(box.told))
            await until(lambda: not has_changes(below))
            assert {region.y for regions in box.told for region in regions} == {y}
            assert seen(pilot.app)[y].rstrip() == text


async def test_the_screen_is_whole_when_the_box_is_closed() -> None:
    async with BoxApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        rows, box = pilot.app.screen.query_one(Rows), Box()
        await pilot.app.push_screen(box)
        await until(lambda: "a box" in "".join(seen(pilot.app)))
        rows.change(3, "changed below")
        await pilot.pause()
        assert "a box" in "".join(seen(pilot.app))
        box.dismiss()
        whole = [*["one"] * 3, "changed below", *["one"] * (HEIGHT - 4)]
        await until(lambda: [line.rstrip() for line in seen(pilot.app)] == whole)


async def test_rows_of_another_width_are_made_anew() -> None:
    """Those that are kept, too: a dialog is laid out before the screen below has said anything."""
    async with BoxApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        box = Box()
        await pilot.app.push_screen(box)
        await until(lambda: seen(pilot.app) and box._dimmed_rows)
        kept = dict(box._dimmed_rows or {})
        await pilot.resize_terminal(WIDTH + 20, HEIGHT)
        await until(lambda: box.size.width == WIDTH + 20)
        box._dimmed_rows = kept
        assert {len(line) for line in seen(pilot.app)} == {WIDTH + 20}


class CountedRows(Rows):
    """Counts how often any of its rows is painted."""

    painted = 0

    def render_lines(self, crop: Region) -> list[Strip]:
        self.painted += 1
        return super().render_lines(crop)


class Full(OpaqueScreen):
    def compose(self) -> ComposeResult:
        yield CountedRows()


@pytest.mark.slow
async def test_a_full_screen_is_not_painted_for_changes_below_it() -> None:
    async with BoxApp().run_test(size=(WIDTH, HEIGHT)) as pilot:
        below = pilot.app.screen
        assert isinstance(below, Below)
        await pilot.app.push_screen(Full())
        on_top = pilot.app.screen.query_one(CountedRows)
        await until(lambda: on_top.painted > 0 and not has_changes(below))
        on_top.painted = 0
        for y in (0, HEIGHT - 1):
            below.query_one(Rows).change(y, "two")
            await pilot.pause()
            await until(lambda: not has_changes(below))
        assert on_top.painted == 0
        on_top.change(0, "three")
        await until(lambda: on_top.painted > 0)
