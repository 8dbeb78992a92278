"""The board screen with ten prepared minutes: what it shows, that it fits, and that it sleeps."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tests.core.hostile import HOSTILE, raw_controls
from tests.screens.board.looking import NARROW, WIDE, look, settled
from tests.screens.board.prepared import BOARDS, NS, Prepared, PreparedBackend, prepared
from tests.screens.board.shown import Shown
from tui.board.advice.board_state import BoardView
from tui.core.board.history import BoardHistory
from tui.core.board.load_facts import LoadFacts
from tui.core.board.reading import Reading, Snapshot
from tui.core.text.glyphs import ASCII, UNICODE, Glyphs
from tui.screens.board import BoardScreen
from tui.screens.ram_calculator import RamCalculator
from tui.widgets.board.chart import Chart
from tui.widgets.kit.rows import Rows

SIZES = (WIDE, NARROW, (100, 30), (40, 10), (200, 60))


@pytest.mark.slow
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", BOARDS)
def test_every_board_fits_every_size(name: str, size: tuple[int, int], glyphs: Glyphs) -> None:
    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        text = await settled(pilot)
        lines = text.split("\n")
        assert len(lines) == size[1]
        assert all(len(line) == size[0] for line in lines)
        assert "answers" in text
        assert raw_controls(text) == []
        if glyphs.is_ascii:
            assert text.isascii()
        await pilot.press("r")
        readings = await settled(pilot)
        assert "board.soc" in readings
        await pilot.press("r", "c")
        assert "what fits into RAM" in await settled(pilot)
        await pilot.press("pagedown")
        assert "free now" in await settled(pilot)

    look(prepared(name, 60), check, size, glyphs)


def test_a_finding_opens_to_what_was_seen_its_effect_and_a_command() -> None:
    board = prepared(seconds=520)

    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        assert "effect" not in await settled(pilot)
        await pilot.press("enter")
        # There is nothing to page through before the rows that opened were laid out.
        assert "effect" in await settled(pilot)
        await pilot.press("pagedown")
        text = await settled(pilot)
        for words in ("seen", "effect", "528 MHz of 2112 MHz", "$ echo performance"):
            assert words in text
        await pilot.press("y")
        assert isinstance(pilot.app, Shown)
        assert pilot.app.copied.startswith("echo performance | sudo tee")
        await pilot.press("enter")
        assert "effect" not in await settled(pilot)
        await pilot.press("down", "enter")
        assert "NPU runs below" in await settled(pilot)

    look(board, check, NARROW)


@pytest.mark.slow
def test_nothing_is_drawn_while_it_is_hidden() -> None:
    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        await pilot.press("c")
        await pilot.pause()
        assert isinstance(pilot.app.screen, RamCalculator)
        before = screen.draws, sum(chart.draws for chart in screen.query(Chart))
        board.now_ns += 60 * NS
        await pilot.pause(2.5)
        assert (screen.draws, sum(chart.draws for chart in screen.query(Chart))) == before
        await pilot.press("escape")
        await pilot.pause()
        assert screen.draws > before[0]
        assert sum(chart.draws for chart in screen.query(Chart)) > before[1]

    board = prepared()
    look(board, check)


@pytest.mark.parametrize("key", ["escape", "f5"])
def test_one_key_leads_back(key: str) -> None:
    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        await pilot.press(key)
        await pilot.pause()
        assert pilot.app.screen is not screen

    look(prepared(seconds=5), check)


def test_escape_goes_one_step_at_a_time() -> None:
    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        await pilot.press("r", "c")
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.screen is screen
        assert "board.soc" in await settled(pilot)
        await pilot.press("escape")
        assert "why slow" in await settled(pilot)

    look(prepared(seconds=20), check)


@pytest.mark.slow
def test_before_the_first_sample_it_says_so() -> None:
    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        text = await settled(pilot)
        assert "reading the board ..." in text
        assert "nothing found" not in text
        await pilot.press("r")
        assert "reading the board ..." in await settled(pilot)

    for size in (WIDE, NARROW):
        look(Prepared(BoardHistory(), BoardView()), check, size)


def test_no_permission_names_the_command() -> None:
    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        text = " ".join((await settled(pilot)).split())
        assert "NPU load – no permission" in text
        assert "setup-npu-access" in text

    look(prepared("no permission", 30), check)


def test_what_the_model_was_loaded_with_is_told_with_its_source() -> None:
    board = prepared(seconds=5)
    board.load = LoadFacts(
        runtime="1.2.3\x1b[2J",
        driver="0.9.8",
        npu_cores=3,
        data_type="W8A8",
        cpus=(4, 5, 6, 7),
        source="the file /var/log/rkllm.log",
    )

    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        facts = screen.query_one("#facts-load", Rows)
        facts.scroll_visible(animate=False)
        shown = await settled(pilot)
        for said in ("loaded with", "CPUs", "4-7", "W8A8", "/var/log/rkllm.log"):
            assert said in shown
        assert raw_controls(await settled(pilot)) == []

    look(board, check, WIDE)


def test_without_root_activity_takes_the_place_of_load() -> None:
    board = prepared("no permission", 3)
    for second in range(3, 30):
        values = BOARDS["no permission"](second)
        board.sees(second, values | {"npu.activity": Reading((120.0, 80.0, 0.0), "/s")}, None)

    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        text = await settled(pilot)
        assert "NPU activity" in text
        assert "load: no permission" in text
        assert "~200" in text

    board.now_ns = (board.history.latest or Snapshot(0, 0)).t_ns
    look(board, check)


def test_no_driver_leaves_room_for_what_is_there() -> None:
    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        assert "no Rockchip NPU" in await settled(pilot)
        assert screen.query_one("#chart-npu", Chart).size.height == 1
        assert screen.query_one("#chart-ram", Chart).size.height > 10

    look(prepared("no driver", 30), check)


def test_a_simulated_board_says_so() -> None:
    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        assert "SIMULATED" in await settled(pilot)
        await pilot.press("r")
        assert "SIMULATED" in await settled(pilot)

    look(prepared("simulated", 5), check)


def test_too_small_a_terminal_is_told() -> None:
    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        await pilot.resize_terminal(30, 8)
        assert "needs 40x10" in await settled(pilot)
        await pilot.resize_terminal(*NARROW)
        assert "why slow" in await settled(pilot)

    look(prepared(seconds=10), check, NARROW)


@pytest.mark.slow
def test_a_resize_changes_the_shape() -> None:
    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        await pilot.resize_terminal(*WIDE)
        await settled(pilot)
        assert len([chart for chart in screen.query(Chart) if chart.display]) == 6
        await pilot.resize_terminal(*NARROW)
        await settled(pilot)
        assert len([chart for chart in screen.query(Chart) if chart.display]) == 1

    look(prepared(seconds=60), check, NARROW)


@pytest.mark.slow
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_hostile_readings_stay_text(size: tuple[int, int]) -> None:
    names = list(HOSTILE)

    async def check(pilot: Pilot[None], screen: BoardScreen) -> None:
        for start in range(0, len(names), 10):
            some = names[start : start + 10]
            values = BOARDS["whole"](5) | {
                f"npu.{HOSTILE[name][:300]}": Reading(
                    HOSTILE[name], "", HOSTILE[name], flags=(HOSTILE[name],)
                )
                for name in some
            }
            values |= {
                name: Reading.absent(HOSTILE[some[0]], "", HOSTILE[some[-1]])
                for name in ("npu.load", "ddr.freq", "soc.temp", "ram.available", "server.pid")
            }
            board = Prepared(BoardHistory(), BoardView())
            board.sees(5, values, None)
            screen._backend = PreparedBackend(board)
            for _ in range(2):
                screen.redraw()
                assert raw_controls(await settled(pilot)) == []
                await pilot.press("r")

    look(prepared(seconds=5), check, size)
