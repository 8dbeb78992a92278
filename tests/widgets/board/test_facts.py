"""The words beside the charts, the calculator, and what the view makes of snapshots."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from tests.core.hostile import HOSTILE, raw_controls
from tests.screens.board.prepared import MODEL, NS, prepared, readings
from tests.widgets.rows_text import row_text, rows_text
from tests.widgets.test_panels import answering
from tui.board.advice.board_state import NO_BANDWIDTH, NO_MODEL, BoardView, decode_bound
from tui.core.board.board_facts import NO_RATE, DecodeBound
from tui.core.board.finding import Advice, Command, Finding
from tui.core.board.headroom import HeadroomTrend
from tui.core.board.ram_calculator import context_tokens, file_bytes, ram_answer
from tui.core.board.reading import Reading, Snapshot
from tui.core.text.glyphs import ASCII, UNICODE, Glyphs
from tui.core.types import ModelInfo
from tui.screens.ram_calculator import answer_rows
from tui.widgets.board.facts import decode_rows, finding_rows, headroom_rows, missing_rows, wrapped
from tui.widgets.board.why import roofline_row, why_row
from tui.widgets.kit.rows import row_width

GIB = 2**30
SLOW = Finding(
    "ddr-clock",
    "the memory runs at a low clock",
    "534 MHz of 2400 MHz, governor dmc_ondemand, while a model computes",
    "at most 22 % of the bandwidth",
    Command("echo performance | sudo tee /sys/class/devfreq/dmc/governor"),
)
NOTE = Finding("idle-cores", "not all NPU cores work", "core 2 idle", "less", None, "note")


# One row for the dashboard


def test_why_is_quiet_when_nothing_is_wrong() -> None:
    assert why_row([], 42, UNICODE, "F5") == ()
    assert why_row([NOTE], 42, UNICODE, "F5") == ()


def test_why_names_the_worst_and_the_key() -> None:
    shown = row_text(why_row([SLOW], 42, UNICODE, "F5"))
    assert shown.startswith("! the memory runs at a low clock")
    assert shown.endswith("F5")
    assert "534 MHz of 2400 MHz" in row_text(why_row([SLOW], 80, UNICODE, "F5"))
    assert row_text(why_row([SLOW, replace(SLOW, rule="b")], 42, UNICODE, "F5")).endswith("+1 F5")


@pytest.mark.slow
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("name", HOSTILE)
def test_one_row_always_fits_and_is_harmless(name: str, glyphs: Glyphs) -> None:
    words = HOSTILE[name]
    finding = Finding(words, words, words, words, Command(words), advice=Advice(words))
    for width in (0, 7, 8, 20, 42, 80):
        row = why_row([finding], width, glyphs, "F5")
        assert row_width(row) <= width
        assert raw_controls(row_text(row), newlines=False) == []


def test_the_share_of_the_roofline_in_one_row() -> None:
    assert roofline_row(DecodeBound(reason="none"), 42, UNICODE, "F5") == ()
    bound = decode_bound(Snapshot(0, 0.0, readings(0)), answering(), MODEL)
    assert (
        row_text(roofline_row(bound, 42, UNICODE, "F5"))
        == "~46 % of what DDR allows      why slow: F5"
    )
    assert row_text(roofline_row(bound, 30, UNICODE, "F5")) == "~46 % of what DDR allows"
    assert row_width(roofline_row(bound, 9, UNICODE, "F5")) <= 9


def test_a_rate_above_the_bound_is_doubted_and_not_boasted_with() -> None:
    bound = decode_bound(Snapshot(0, 0.0, readings(60)), answering(), MODEL)
    assert bound.roofline is not None
    fast = replace(bound, roofline=replace(bound.roofline, share=7.3))
    assert "%" not in row_text(roofline_row(fast, 42, UNICODE, "F5"))
    assert "faster than the memory allows" in rows_text(decode_rows(fast, 70, UNICODE))
    assert "no model is faster" not in rows_text(decode_rows(bound, 70, UNICODE))


# Beside the charts


@pytest.mark.parametrize("name", HOSTILE)
def test_findings_stay_within_their_width(name: str) -> None:
    words = HOSTILE[name]
    finding = Finding("rule", words, words, words, Command(words), advice=Advice(words))
    for width in (30, 44, 78):
        rows, owner = finding_rows([finding, NOTE], 0, frozenset({"rule"}), width, UNICODE)
        assert len(rows) == len(owner)
        assert set(owner) == {-1, 0, 1}
        for row in rows:
            assert row_width(row) <= width
            assert raw_controls(row_text(row), newlines=False) == []


def test_findings_of_the_last_work_say_so() -> None:
    past = frozenset({"rule"})
    finding = Finding("rule", "slow", "534 MHz", "half")
    rows, _ = finding_rows([finding], 0, past, 60, UNICODE, past)
    assert "why slow  when a model last computed" in row_text(rows[0])
    assert any("was seen" in row_text(row) for row in rows)
    # Beside one that is seen now, only its own row says so.
    both, _ = finding_rows([finding, NOTE], 0, frozenset({"rule", NOTE.rule}), 60, UNICODE, past)
    assert row_text(both[0]).strip() == "why slow"
    assert sum("was seen" in row_text(row) for row in both) == 1


def test_words_are_wrapped_whole() -> None:
    assert wrapped("one two three", 8) == ["one two", "three"]
    assert wrapped("", 8) == [""]
    assert all(cell_len(line) <= 8 for line in wrapped("模型在瑞芯微的神经网络 a", 8))
    assert "".join(wrapped("x" * 30, 8)) == "x" * 30


def test_decode_says_what_it_assumes_or_why_it_cannot() -> None:
    snapshot = Snapshot(0, 0.0, readings(0))
    shown = rows_text(decode_rows(decode_bound(snapshot, answering(), MODEL), 60, UNICODE))
    assert "of the" in shown
    assert "assuming each token reads 4.6 GiB" in shown
    assert "another model of similar size" in shown
    assert decode_bound(snapshot, None, MODEL).reason == NO_RATE
    assert decode_bound(snapshot, answering(), None).reason == NO_MODEL
    bare = Snapshot(0, 0.0, {})
    bound = decode_bound(bare, answering(), MODEL)
    assert bound.reason == NO_BANDWIDTH
    assert NO_BANDWIDTH in rows_text(decode_rows(bound, 60, UNICODE))


def test_a_size_from_the_name_is_marked_as_a_guess() -> None:
    snapshot = Snapshot(0, 0.0, readings(0))
    bound = decode_bound(snapshot, answering(), ModelInfo("Qwen3-4B_w8a8.rkllm"))
    assert bound.is_size_guessed
    assert bound.roofline is not None
    assert row_text(roofline_row(bound, 42, UNICODE, "F5")).startswith("~")
    assert "guessed" in rows_text(decode_rows(bound, 60, UNICODE))


def test_headroom_tells_level_slope_and_danger() -> None:
    trend = HeadroomTrend()
    values = {"ram.available": Reading(8.0 * GIB, "B")}
    snapshot = Snapshot(0, 0.0, values)
    trend.feed(0, 8.0 * GIB)
    assert "watching" in rows_text(headroom_rows(trend, snapshot, 44, UNICODE))
    for second in range(1, 30):
        trend.feed(second * NS, 8.0 * GIB)
    assert "steady" in rows_text(headroom_rows(trend, snapshot, 44, UNICODE))
    for second in range(30, 90):
        trend.feed(second * NS, (8.0 - (second - 30) / 10) * GIB)
    assert "! RAM runs out in about" in rows_text(headroom_rows(trend, snapshot, 44, UNICODE))
    absent = Snapshot(0, 0.0, {"ram.available": Reading.absent("no permission")})
    assert "–  no permission" in rows_text(headroom_rows(trend, absent, 44, UNICODE))
    assert "not read yet" in rows_text(headroom_rows(trend, None, 44, UNICODE))


def test_what_is_missing_stands_by_reason() -> None:
    values = readings(0) | {"npu.load": Reading.absent("no permission")}
    rows = missing_rows(Snapshot(0, 0.0, values), ["do this"], 44, UNICODE)
    assert "no permission: NPU load" in rows_text(rows)
    assert "do this" in rows_text(rows)
    assert missing_rows(Snapshot(0, 0.0, readings(0)), [], 44, UNICODE) == []
    assert missing_rows(None, [], 44, UNICODE) == []


# The calculator


def test_ram_of_a_known_model() -> None:
    answer = ram_answer("qwen3-4b", "w8a8", "16k", 9.4 * GIB, 0)
    assert answer.need is not None
    assert answer.need.weights_bytes == 4e9
    assert answer.need.kv_bytes == 2 * 36 * 8 * 128 * 2 * 16384
    assert answer.fit == "fits"
    assert answer.in_place is None
    assert [tokens for tokens, _ in answer.by_context] == [2048, 4096, 8192, 16384, 32768]


def test_ram_in_place_of_the_loaded_model() -> None:
    answer = ram_answer("qwen3-8b", "w8a8", "4096", 3 * GIB, 8 * GIB)
    assert (answer.fit, answer.in_place_fit) == ("too large", "fits")


def test_ram_of_a_file_of_known_size() -> None:
    answer = ram_answer("qwen3-4b, 4.60 GiB", "no matter", "4096", 9 * GIB, 0)
    assert answer.is_size_given
    assert answer.need is not None
    assert answer.need.weights_bytes == round(4.6 * GIB)
    assert answer.need.kv_bytes is not None
    assert ram_answer("4.6 GB", "", "4k", None, 0).fit == "unknown"


@pytest.mark.parametrize(
    ("model", "quantisation", "context", "word"),
    [
        ("qwen3-4b", "w8a8", "many", "context takes"),
        ("qwen3-4b", "w8a8", "0", "context takes"),
        ("qwen3-4b", "w8a8", "99999999k", "context takes"),
        ("qwen3-4b", "q4_0", "4096", "type takes"),
        ("qwen", "w8a8", "4096", "no size"),
        ("", "w8a8", "4096", "model takes"),
        ("0b", "w8a8", "4096", "above 0"),
    ],
)
def test_an_unclear_question_is_answered_with_what_is_missing(
    model: str, quantisation: str, context: str, word: str
) -> None:
    answer = ram_answer(model, quantisation, context, GIB, 0)
    assert answer.need is None
    assert word in (answer.problem or "")
    assert word in rows_text(list(answer_rows(answer, GIB, 0, 60)))


@pytest.mark.parametrize("name", HOSTILE)
def test_any_question_has_an_answer(name: str) -> None:
    words = HOSTILE[name]
    for answer in (
        ram_answer(words, words, words, GIB, GIB),
        ram_answer(f"{words} 4b", "w8a8", "4096", None, 0),
    ):
        for row in answer_rows(answer, GIB, 0, 70):
            assert row_width(row) <= 70
            assert raw_controls(row_text(row), newlines=False) == []
    context_tokens(words)
    file_bytes(words)


# The view


def test_findings_last_before_they_show_and_what_acts_comes_first() -> None:
    view = BoardView()
    values = readings(60) | {"ddr.freq": Reading(5.28e8, "Hz"), "npu.load": Reading((80.0, 0.0))}
    for second in range(3):
        assert view.facts.findings == ()
        view.saw(Snapshot(second * NS, 0.0, values), answering(), MODEL, False)
    rules = [finding.rule for finding in view.facts.findings]
    assert rules[0] == "ddr-clock"
    assert rules[-1] == "idle-cores"
    for second in range(3, 9):
        view.saw(Snapshot(second * NS, 0.0, readings(60)), answering(), MODEL, False)
    assert view.facts.findings == ()


def test_alerts_reach_the_headline_once_new() -> None:
    view = BoardView()
    hot = readings(60) | {"soc.temp": Reading(91.0, "°C")}
    view.saw(Snapshot(0, 0.0, readings(60)), None, MODEL, False)
    assert view.facts.alert is None
    view.saw(Snapshot(NS, 0.0, hot), None, MODEL, False)
    first = view.facts
    assert (first.alert, first.has_new_alert) == ("the SoC is at 91 °C", True)
    view.saw(Snapshot(2 * NS, 0.0, hot), None, MODEL, False)
    assert not view.facts.has_new_alert
    assert [alert.key for alert in view.alerts] == ["heat"]


def test_a_server_that_finishes_is_a_note() -> None:
    view = BoardView()
    for second in range(4):
        view.saw(Snapshot(second * NS, 0.0, readings(60)), None, MODEL, True)
    assert [finding.rule for finding in view.facts.findings] == ["finishing"]
    assert why_row(view.facts.findings, 42, UNICODE, "F5") == ()


def test_the_data_is_what_was_seen() -> None:
    board = prepared(seconds=520)
    facts = board.view.facts
    assert len(facts.answers) == 3
    assert facts.answers[-1].is_running
    assert [finding.rule for finding in facts.findings] == ["ddr-clock", "npu-clock"]
    assert facts.decode.roofline is not None
    assert facts.trend.slope_bytes_per_s is not None
    assert facts.model == MODEL
    assert facts.remedies == ()
