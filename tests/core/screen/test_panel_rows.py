"""How the height of the dashboard is given to its panels."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.core.screen.panel_rows import (
    ANSWER_HEAD,
    FIXED_ROWS,
    LEAST_ANSWERS,
    LEAST_CHART,
    panel_rows,
)


@given(st.integers(0, 200))
def test_what_is_given_fits_and_nothing_is_too_small(height: int) -> None:
    chart, answers = panel_rows(height)
    head = ANSWER_HEAD if answers else 0
    assert chart + head + answers <= max(height - FIXED_ROWS, 0)
    assert chart == 0 or chart >= LEAST_CHART
    assert answers == 0 or answers >= LEAST_ANSWERS


@given(st.integers(0, 200))
def test_a_taller_terminal_takes_nothing_away(height: int) -> None:
    low, high = panel_rows(height), panel_rows(height + 1)
    assert high.answers >= low.answers
    assert sum(high) + (ANSWER_HEAD if high.answers else 0) >= sum(low)


def test_a_usual_terminal_has_both() -> None:
    assert panel_rows(36) == (7, 4)
