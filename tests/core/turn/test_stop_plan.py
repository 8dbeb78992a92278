"""Where a paragraph ends."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.turn.stop_plan import ParagraphEnd, StopPlan


def ends_at(text: str, planned_at: int = 0) -> int | None:
    """How much of the text was written when the paragraph was over that ran at ``planned_at``."""
    scanner = ParagraphEnd()
    scanner.feed(text[:planned_at])
    scanner.begin()
    for at in range(planned_at, len(text)):
        scanner.feed(text[at])
        if scanner.is_over:
            return at + 1
    return None


@pytest.mark.parametrize(
    ("text", "planned_at", "end"),
    [
        ("one\ntwo\n\nthree", 2, "one\ntwo\n\n"),
        ("one\n\ntwo\n\nthree", 6, "one\n\ntwo\n\n"),
        ("one\n\ntwo\n\nthree", 5, "one\n\ntwo\n\n"),
        ("one\n \t\ntwo", 1, "one\n \t\n"),
        ("so:\n```py\na\n\nb\n```\n\nthen", 10, "so:\n```py\na\n\nb\n```\n\n"),
        ("no end here", 3, None),
        ("```\nnever closed\n\nmore", 8, None),
    ],
)
def test_a_paragraph_ends_at_a_blank_line(text: str, planned_at: int, end: str | None) -> None:
    assert ends_at(text, planned_at) == (None if end is None else len(end))


@given(st.text("a `\n~", max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_pieces_make_no_difference(text: str, cuts: list[int]) -> None:
    whole, pieces = ParagraphEnd(), ParagraphEnd()
    whole.begin()
    pieces.begin()
    whole.feed(text)
    edges = [0, *sorted(cuts), len(text)]
    for start, end in pairwise(edges):
        pieces.feed(text[start:end])
    assert whole.is_over == pieces.is_over


def test_a_plan_says_what_is_left() -> None:
    assert StopPlan().words(7) == "stops after this paragraph"
    assert StopPlan(120).words(77) == "stops in 43 tokens"
