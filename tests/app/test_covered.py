"""The dashboard below other screens, between two answers, and as the app ends."""

from __future__ import annotations

from pathlib import Path

from tests.app.prepared_app import NothingKept, PreparedApp, appearance
from tests.screens.snapshot import picture
from tests.waiting import until
from tui.core.types import DoneDelta, FinishDelta
from tui.widgets.kit.lean_screen import LeanScreen


def end_answer(app: PreparedApp) -> None:
    turn = app.prepared.chat.turn
    assert turn is not None
    turn.feed(app.prepared.chat.now_ns, [FinishDelta("stop"), DoneDelta()])


def top_line(app: PreparedApp) -> str:
    return picture(app.screen).split("\n")[0]


def is_seen(screen: object) -> bool:
    assert isinstance(screen, LeanScreen)
    return not screen.is_covered


async def test_an_answer_that_ends_as_the_next_prompt_comes_is_drawn_and_listed_at_once(
    tmp_path: Path,
) -> None:
    app = NothingKept(appearance(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(*"one", "enter")
        end_answer(app)
        # No frame is drawn in between.
        assert app.dashboard.conversation.ask("two")
        await until(lambda: [one.prompt for one in app._last_answers.answers] == ["one"])
        await pilot.pause()
        first, second = app.dashboard._parts.transcript.turns
        assert first.state == "done"
        assert first.footer
        assert second.is_live


async def test_what_is_covered_is_not_drawn_and_is_up_to_date_when_it_is_seen_again(
    tmp_path: Path,
) -> None:
    app = PreparedApp(appearance(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        dashboard = app.dashboard
        assert is_seen(dashboard)
        await pilot.press("f5")
        await until(lambda: app.screen is not dashboard and not is_seen(dashboard))
        board = app.screen
        app.prepared.has_server = False
        dashboard.show_board()
        await pilot.press("f1")
        await until(lambda: app.screen not in (dashboard, board))
        assert not is_seen(dashboard)
        await pilot.press("escape")
        await until(lambda: app.screen is board)
        await pilot.press("f5")
        await until(lambda: app.screen is dashboard and is_seen(dashboard))
        assert not is_seen(board)
        await until(lambda: "ready" not in top_line(app), shown=lambda: top_line(app))


async def test_what_was_read_while_the_app_ends_is_no_error(tmp_path: Path) -> None:
    app = NothingKept(appearance(tmp_path))
    async with app.run_test(size=(120, 40)):
        dashboard = app.dashboard
        await dashboard.query("#conversations").remove()
        assert dashboard.is_mounted
        dashboard.show_latest()
        assert not dashboard.query("#conversations")
