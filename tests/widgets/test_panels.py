"""The panels as rows: what they show, what they admit not to know, and that they fit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.screens.headline import HEADLINE
from tests.widgets.rows_text import row_text, rows_text
from tui.core.board.history import BoardHistory
from tui.core.board.reading import Reading, Snapshot
from tui.core.expect.outlook import Outlook
from tui.core.expect.spread import Spread
from tui.core.screen.headline import Headline
from tui.core.text.glyphs import ASCII, UNICODE, Glyphs
from tui.core.turn.turn import Turn
from tui.core.turn.turn_stats import TurnStats
from tui.core.types import ChatRequest, GenerationSettings, Message, TextDelta
from tui.widgets.board.panels import board_rows, memory_rows, npu_rows
from tui.widgets.chat.header import header_row
from tui.widgets.chat.speed import speed_rows
from tui.widgets.chat.strip import strip_row
from tui.widgets.kit.rows import row_width

GIB = 2**30
WIDTH = 42


def answering(n_tokens: int = 40, gap_ns: int = 320_000_000) -> TurnStats:
    request = ChatRequest("qwen3-4b", (Message("user", "why?"),), GenerationSettings())
    turn = Turn(request, 0, "token", 16384)
    turn.accepted(1_000_000)
    for n in range(n_tokens):
        turn.feed(1_250_000_000 + n * gap_ns, [TextDelta("word ")])
    return turn.stats(1_250_000_000 + n_tokens * gap_ns)


def board(**readings: Reading) -> BoardHistory:
    history = BoardHistory()
    values = {name.replace("_", "."): reading for name, reading in readings.items()}
    history.add(Snapshot(0, 0.0, values))
    return history


def busy_board() -> BoardHistory:
    return board(
        npu_load=Reading((86.0, 84.0, 61.0), "%"),
        npu_freq=Reading(1e9, "Hz"),
        npu_temp=Reading(65.2, "°C"),
        npu_governor=Reading("rknpu_ondemand"),
        ram_total=Reading(15.6 * GIB, "B"),
        ram_available=Reading(9.4 * GIB, "B"),
        ram_model=Reading(4.9 * GIB, "B"),
        ddr_freq=Reading(2.112e9, "Hz"),
        ddr_load=Reading(62.0, "%"),
        soc_temp=Reading(71.0, "°C"),
        npulse_cpu=Reading(0.6, "%"),
        npulse_rss=Reading(52 * 2**20, "B"),
    )


def test_speed_marks_what_is_estimated() -> None:
    shown = rows_text(speed_rows(answering(), WIDTH, UNICODE))
    assert "TTFT" in shown
    assert "1.25 s" in shown
    assert "~40 of 2048" in shown
    assert "320/320 ms" in shown
    assert "~3.1" in shown


def test_speed_without_a_turn_shows_no_number() -> None:
    shown = rows_text(speed_rows(None, WIDTH, UNICODE)).replace("p50/p99", "")
    assert not any(char.isdigit() for char in shown)


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("width", [40, 42, 60])
def test_every_row_fits(width: int, glyphs: Glyphs) -> None:
    history = busy_board()
    rows = speed_rows(answering(), width, glyphs)
    rows += npu_rows(history, width, glyphs)
    rows += memory_rows(history, width, glyphs)
    rows += board_rows(history, width, glyphs)
    assert all(row_width(row) <= width for row in rows)


def test_numbers_do_not_move_their_neighbours() -> None:
    few, many = answering(9), answering(2000)
    one, two = speed_rows(few, WIDTH, UNICODE), speed_rows(many, WIDTH, UNICODE)
    assert [row_width(row) for row in one[:4]] == [row_width(row) for row in two[:4]]


def test_npu_shows_each_core() -> None:
    shown = rows_text(npu_rows(busy_board(), WIDTH, UNICODE))
    assert [figure in shown for figure in ("86 %", "84 %", "61 %", "1000 MHz", "65 °C")] == [
        True
    ] * 5


def test_npu_without_permission_says_so_and_shows_no_zero() -> None:
    history = board(
        npu_load=Reading.absent("no permission"), npu_activity=Reading((900.0, 80.0), "1/s")
    )
    shown = rows_text(npu_rows(history, WIDTH, UNICODE))
    assert "no permission" in shown
    assert "~980 jobs/s" in shown
    assert "npulse doctor" in shown
    assert "0 %" not in shown


def test_memory_splits_into_model_other_and_free() -> None:
    shown = rows_text(memory_rows(busy_board(), WIDTH, UNICODE))
    assert "━╍" in shown.splitlines()[1], "told apart without colours"
    assert "model 4.9" in shown
    assert "other 1.3" in shown
    assert "free 9.4 GiB" in shown


def test_memory_without_a_driver_names_no_model() -> None:
    history = board(
        ram_total=Reading(15.6 * GIB, "B"),
        ram_available=Reading(9.4 * GIB, "B"),
        ram_model=Reading.absent("no driver"),
    )
    shown = rows_text(memory_rows(history, WIDTH, UNICODE))
    assert "model" not in shown
    assert "used 6.2" in shown
    assert "free 9.4 GiB" in shown


def test_absent_ddr_and_temperature_are_dashes_with_a_reason() -> None:
    history = board(ddr_freq=Reading.absent("no dmc node"), ddr_load=Reading.absent("no dmc node"))
    shown = rows_text(board_rows(history, WIDTH, UNICODE))
    assert "–  no dmc node" in shown
    assert "0 MHz" not in shown


def test_heat_has_a_word_besides_its_colour() -> None:
    assert "warm" in rows_text(board_rows(busy_board(), WIDTH, UNICODE))
    hot = board(soc_temp=Reading(88.0, "°C"))
    assert "hot" in rows_text(board_rows(hot, WIDTH, UNICODE))


@pytest.mark.parametrize("width", [40, 60, 79, 80, 100, 120, 200])
def test_header_leaves_out_whole_parts(width: int) -> None:
    line = replace(HEADLINE, driver="0.9.8", temperature_c=71.0)
    shown = row_text(header_row(line, width, UNICODE))
    assert row_width(header_row(line, width, UNICODE)) == width
    assert "SIMULATED" in shown
    for part in ("Orange Pi 5 Max", "RockchipLlama :8021", "w8a8"):
        assert part in shown or part[:4] not in shown
    if width >= 80:
        assert "qwen3-4b" in shown


@pytest.mark.parametrize("width", [40, 60, 80, 99])
def test_strip_fits_and_keeps_the_rate(width: int) -> None:
    row = strip_row(answering(), busy_board(), width, UNICODE)
    assert row_width(row) <= width
    assert "tok/s" in row_text(row)
    if width >= 80:
        assert "NPU 86 84 61 %" in row_text(row)


@pytest.mark.parametrize("width", [40, 60, 80, 99])
def test_the_strip_says_that_something_is_wrong_and_where(width: int) -> None:
    for note in (None, "server still finishing, 12345 tokens since the answer was stopped"):
        row = strip_row(None, busy_board(), width, UNICODE, note, warning_key="F5")
        assert row_width(row) <= width
        assert row_text(row).endswith("! F5")
    assert "!" not in row_text(strip_row(None, busy_board(), width, UNICODE))


def test_a_long_note_takes_the_place_of_the_title() -> None:
    note = "server still finishing, 12345 tokens since"
    (title, *_) = speed_rows(answering(), WIDTH, UNICODE, note)
    assert row_text(title).strip() == note


def test_a_silence_far_longer_than_usual_is_told_in_panel_and_strip() -> None:
    request = ChatRequest("m", (Message("user", "why?"),), GenerationSettings())
    turn = Turn(request, 0, "token", 4096)
    for n in range(40):
        turn.feed(1_000_000_000 + n * 16_000_000, [TextDelta("word ")])
    last_ns = 1_000_000_000 + 39 * 16_000_000
    stalled, flowing = turn.stats(last_ns + 12_000_000_000), turn.stats(last_ns + 100_000_000)
    assert "no token for 12 s" in rows_text(speed_rows(stalled, WIDTH, UNICODE))
    assert "no token for 12 s" in row_text(strip_row(stalled, busy_board(), 80, UNICODE))
    assert "no token" not in rows_text(speed_rows(flowing, WIDTH, UNICODE))
    assert "no token" not in row_text(strip_row(flowing, busy_board(), 80, UNICODE))
    turn.stop(last_ns + 13_000_000_000)
    over = turn.stats(last_ns + 13_000_000_000)
    assert "no token" not in rows_text(speed_rows(over, WIDTH, UNICODE))


def test_without_a_server_nothing_is_called_ready() -> None:
    assert Headline(server_state="searching").activity == "no server"
    assert Headline(server_state="gone").activity == "server gone"
    assert Headline(server_state="ready").activity is None
    note = Headline(server_state="searching").activity
    assert "ready" not in rows_text(speed_rows(None, WIDTH, UNICODE, note))
    assert "ready" not in row_text(strip_row(None, busy_board(), 80, UNICODE, note))


@pytest.mark.parametrize("width", [80, 120])
def test_a_running_benchmark_stands_in_the_top_line(width: int) -> None:
    line = Headline(
        server_state="ready",
        model="qwen3-4b",
        time_of_day="14:02:11",
        bench="bench 3/10 prompts, F3",
    )
    assert "bench 3/10 prompts, F3" in row_text(header_row(line, width, UNICODE))
    assert line.activity == "bench 3/10 prompts, F3"


def prefilling(share: float, expected: Spread) -> tuple[TurnStats, Outlook]:
    request = ChatRequest("qwen3-4b", (Message("user", "why?"),), GenerationSettings())
    turn = Turn(request, 0, "token", 16384)
    turn.accepted(1_000_000)
    view = Outlook("prefill", 12.0, prefill=expected, share=share)
    return turn.stats(12_000_000_000), view


def test_a_prefill_shows_how_far_it_is() -> None:
    stats, view = prefilling(0.29, Spread(41.0, 38.0, 44.0, 23))
    shown = rows_text(speed_rows(stats, WIDTH, UNICODE, view=view))
    assert "prefill 12 s of ~41 s" in shown
    assert "~29 %" in shown
    assert "~41 s" in row_text(speed_rows(stats, WIDTH, UNICODE, view=view)[1])
    row = strip_row(stats, busy_board(), 80, UNICODE, view=view)
    assert "prefill 12 s of ~41 s" in row_text(row)
    assert UNICODE.bar_full in row_text(row)


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_the_longest_wait_fits(glyphs: Glyphs) -> None:
    stats, view = prefilling(0.99, Spread(4000.0, 3600.0, 7200.0, 99, is_at_most=True))
    view = replace(view, elapsed_s=9000.0)
    for width in (40, 42, 60):
        assert all(row_width(row) <= width for row in speed_rows(stats, width, glyphs, view=view))
    for width in (40, 60, 80):
        assert row_width(strip_row(stats, busy_board(), width, glyphs, view=view)) <= width


def test_an_expected_end_shows_its_spread() -> None:
    view = Outlook("tokens", 12.0, left=Spread(130.0, 60.0, 240.0, 12))
    shown = rows_text(speed_rows(answering(), WIDTH, UNICODE, view=view))
    assert "ETA ~2:10 (1:00-4:00)" in shown
    assert "ETA ~2:10" in row_text(strip_row(answering(), busy_board(), 120, UNICODE, view=view))
