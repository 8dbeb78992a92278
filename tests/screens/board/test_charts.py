"""The charts of the board screen: their windows, columns, crosshair and repaints."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from textual.pilot import Pilot

from tests.screens.board.looking import NARROW, WIDE, look, settled
from tests.screens.board.prepared import BOARDS, NS, START_NS, prepared
from tui.core.text import format as fmt
from tui.core.text.glyphs import UNICODE
from tui.screens.board import BoardScreen
from tui.widgets.board.chart import Chart
from tui.widgets.board.chart_column import ChartColumn
from tui.widgets.kit.rows import Rows


def test_wide_shows_every_chart_and_the_facts() -> None:
    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        text = await settled(pilot)
        for words in ("NPU load", "DDR", "clocks", "heat", "RAM", "tok/s", "asked", "-10 min"):
            assert words in text
        for words in ("why slow", "seen", "tee", "that DDR allows", "assuming", "another model"):
            assert words in text
        assert "shrinks by" in text
        assert len([chart for chart in screen.query(Chart) if chart.display]) == 6

    look(prepared(seconds=520), check)


@pytest.mark.slow
def test_narrow_shows_one_chart_and_steps_through_them() -> None:
    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        titles = []
        for _ in range(6):
            shown = [chart.id for chart in screen.query(Chart) if chart.display]
            assert len(shown) == 1
            titles += shown
            await pilot.press("l")
            await pilot.pause()
        assert len(set(titles)) == 6
        await pilot.press("h")
        await pilot.pause()
        assert [chart.id for chart in screen.query(Chart) if chart.display] == titles[-1:]
        sparks = screen.query_one("#board-sparks", Rows)
        assert any("\u2800" < char <= "\u28ff" for char in sparks.render_line(1).text)
        await pilot.press("pagedown")
        assert "RAM forecast" in await settled(pilot)

    look(prepared(), check, NARROW)


def test_all_charts_have_answers_in_the_same_columns() -> None:
    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        await settled(pilot)
        bands = set()
        for chart in screen.query(Chart):
            first, *rest = chart.render_line(2)
            columns: list[int] = []
            at = len(first.text)
            for segment in rest:
                if segment.style and first.style and segment.style.bgcolor != first.style.bgcolor:
                    columns += range(at, at + len(segment.text))
                at += len(segment.text)
            bands.add(tuple(columns))
        assert len(bands) == 1
        assert len(bands.pop()) > 20

    look(prepared(), check)


@pytest.mark.slow
def test_time_can_be_shorter_and_longer() -> None:
    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        await pilot.press("plus")
        assert "-5 min" in await settled(pilot)
        await pilot.press("plus", "plus", "plus")
        assert "-45 s" in await settled(pilot)
        await pilot.press(*["minus"] * 5)
        assert "-10 min" in await settled(pilot)

    look(prepared(), check)


def test_the_window_is_what_is_known_rounded_up() -> None:
    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        assert "-45 s" in await settled(pilot)
        assert "-1 min" in await settled(pilot)
        board.sees(70, BOARDS["whole"](70), None)
        board.now_ns = START_NS + 71 * NS
        screen.redraw()
        assert "-2 min" in await settled(pilot)

    board = prepared(seconds=40)
    board.now_ns = START_NS + 41 * NS
    look(board, check)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_crosshair_reads_every_curve_at_one_moment(size: tuple[int, int]) -> None:
    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        now = await settled(pilot)
        assert "600" in now or size == NARROW
        await pilot.press(*["shift+left"] * 3)
        earlier = await settled(pilot)
        assert earlier != now
        at_ns = screen.query_one(ChartColumn).cursor_ns
        assert at_ns is not None
        assert f"-{fmt.clock((board.now_ns - at_ns) / NS)}" in earlier
        await pilot.click(next(chart for chart in screen.query(Chart) if chart.display), (20, 2))
        await pilot.pause()
        clicked_ns = screen.query_one(ChartColumn).cursor_ns
        assert clicked_ns is not None
        assert clicked_ns < at_ns
        await pilot.press("escape")
        assert await settled(pilot) == now
        assert pilot.app.screen is screen

    board = prepared(seconds=520)
    board.now_ns = START_NS + 520 * NS
    look(board, check, size)


def test_a_chart_is_drawn_again_only_when_a_bin_is_complete() -> None:
    board = prepared()

    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        before = [chart.draws for chart in screen.query(Chart)]
        for _ in range(3):
            screen.redraw()
        assert [chart.draws for chart in screen.query(Chart)] == before
        board.now_ns += 30 * NS
        screen.redraw()
        assert all(
            chart.draws == count + 1
            for chart, count in zip(screen.query(Chart), before, strict=True)
        )

    look(board, check)


def test_what_changes_below_is_not_painted() -> None:
    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        app = pilot.app
        below = app.screen_stack[0]
        rows = Rows(UNICODE)
        await below.mount(rows)
        await pilot.pause()
        with patch.object(app, "_display", wraps=app._display) as display:
            for number in range(5):
                rows.show([((str(number), "text"),)])
                await pilot.pause(0.05)
        assert display.call_count <= 1

    look(prepared(seconds=5), check)


@pytest.mark.slow
def test_without_colours_letters_tell_curves_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        assert "SSSSS" in await settled(pilot)

    monkeypatch.setenv("NO_COLOR", "1")
    look(prepared(), check)
