"""The screen of all boards, at three sizes; its keys, and the way to a board."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.screens.fleet.prepared import BOARDS, PreparedFleet
from tests.screens.opened import Opened
from tests.widgets.rows_text import row_text
from tui.core.screen.headline import Headline
from tui.core.text.glyphs import ASCII, UNICODE
from tui.screens.fleet import FleetScreen
from tui.widgets.fleet.rows import fleet_rows, title_row
from tui.widgets.kit.rows import row_width


@pytest.mark.parametrize("size", [(80, 20), (120, 36), (200, 46), (40, 6)])
def test_every_board_with_what_is_wrong_first(size: tuple[int, int]) -> None:
    rows = fleet_rows(BOARDS, 0, size, UNICODE)
    assert len(rows) <= size[1]
    assert max(map(row_width, rows)) <= size[0]
    lines = [row_text(row) for row in rows]
    if size[0] >= 80:
        assert [row[3:19].split()[0] for row in lines[1:5]] == [
            "cellar",
            "attic",
            "garage",
            "kitchen",
        ]
        assert "RAM: 307" in lines[1]
        assert "3.13" in lines[4]
        assert "86 %" in lines[4]
    assert "2 of 4 need attention" in row_text(title_row(BOARDS, max(size[0], 60)))


def test_without_boards_it_says_how_to_name_them() -> None:
    text = "\n".join(map(row_text, fleet_rows((), 0, (80, 20), UNICODE)))
    assert '   [boards]\n   kitchen = "ssh://' in text


def test_a_board_that_works_on_a_run_says_so_where_nothing_is_wrong() -> None:
    rows = tuple(replace(row, work="bench 24 done, now n7  0:05") for row in BOARDS)
    lines = [row_text(row) for row in fleet_rows(rows, 3, (120, 20), UNICODE)]
    assert lines[4].rstrip().endswith("bench 24 done, now n7  0:05")
    assert "bench 24 done" in lines[7]
    assert "RAM: 307 MiB left" in lines[1]
    assert "bench" not in lines[1]
    # The line below the table has room for both.
    lines = [row_text(row) for row in fleet_rows(rows, 0, (120, 20), UNICODE)]
    assert "RAM: 307 MiB left; bench 24 done" in lines[7]


async def test_the_chosen_board_stays_chosen_and_opens() -> None:
    fleet = PreparedFleet()
    opened: list[str] = []

    class App(Opened):
        def on_fleet_screen_open(self, event: FleetScreen.Open) -> None:
            opened.append(event.name)

    work = {"garage": "bench 2 done, now n7  0:05"}
    app = App(lambda: FleetScreen(fleet, lambda: Headline(), ASCII, lambda: work))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = app.screen
        assert isinstance(screen, FleetScreen)
        assert fleet.is_started
        await pilot.press("down", "j")
        assert screen.boards[screen.chosen].name == "garage"
        assert screen.boards[screen.chosen].work == work["garage"]
        fleet.boards = BOARDS[::-1]
        screen.look()
        assert screen.boards[screen.chosen].name == "garage"
        await pilot.press("enter")
        assert opened == ["garage"]
        await pilot.press("escape")
        assert app.screen is not screen
        await app.workers.wait_for_complete()
        assert fleet.is_closed
