"""The bench screens with prepared views: what the keys do, and that everything is drawn."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from tests.screens.bench.app import BenchApp
from tests.screens.bench.prepared import BOARDS_RUN, OVER, RUN, VIEW, Prepared
from tests.screens.bench.prepared_results import COMPARISON, PAST, RESULT
from tui.bench.model.boards import Projection
from tui.bench.model.screen import BenchView, LiveText, RunWish
from tui.screens.bench.chooser import BenchScreen
from tui.screens.bench.compare import BenchCompareScreen
from tui.screens.bench.live import BenchLiveScreen
from tui.screens.bench.page import BenchPage
from tui.screens.bench.result import BenchResultScreen
from tui.widgets.kit.rows import Rows

SIZES = [(120, 40), (80, 24)]


def shown(app: BenchApp) -> str:
    """The screen as text, row by row."""
    width, height = app.size
    rows = app.screen._compositor.render_strips()
    text = "\n".join(strip.text.rstrip() for strip in rows)
    assert all(strip.cell_length <= width for strip in rows)
    assert len(rows) == height
    return text


def top(app: BenchApp) -> Screen[object]:
    return app.screen


def of(session: Prepared, what: str) -> list[tuple[object, ...]]:
    return [asked for asked in session.asked if asked[0] == what]


async def settled(pilot: Pilot[None]) -> str:
    await pilot.pause()
    assert isinstance(pilot.app, BenchApp)
    screen = pilot.app.screen
    assert isinstance(screen, BenchPage)
    screen.pull()
    await pilot.pause()
    return shown(pilot.app)


@pytest.mark.parametrize("size", SIZES)
async def test_choose_options_and_run(size: tuple[int, int]) -> None:
    session = Prepared()
    app = BenchApp(session)
    async with app.run_test(size=size) as pilot:
        said = await settled(pilot)
        assert "standard" in said
        assert "~34 min" in said
        assert "24 to 44 min" in said
        assert "earlier runs" in said
        assert "SIM" in said
        assert "3.15 tok/s" in said
        await pilot.press("down", "plus", "plus", "right", "plus", "right", "plus", "right")
        await pilot.press("4", "2")
        said = await settled(pilot)
        assert "runs  2 " in said
        assert "quick  on" in said
        assert "seed [42]" in said
        await pilot.press("enter")
        await pilot.pause()
        wish = RunWish("standard", runs=2, seed=42, is_quick=True, max_time_s=600.0)
        assert of(session, "start") == [("start", wish)]
        assert isinstance(top(app), BenchLiveScreen)


async def test_a_run_is_shared_out_to_the_boards_of_the_config() -> None:
    alone = replace(VIEW.suites[1], is_of_one_board=True)
    view = replace(VIEW, boards=("kitchen", "cellar"), suites=(VIEW.suites[0], alone))
    session = Prepared(view)
    app = BenchApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("left", "plus")
        said = await settled(pilot)
        assert "boards [all 2]" in said
        assert "prompts are shared out to kitchen, cellar" in said
        await pilot.press("down", "enter")
        assert "measures one board by itself" in await settled(pilot)
        await pilot.press("up", "enter")
        await pilot.pause()
        assert of(session, "start") == [("start", RunWish("prompts", is_of_boards=True))]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_run_on_many_boards_is_a_table_of_them(size: tuple[int, int]) -> None:
    app = BenchApp(Prepared(replace(VIEW, run=BOARDS_RUN)))
    async with app.run_test(size=size) as pilot:
        said = await settled(pilot)
        assert isinstance(top(app), BenchLiveScreen)
        for words in ("kitchen", "n7  0:05", "its connection was lost", "notes", "pause"):
            assert words in said
        for words in ("skip", "no request sent yet", "gates", "NPU"):
            assert words not in said


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_result_of_a_run_on_many_boards_has_a_page_of_them(
    size: tuple[int, int],
) -> None:
    document = msgspec.structs.replace(
        RESULT.document,
        boards=tuple(one.board for one in BOARDS_RUN.boards),
        projections=(Projection(prompts=5000, boards=2, hours=30.0),),
    )
    app = BenchApp(Prepared(replace(VIEW, result=replace(RESULT, document=document))))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("tab", "enter")
        assert "boards  2 of" not in await settled(pilot)
        await pilot.press("right")
        said = await settled(pilot)
        assert isinstance(top(app), BenchResultScreen)
        for words in ("boards  2 of", "kitchen", "was lost", "its connection was lost", "~30 h"):
            assert words in said
        assert "asked now" not in said
        await pilot.press("right")
        assert "kitchen" not in await settled(pilot)


async def test_a_refusal_is_said_and_nothing_opens() -> None:
    app = BenchApp(Prepared(refusal="an answer is running"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        assert "an answer is running" in await settled(pilot)
        assert isinstance(top(app), BenchScreen)


async def test_nothing_there_yet() -> None:
    app = BenchApp(Prepared(BenchView()))
    async with app.run_test(size=(80, 24)) as pilot:
        said = await settled(pilot)
        assert "no server answers yet" in said
        assert "none yet" in said
        await pilot.press("enter", "tab", "enter", "c", "r", "e", "up")
        assert isinstance(top(app), BenchScreen)


async def test_earlier_runs_are_opened_compared_and_gone_on_with() -> None:
    session = Prepared()
    app = BenchApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("tab", "r")
        assert "this run is complete" in await settled(pilot)
        await pilot.press("c", "down", "c")
        await pilot.pause()
        assert of(session, "compare") == [("compare", PAST[0].id, PAST[1].id, False)]
        assert isinstance(top(app), BenchCompareScreen)
        await pilot.press("escape", "e")
        assert of(session, "export") == [("export", PAST[1].id)]
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(top(app), BenchResultScreen)
        await pilot.press("escape", "r")
        await pilot.pause()
        assert of(session, "resume") == [("resume", PAST[1].id)]


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
async def test_a_run_that_goes_on_opens_by_itself(size: tuple[int, int]) -> None:
    session = Prepared(replace(VIEW, run=RUN))
    app = BenchApp(session)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        assert isinstance(top(app), BenchLiveScreen)
        said = await settled(pilot)
        for words in (
            "Ten prompts",
            "Technology Trends",
            "~61 of ≤ 256 tokens",
            "timeout idle",
            "statistics",
            "3.12 to 3.18",
            "98 97 – %",
            "71 °C",
            "1 to check",
            "内存带宽",
            "x abort",
        ):
            assert words in said, words
        await pilot.press("p", "s", "r", "e", "x")
        assert of(session, "abort") == []
        assert "x again" in shown(app) or "x again" in await settled(pilot)
        await pilot.press("x")
        assert [asked[0] for asked in session.asked if asked[0] != "look"] == [
            "pause",
            "skip",
            "retry",
            "export",
            "abort",
        ]
        session.say("report.md in ~/somewhere")
        assert "report.md in ~/somewhere" in await settled(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(top(app), BenchScreen)
        assert "is running" in await settled(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(top(app), BenchLiveScreen)
        await pilot.press("f3")
        await pilot.pause()
        assert len(app.screen_stack) == 1


@pytest.mark.slow
@pytest.mark.parametrize("size", [(50, 16), (69, 20), (100, 24), (160, 50)])
async def test_other_sizes_show_what_counts(size: tuple[int, int]) -> None:
    app = BenchApp(Prepared(replace(VIEW, run=RUN)))
    async with app.run_test(size=size) as pilot:
        said = await settled(pilot)
        for words in ("Ten prompts", "Technology Trends", "3.15", "x abort"):
            assert words in said, words
        await pilot.resize_terminal(120, 40)
        said = await settled(pilot)
        for words in ("2112 MHz", "own CPU", "bandwidth less", "timeout idle"):
            assert words in said, words


async def test_the_end_of_a_run_offers_its_results() -> None:
    session = Prepared(replace(VIEW, run=RUN))
    app = BenchApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        session.shown = replace(session.shown, run=OVER)
        said = await settled(pilot)
        assert "incomplete  Not everything was answered." in said
        assert "Enter results" in said
        await pilot.press("p", "s", "x", "x", "c")
        await pilot.pause()
        assert [a for a in session.asked if a[0] in ("pause", "skip", "abort")] == []
        assert of(session, "compare") == [("compare", PAST[1].id, RUN.run_id, False)]
        await pilot.press("escape", "enter")
        await pilot.pause()
        assert isinstance(top(app), BenchResultScreen)
        assert of(session, "open") == [("open", RUN.run_id)]


async def test_the_text_that_streams_is_shown_at_its_end() -> None:
    session = Prepared(replace(VIEW, run=RUN))
    app = BenchApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        text = ""
        for at in range(60):
            text += f"word{at} " * 3
            if at == 40:
                # The oldest part is dropped by whoever keeps it.
                kept = LiveText(1, text[300:], 300)
            elif at > 40:
                kept = LiveText(1, text[300:], 300)
            else:
                kept = LiveText(1, text)
            session.shown = replace(session.shown, run=replace(RUN, text=kept))
            if at % 10 == 9:
                assert f"word{at}" in await settled(pilot)
        session.shown = replace(session.shown, run=replace(RUN, text=LiveText(2, "a new one")))
        said = await settled(pilot)
        assert "a new one" in said
        assert "word59" not in said


@pytest.mark.parametrize("size", SIZES)
async def test_every_page_of_a_result(size: tuple[int, int]) -> None:
    session = Prepared()
    app = BenchApp(session, opens=False)
    async with app.run_test(size=size) as pilot:
        app.push_screen(BenchResultScreen(app.data, app.glyphs, PAST[0].id))
        pages = 3 if size[0] >= 100 else 7
        said = ""
        for _ in range(pages):
            said += await settled(pilot)
            await pilot.press("right")
        for words in (
            "decode rate per prompt",
            "decode rate against context",
            "gaps between tokens",
            "the board was not sampled",
            "completion_01",
            "3.16",
            "2 of 10",
            "timeout idle",
            "no token for 30 s",
            "one time limit ended them",
        ):
            assert words in said, words
        await pilot.press("c")
        await pilot.pause()
        assert of(session, "compare") == [("compare", PAST[1].id, PAST[0].id, False)]
        await pilot.press("escape", "r")
        await pilot.pause()
        assert of(session, "resume") == [("resume", PAST[0].id)]
        assert isinstance(top(app), BenchLiveScreen)


async def test_a_comparison_can_be_swapped_and_forced() -> None:
    session = Prepared(
        replace(
            VIEW,
            comparison=msgspec.structs.replace(COMPARISON, blocking=("ctx: 1 against 2",)),
        )
    )
    app = BenchApp(session, opens=False)
    async with app.run_test(size=(120, 40)) as pilot:
        app.push_screen(BenchCompareScreen(app.data, app.glyphs, "a", "b"))
        said = await settled(pilot)
        assert "not comparable" in said
        assert "ctx: 1 against 2" in said
        assert "▲ faster" in said
        await pilot.press("w", "f")
        assert session.asked == [("compare", "b", "a", False), ("compare", "b", "a", True)]


@pytest.mark.slow
async def test_plain_characters_only_where_they_are_wanted() -> None:
    session = Prepared(replace(VIEW, run=replace(RUN, text=LiveText(1, "plain"))))
    app = BenchApp(session, is_ascii=True)
    async with app.run_test(size=(120, 40)) as pilot:
        said = await settled(pilot)
        await pilot.press("escape")
        said += await settled(pilot)
        await pilot.press("tab", "enter")
        said += await settled(pilot)
        foreign = {char for char in said if ord(char) > 0x7F}
        assert foreign == set()


@pytest.mark.slow
async def test_a_quiet_screen_paints_nothing() -> None:
    app = BenchApp(Prepared(replace(VIEW, run=RUN)))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        panels = list(app.screen.query("RowsPanel").results(Rows))
        before = [panel.painted_cells for panel in panels]
        await pilot.pause(1.2)
        assert [panel.painted_cells for panel in panels] == before


async def test_the_answer_of_a_run_is_shown_as_the_chat_shows_answers() -> None:
    session = Prepared(replace(VIEW, run=replace(RUN, text=LiveText(1, "so it is", 0, True))))
    app = BenchApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)

        async def said(text: LiveText) -> str:
            session.shown = replace(VIEW, run=replace(RUN, text=text))
            app.page.pull()  # type: ignore[attr-defined]
            return await settled(pilot)

        assert "It is" in await said(LiveText(2, "It is **blue", 0, False))
        shown = await said(LiveText(2, "It is **blue** today", 0, False))
        assert "It is blue today" in shown
        shown = await said(LiveText(2, "It is **blue** today", 0, False, True))
        assert "It is blue today" in shown
        assert "It is blue" not in await said(LiveText(3, "Another", 0, False))
