"""Tab and Shift+Tab go through the dashboard in one order, also when a line has just come up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from tests.screens.board.prepared import prepared
from tests.screens.opened import Opened
from tests.screens.prepared_chat import PreparedBackend
from tui.core.screen.headline import Headline
from tui.core.screen.keys.table import default_keys
from tui.core.text.glyphs import UNICODE
from tui.screens.dashboard import Dashboard
from tui.widgets.chat.prompt import Prompt
from tui.widgets.chat.server_line import UrlField
from tui.widgets.transcript.transcript import Transcript


@asynccontextmanager
async def dashboard(headline: Headline) -> AsyncIterator[tuple[Dashboard, Pilot[None]]]:
    """Without a terminal; its panels show a prepared board."""
    made = Dashboard(
        PreparedBackend(prepared(), headline), UNICODE, default_keys(), lambda text, what: what
    )
    app = Opened(lambda: made)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        yield made, pilot


def focused(screen: Dashboard) -> type[object]:
    return type(screen.focused)


async def test_shift_tab_goes_back_where_tab_goes_on() -> None:
    async with dashboard(Headline(is_server_missing=True)) as (screen, pilot):
        screen.show_server()
        seen = [focused(screen)]
        for _ in range(3):
            await pilot.press("tab")
            seen.append(focused(screen))
        assert seen == [Prompt, Transcript, UrlField, Prompt]
        back = [focused(screen)]
        for _ in range(3):
            await pilot.press("shift+tab")
            back.append(focused(screen))
        assert back == seen[::-1]


async def test_a_line_that_has_just_come_up_does_not_catch_the_tab() -> None:
    """It has no place on screen yet, and stands behind the transcript all the same."""
    async with dashboard(Headline(is_server_missing=True)) as (screen, _):
        assert focused(screen) is Prompt
        screen.show_server()
        screen.focus_next()
        assert focused(screen) is Transcript
        screen.focus_next()
        assert focused(screen) is UrlField


async def test_where_a_server_answers_nothing_of_its_line_is_made() -> None:
    async with dashboard(Headline()) as (screen, pilot):
        screen.show_server()
        await pilot.press("tab")
        await pilot.press("tab")
        assert focused(screen) is Prompt
        assert not screen.query(UrlField)
