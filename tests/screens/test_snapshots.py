"""Pictures of the screens, so that a change of what is drawn is seen in review.

``./dev test tests/screens --update-snapshots`` takes them anew. Data, clock, theme and size are
prepared, so a picture depends on the code alone.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.app import App

from tests.screens.board.prepared import prepared
from tests.screens.board.shown import Shown
from tests.screens.snapshot import assert_same


def board(name: str) -> Callable[[], App[None]]:
    return lambda: Shown(prepared(name))


SCREENS: dict[str, tuple[Callable[[], App[None]], tuple[str, ...]]] = {
    "board": (board("whole"), ()),
    "board-no-driver": (board("no driver"), ()),
    "board-readings": (board("whole"), ("r",)),
    "ram-calculator": (board("whole"), ("c",)),
}
"""How each screen is opened: the app, and the keys that are pressed in it."""


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
@pytest.mark.parametrize("name", SCREENS)
async def test_the_screen_is_as_it_was(
    name: str, size: tuple[int, int], pytestconfig: pytest.Config
) -> None:
    make, keys = SCREENS[name]
    app = make()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        columns, rows = size
        is_update = bool(pytestconfig.getoption("--update-snapshots"))
        await assert_same(f"{name}-{columns}x{rows}", pilot, is_update)
