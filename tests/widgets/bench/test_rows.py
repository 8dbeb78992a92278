"""The rows of the bench screens: they fit, they say what is known, and they survive nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.screens.bench.prepared import OVER, RUN, SUITES, VIEW, planned
from tests.screens.bench.prepared_results import COMPARISON, PICTURES, REQUEST, REQUESTS, RESULT
from tui.bench.model.conditions import Gate
from tui.bench.model.events import StageChanged
from tui.bench.model.screen import BenchView, Picture, PlanItem, RunView, Series, Span
from tui.core.text.glyphs import ASCII, UNICODE, Glyphs
from tui.widgets.bench.chart import picture_rows
from tui.widgets.bench.choose import Choosing, option_row, past_rows, status_rows, suite_rows
from tui.widgets.bench.hardware import gate_rows, hardware_rows
from tui.widgets.bench.parts import between, interval, number
from tui.widgets.bench.plan import plan_rows
from tui.widgets.bench.request import (
    detail_rows,
    request_rows,
    request_title,
)
from tui.widgets.bench.result import (
    compare_rows,
    figure_rows,
    remark_rows,
    result_title,
    signed,
)
from tui.widgets.bench.run import answer_rows, run_rows
from tui.widgets.bench.statistics import stat_table
from tui.widgets.kit.rows import Row, row_width, window

WIDTHS = [40, 44, 60, 80, 99, 100, 120, 200]


def words(rows: list[Row]) -> str:
    return "\n".join("".join(text for text, _ in row).rstrip() for row in rows)


def every_row(width: int) -> list[Row]:
    glyphs = UNICODE
    paused = replace(RUN, stage=StageChanged(stage="paused"))
    rows: list[Row] = []
    for run in (RUN, OVER, paused, RunView()):
        rows += run_rows(run, width, glyphs) + answer_rows(run, width, glyphs)
        rows += plan_rows(run, width, 4, glyphs) + stat_table(run.summary, width)
        rows += hardware_rows(run.board, width, glyphs)
        rows += hardware_rows(run.board, width, glyphs, is_short=True)
        rows += gate_rows(run.gates, width, 0)
    for view in (VIEW, BenchView()):
        for zone in ("suites", "past"):
            choosing = Choosing(zone=zone, marked=VIEW.past[0].id)
            rows += suite_rows(view, choosing, width, 20, glyphs)
            rows += past_rows(view, choosing, width, 5, glyphs, "Enter")
            rows.append(option_row(choosing, width))
        rows += status_rows(view, width, "Enter")
    rows += figure_rows(RESULT, width) + request_rows(REQUESTS, width, glyphs, 1)
    rows += [request_title(REQUEST, width), *detail_rows(REQUEST, width, glyphs)]
    rows += remark_rows(RESULT.remarks, width, glyphs)
    rows.append(result_title(RESULT, "overview 1 of 3", width))
    change = msgspec.structs.replace
    forced = change(COMPARISON, blocking=("model: a against b",), is_forced=True)
    blocked = change(forced, is_forced=False, rows=(), per_prompt=())
    for found in (COMPARISON, forced, blocked):
        rows += compare_rows(found, width, glyphs)
    return rows


@pytest.mark.parametrize("width", WIDTHS)
def test_no_row_is_wider_than_its_place(width: int) -> None:
    too_wide = [words([row]) for row in every_row(width) if row_width(row) > width]
    assert too_wide == []


@pytest.mark.parametrize("width", [80, 120])
def test_what_counts_is_there(width: int) -> None:
    said = words(run_rows(RUN, width, UNICODE))
    assert "Ten prompts" in said
    assert "SIMULATED" in said
    assert "2 ok  1 failed  of 5" in said
    assert "~14 min left" in said
    assert "11 to 17 min" in said
    said = words(answer_rows(RUN, width, UNICODE))
    assert "5 of 10  Technology Trends" in said
    assert "~61 of ≤ 256 tokens" in said
    assert "TTFT 1.25 s" in said
    assert "gaps 317/341 ms" in said
    assert "silent 0.3 of 30 s" in said
    said = words(compare_rows(COMPARISON, width, UNICODE))
    assert "▲ faster" in said
    assert "+5.0 %" in said
    assert "? inconclusive" in said
    assert "coding_01" in said
    assert "timeout_idle / ok" in said


def test_the_plan_keeps_the_present_request_in_sight() -> None:
    items = [PlanItem(planned(f"p{at}", f"prompt {at}")) for at in range(60)]
    items[:30] = [replace(item, state="ok", request=REQUESTS[0]) for item in items[:30]]
    items[30] = replace(items[30], state="running")
    said = words(plan_rows(replace(RUN, plan=tuple(items)), 40, 9, UNICODE))
    assert "prompt 30" in said
    assert "now" in said
    assert "52 more" in said


@given(st.integers(0, 300), st.integers(1, 60), st.integers(0, 320))
def test_a_window_is_full_and_holds_the_place(count: int, height: int, at: int) -> None:
    first, last = window(count, height, at)
    assert 0 <= first <= last <= count
    assert last - first == min(count, height)
    if at < count:
        assert first <= at < last


def test_numbers_that_are_not_there_are_no_zeros() -> None:
    said = words(stat_table({}, 60))
    assert all("0" not in line.replace("p50", "") for line in said.split("\n")[1:])
    assert "–" in said
    assert number(None, 2) == "–"
    assert signed(-0.01) == "0.0 %"
    assert signed(None) == "–"
    assert signed(-3.14) == "-3.1 %"
    said = words(run_rows(RunView(), 80, UNICODE))
    assert "time left unknown" in said


def test_durations_follow_the_options() -> None:
    suite = SUITES[0]
    assert suite.span(None, is_quick=False).likely_s == 2037.0
    assert suite.span(3, is_quick=False).likely_s == 3 * 2037.0
    assert suite.span(2, is_quick=True).likely_s == 190.0
    assert suite.counts(None, is_quick=True) == (3, 1)
    soak = SUITES[2]
    assert soak.span(5, is_quick=False) == soak.full
    assert between(Span(100.0, 100.2, 100.4)) == ""
    assert between(Span(2037.0, 1466.0, 2629.0)) == "24 to 44 min"


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
@pytest.mark.parametrize("size", [(120, 30), (58, 11), (80, 18), (30, 6), (9, 3), (1, 1)])
@pytest.mark.parametrize("picture", PICTURES)
def test_charts_take_the_place_they_are_given(
    picture: Picture, size: tuple[int, int], glyphs: Glyphs
) -> None:
    rows = picture_rows(picture, *size, glyphs)
    assert len(rows) == size[1]
    assert all(row_width(row) <= size[0] for row in rows)
    if glyphs is ASCII:
        assert all(ord(char) < 0x80 or char in "–…" for char in words(rows).replace("\n", ""))


def test_an_empty_chart_says_why() -> None:
    assert "the board was not sampled" in words(picture_rows(PICTURES[3], 60, 10, UNICODE))


VALUE = st.one_of(st.none(), st.floats(0, 1e9, allow_nan=False))


@given(st.lists(VALUE, min_size=1, max_size=50), st.integers(10, 130), st.integers(1, 30))
def test_any_values_can_be_drawn(values: list[float | None], width: int, height: int) -> None:
    if all(value is None for value in values):
        return
    xs = tuple(float(at) for at in range(len(values)))
    labels = tuple(f"p{at}" for at in range(len(values)))
    series = Series("x", tuple(values), xs, labels)
    for kind in ("bars", "dots", "lines", "columns"):
        picture = Picture("t", kind, "x", "y", (series,))
        rows = picture_rows(picture, width, height, UNICODE)
        assert len(rows) == height
        assert all(row_width(row) <= width for row in rows)


def test_a_bar_has_its_name_its_range_and_its_value_at_every_width() -> None:
    series = Series("decode", (3.14, 3.02), labels=("ask", "code"), ranges=((3.0, 3.2), None))
    picture = Picture("decode rate per prompt", "bars", "", "tok/s", (series,))
    for width in WIDTHS:
        shown = words(picture_rows(picture, width, 6, UNICODE)).splitlines()
        assert shown[1].lstrip().startswith("ask ")
        assert shown[1].endswith("3.14")
        assert shown[1].count("●") == 1
        assert "━" in shown[1]
        assert "━" not in shown[2]
        # The axis shows the difference: the lower rate is far to the left.
        assert shown[1].index("●") - shown[2].index("●") > (width - 20) // 4


def test_series_of_different_units_have_a_scale_each_and_no_warning_colour() -> None:
    series = (
        Series("hottest °C", (50.0, 60.0, 71.0), (0.0, 1.0, 2.0)),
        Series("NPU %", (3.0, 90.0, 91.0), (0.0, 1.0, 2.0)),
    )
    picture = Picture("board over the run", "lines", "seconds", "", series)
    rows = picture_rows(picture, 60, 12, UNICODE)
    shown = words(rows)
    assert "hottest °C" in shown
    assert "least 50  median 60  most 71" in shown
    assert "least 3  median 90  most 91" in shown
    scale = [row.split("┤")[0].split() for row in shown.splitlines() if "┤" in row]
    assert ["100"] in scale, "no load is above 100 %"
    assert all(float(label[0]) <= 100 for label in scale if label)
    assert not {role for row in rows for _, role in row} & {"warn", "bad", "ok"}


def test_a_comparison_begins_with_what_came_out() -> None:
    change = msgspec.structs.replace
    rate = change(
        COMPARISON.rows[0], metric="decode_tps", verdict="faster", delta_pct=16.7,
        ci95_pct=(16.4, 19.1),
    )  # fmt: skip

    def said(**changes: Any) -> str:
        found = change(COMPARISON, rows=(change(rate, **changes),))
        return words(compare_rows(found, 100, UNICODE)).splitlines()[0]

    assert said() == " B decodes 16.7 % faster (16.4 to 19.1)"
    slower = said(verdict="slower", delta_pct=-5.0, ci95_pct=(-6.0, -4.0))
    assert slower == " B decodes 5.0 % slower (4.0 to 6.0)"
    seen = said(verdict="inconclusive", delta_pct=1.2, ci95_pct=(-3.0, 4.0), mdc_pct=4.0)
    assert seen == " no detectable difference (+1.2 %; the smallest detectable is 4.0 %)"


def test_a_fix_is_whole_or_not_there() -> None:
    gates = [
        Gate(
            id=f"g{n}",
            ok=False,
            severity="warn",
            sentence=f"clock {n} is low",
            fix="echo performance | sudo tee /sys/x",
        )
        for n in range(4)
    ]
    for height in range(2, 12):
        shown = words(gate_rows(gates, 60, height))
        assert shown.count("clock") == shown.count("sudo tee /sys/x")
        assert len(shown.splitlines()) <= height
    assert "more, with their fixes" in words(gate_rows(gates, 60, 4))


@pytest.mark.parametrize(
    ("ends", "digits", "shown"),
    [
        ((189.33, 189.48), 0, "189.3 to 189.5"),
        ((189.45, 192.05), 0, "189 to 192"),
        ((5.2885, 5.2885), 2, "5.29 to 5.29"),
        ((73.6, 73.9), 1, "73.6 to 73.9"),
    ],
)
def test_the_ends_of_an_interval_differ_where_they_can(
    ends: tuple[float, float], digits: int, shown: str
) -> None:
    assert interval(ends, digits) == shown
