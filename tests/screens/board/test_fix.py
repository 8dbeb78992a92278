"""The screen of a fix: question, progress, result, undo, card; nothing without its key."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from tests.screens.board.looking import NARROW, WIDE, settled
from tests.screens.board.prepared import PreparedBackend, prepared
from tests.screens.board.prepared_fixes import ASKING, GOVERNOR, RESULT, PreparedFixes
from tests.screens.opened import Opened
from tests.waiting import until
from tui.core.screen.board_fix import FixStage
from tui.core.text.glyphs import ASCII, UNICODE, Glyphs
from tui.screens.board import BoardScreen
from tui.screens.fix import FixScreen, fix_rows
from tui.widgets.kit.rows import row_width


def opened(fixes: PreparedFixes, glyphs: Glyphs = UNICODE) -> Opened:
    return Opened(lambda: FixScreen(fixes, glyphs))


async def shown(pilot: Pilot[None]) -> str:
    screen = pilot.app.screen
    assert isinstance(screen, FixScreen)
    screen.redraw()
    return await settled(pilot)


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_from_the_question_to_the_undo(size: tuple[int, int]) -> None:
    fixes = PreparedFixes()
    async with opened(fixes).run_test(size=size) as pilot:
        await pilot.pause()
        text = await shown(pilot)
        assert f"{GOVERNOR}: dmc_ondemand -> performance" in text
        assert f"{GOVERNOR}: performance -> dmc_ondemand" in text
        assert "Nothing is changed yet." in text
        # What another stage takes does nothing here.
        await pilot.press("u", "c")
        assert fixes.asked == []
        await pilot.press("y")
        assert "3 of 8 answers" in await shown(pilot)
        assert "before 2.10, after 3.20 3.21" in await shown(pilot)
        await pilot.press("y", "u", "c")
        assert fixes.asked == ["working"]
        fixes.finish()
        text = await shown(pilot)
        assert RESULT in text
        assert "It is in force." in text
        await pilot.press("c")
        assert "the card is in /somewhere" in await shown(pilot)
        await pilot.press("u")
        assert "dmc_ondemand again." in await shown(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(pilot.app.screen, FixScreen)
    assert fixes.asked == ["working", "in force", "card", "undone", "leave"]


async def test_escape_says_no() -> None:
    fixes = PreparedFixes()
    async with opened(fixes).run_test(size=NARROW) as pilot:
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(pilot.app.screen, FixScreen)
    assert fixes.asked == ["leave"]


async def test_escape_first_stops_what_runs() -> None:
    fixes = PreparedFixes(replace(ASKING, stage="working", total=8))
    async with opened(fixes).run_test(size=NARROW) as pilot:
        await pilot.press("escape")
        text = await shown(pilot)
        assert "everything is as it was before" in text
        assert isinstance(pilot.app.screen, FixScreen)
    assert fixes.asked == ["failed"]


async def test_escape_leaves_while_the_server_is_waited_for() -> None:
    fixes = PreparedFixes(replace(ASKING, stage="waiting", waits_for="the server answers first"))
    async with opened(fixes).run_test(size=NARROW) as pilot:
        assert "Waiting: the server answers first." in await shown(pilot)
        await pilot.press("escape")
        await until(lambda: not isinstance(pilot.app.screen, FixScreen))
    assert fixes.asked == ["failed", "leave"]


async def test_without_a_terminal_for_sudo_nothing_is_done() -> None:
    fixes = PreparedFixes(replace(ASKING, needs_password=True))
    async with opened(fixes).run_test(size=NARROW) as pilot:
        await pilot.press("y")
        assert "run npulse doctor --fix" in await settled(pilot)
    assert fixes.asked == []


@pytest.mark.parametrize("stage", ["asking", "waiting", "working", "in force", "undone", "failed"])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
@pytest.mark.parametrize("width", [12, 34, 60, 80])
def test_no_row_is_wider_than_the_box(stage: FixStage, glyphs: Glyphs, width: int) -> None:
    view = replace(
        ASKING, stage=stage, total=8, result=RESULT, title="t" * 200, waits_for="w " * 60
    )
    for row in fix_rows(view, width, glyphs):
        assert row_width(row) <= width
        assert all(cell_len(text) == len(text) for text, _ in row)


async def test_a_replay_says_why_nothing_is_fixed() -> None:
    def board() -> BoardScreen:
        backend = PreparedBackend(prepared(seconds=30))
        return BoardScreen(backend, lambda text, what: what, UNICODE, no_fix="this is a replay")

    async with Opened(board).run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("f")
        assert "this is a replay" in await settled(pilot)
