"""Opens the board screen on a prepared board and reads its cells."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from textual.pilot import Pilot
from textual.screen import Screen

from tests.screens.board.prepared import Prepared
from tests.screens.board.shown import Shown
from tui.core.text.glyphs import UNICODE, Glyphs
from tui.screens.board import BoardScreen

WIDE, NARROW = (120, 40), (80, 24)


def shown_text(screen: Screen[object]) -> str:
    """The cells of the whole screen."""
    lines = screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in lines)


async def settled(pilot: Pilot[None]) -> str:
    await pilot.pause()
    return shown_text(pilot.app.screen)


def look(
    board: Prepared,
    do: Callable[[Pilot[None], BoardScreen], Awaitable[None]],
    size: tuple[int, int] = WIDE,
    glyphs: Glyphs = UNICODE,
) -> None:
    """Open the screen on that board and do something with it."""

    async def run() -> None:
        async with Shown(board, glyphs=glyphs).run_test(size=size) as pilot:
            await pilot.pause()
            screen = pilot.app.screen
            assert isinstance(screen, BoardScreen)
            await do(pilot, screen)

    asyncio.run(run())
