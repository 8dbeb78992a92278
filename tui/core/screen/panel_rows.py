"""How many rows each panel at the right of the dashboard gets."""

from __future__ import annotations

from typing import NamedTuple

LEAST_CHART = 5
"""Rows of the smallest curve of the rate: three, its phases and its time."""
MOST_CHART, USUAL_CHART = 20, 7
LEAST_ANSWERS, USUAL_ANSWERS, MOST_ANSWERS = 2, 4, 20
FIXED_ROWS = 7 + 5 + 4 + 7
"""Speed without its curve, NPU, memory and board, with the lines between them."""
ANSWER_HEAD = 2
"""The line above the answers and their title."""


class PanelRows(NamedTuple):
    """Rows of the curve of the rate, and answers that are listed; 0 is none of them."""

    chart: int
    answers: int


def panel_rows(height: int) -> PanelRows:
    """What fits into ``height`` rows: first a curve, then the last answers, then more of both."""
    left = height - FIXED_ROWS
    if left < LEAST_CHART:
        return PanelRows(0, 0)
    if left < LEAST_CHART + ANSWER_HEAD + LEAST_ANSWERS:
        return PanelRows(min(left, MOST_CHART), 0)
    left -= ANSWER_HEAD
    answers = max(min(USUAL_ANSWERS, left - USUAL_CHART), LEAST_ANSWERS)
    chart = left - answers
    if chart > 2 * USUAL_CHART - 2:
        # More than is needed: the answers get half of the rest.
        more = (chart - 2 * USUAL_CHART + 2) // 2
        answers += more
        chart -= more
    return PanelRows(min(chart, MOST_CHART), min(answers, MOST_ANSWERS))
