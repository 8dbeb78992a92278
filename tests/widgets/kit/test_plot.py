"""plotext's text as rows: nothing raw, exact size, roles instead of colours, no value too wild."""

from __future__ import annotations

import math
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.hostile import HOSTILE, raw_controls
from tests.widgets.rows_text import row_text
from tui.widgets.kit.plot import Line, Scale, ascii_frame, nice_top, plot, rows_of
from tui.widgets.kit.rows import ROLES, Row, row_width

PERCENT = Scale(0.0, 100.0, ((0.0, "0"), (50.0, "50"), (100.0, "100")))
PIECES = st.sampled_from(
    [f"\x1b[38;5;{n}m" for n in range(20)]
    + ["\x1b[0m", "\x1b[", "\x1b[31;5m", "\x1b]0;x\x07", "\n", "⣀⠤", "│ 100┤", "\x9b2J", "模型"]
)


def check(rows: list[Row], width: int, height: int) -> None:
    assert len(rows) == height
    for row in rows:
        assert row_width(row) == width
        assert raw_controls(row_text(row), newlines=False) == []
        assert {role for _, role in row} <= set(ROLES)


@given(
    st.lists(PIECES | st.text(max_size=8), max_size=40).map("".join),
    st.integers(1, 60),
    st.integers(1, 8),
)
def test_any_text_becomes_rows_of_that_size(shown: str, width: int, height: int) -> None:
    check(rows_of(shown, width, height), width, height)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_becomes_harmless(name: str) -> None:
    check(rows_of(HOSTILE[name], 30, 3), 30, 3)


VALUES = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-5, 60).map(float), VALUES), max_size=30),
    st.sampled_from(["live", "warn", "no such role"]),
    st.sampled_from([None, "n"]),
    st.tuples(VALUES, VALUES),
    st.tuples(st.integers(0, 80), st.integers(0, 9)),
)
def test_any_values_are_drawn(
    points: list[tuple[float, float]],
    role: str,
    mark: str | None,
    limits: tuple[float, float],
    size: tuple[int, int],
) -> None:
    line = Line(tuple(points), role, mark)
    for scale in (PERCENT, Scale(*limits)):
        check(plot([line], (-0.5, 59.5), scale, size, 7), *size)


def test_a_line_is_drawn_in_its_role_on_the_right_cells() -> None:
    line = Line(((0.0, 100.0), (119.0, 100.0)), "live")
    rows = plot([line], (-0.5, 119.5), PERCENT, (67, 5), 7)
    assert row_text(rows[0])[:7] == "   100┤"
    assert row_text(rows[2])[:7] == "    50┤"
    assert [role for _, role in rows[0]] == ["dim", "live"]
    assert len(rows[0][1][0]) == 60
    assert all(row_text(row)[7:].strip() == "" for row in rows[1:])


def test_the_last_line_is_on_top() -> None:
    under, over = (Line(((0.0, 50.0), (119.0, 50.0)), role) for role in ("dim", "live"))
    rows = plot([under, over], (-0.5, 119.5), PERCENT, (67, 5), 7)
    assert "live" in {role for _, role in rows[2]}
    assert len(rows[2]) == 2


def test_canvases_begin_in_the_same_column_whatever_the_labels() -> None:
    line = Line(((0.0, 0.0), (119.0, 1.0)), "live")
    for top in ("1", "2304", "123456789"):
        rows = plot([line], (-0.5, 119.5), Scale(0, 1, ((1.0, top),)), (67, 5), 7)
        assert all(row_text(row)[6] in "│┤" for row in rows)


def test_ascii_has_no_other_characters() -> None:
    line = Line(((0.0, 0.0), (50.0, 80.0)), "live", "n")
    rows = ascii_frame(plot([line], (-0.5, 59.5), PERCENT, (67, 5), 7))
    assert all(row_text(row).isascii() for row in rows)
    assert "n" in row_text(rows[2])


@given(VALUES)
def test_a_scale_reaches_above_every_value(value: float) -> None:
    top = nice_top(value)
    assert top > 0
    if sys.float_info.min <= value < 1e300:
        assert value <= top * (1 + 1e-9)
        assert top <= 10 * value or math.isclose(top, 10 * value)
