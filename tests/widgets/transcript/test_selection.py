"""Selections and jumps in a column of turns, without a widget."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual.geometry import Offset

from tui.core.text.glyphs import UNICODE
from tui.widgets.transcript.code_jump import CodeJump
from tui.widgets.transcript.layout import RenderMode
from tui.widgets.transcript.lexers import Lexers
from tui.widgets.transcript.row_text import key_of, selected_text
from tui.widgets.transcript.selection import RowSelection, selection_at
from tui.widgets.transcript.turn_list import TurnList
from tui.widgets.transcript.turn_view import TurnView
from tui.widgets.transcript.view_changes import ViewChanges
from tui.widgets.transcript.viewport import Viewport


@pytest.fixture
def turn_list() -> TurnList:
    """Two turns: blank, prompt, blank, answer; the first with code in it."""
    made = TurnList(RenderMode(40, cell_len, UNICODE, Lexers()))
    for answer in ("one two\n\n```\ncode\n```", "three"):
        made.add(TurnView("q", cell_len, answer=answer, state="done"))
    made.settle_end(20)
    return made


def row_with(turn_list: TurnList, text: str) -> int:
    for row in range(turn_list.rows):
        place = turn_list.place(row)
        assert place is not None
        part = turn_list.part(place)
        if part.layout is not None and text in part.layout.text and place.row >= part.has_gap:
            return row
    raise AssertionError(text)


def view_of(turn_list: TurnList, height: int, top: int | None = None) -> Viewport:
    """A view of so many rows: at the end, which it follows, or with this row at its top."""
    viewport = Viewport(
        turn_list, ViewChanges(lambda *_: None), height=lambda: height, clock=lambda: 0.0
    )
    viewport.show_end()
    if top is not None:
        viewport.show_row(top)
    return viewport


def test_rows_are_taken_one_by_one_and_given_back(turn_list: TurnList) -> None:
    top = row_with(turn_list, "one")
    viewport = view_of(turn_list, 4, top)
    assert RowSelection(turn_list, viewport).selection is None
    rows = RowSelection(turn_list, viewport)
    rows.extend(1)
    assert viewport.top_row == top
    assert rows.selection is not None
    assert "one two" in selected_text(turn_list, rows.selection)
    for _ in range(row_with(turn_list, "code") - top):
        rows.extend(1)
    assert "code" in selected_text(turn_list, rows.selection)
    rows.extend(-1)
    assert "code" not in selected_text(turn_list, rows.selection)


def test_the_view_goes_along_with_the_rows_that_are_taken(turn_list: TurnList) -> None:
    viewport = view_of(turn_list, 3, 0)
    rows = RowSelection(turn_list, viewport)
    for _ in range(5):
        rows.extend(1)
    assert viewport.top_row == 2
    for _ in range(4):
        rows.extend(-1)
    assert viewport.top_row == 0


def test_a_selection_upwards_begins_at_the_last_row_of_the_view(turn_list: TurnList) -> None:
    rows = RowSelection(turn_list, view_of(turn_list, 1000))
    rows.extend(-1)
    last = rows.selection
    assert last is not None
    assert selected_text(turn_list, last) == "three"
    rows.extend(1)
    assert rows.selection == last, "there is nothing below"


def test_a_selection_whose_part_is_gone_begins_anew(turn_list: TurnList) -> None:
    rows = RowSelection(turn_list, view_of(turn_list, 1000))
    rows.extend(-1)
    assert rows.selection is not None
    turn_list.clear()
    rows.extend(-1)
    assert rows.selection is None


def test_a_word_and_a_paragraph(turn_list: TurnList) -> None:
    place = turn_list.place(row_with(turn_list, "one"))
    assert place is not None
    at = Offset(5, key_of(place))
    word = selection_at(turn_list, at, is_paragraph=False)
    assert selected_text(turn_list, word) == "two"
    paragraph = selection_at(turn_list, at, is_paragraph=True)
    assert selected_text(turn_list, paragraph) == "one two"


def test_code_before_the_end_and_after_the_beginning(turn_list: TurnList) -> None:
    code = row_with(turn_list, "code")
    for viewport, step in ((view_of(turn_list, 2), -1), (view_of(turn_list, 2, 0), 1)):
        jump = CodeJump(turn_list, viewport)
        jump.jump(step)
        assert viewport.top_row in (code, code - 1)
        top = viewport.top_row
        jump.jump(1)
        assert viewport.top_row == top, "there is no other block"
        assert jump.text == "code"


def test_the_code_in_view_is_meant_once_the_view_was_moved(turn_list: TurnList) -> None:
    viewport = view_of(turn_list, 2, 0)
    jump = CodeJump(turn_list, viewport)
    assert jump.text == "", "no code begins above"
    jump.jump(1)
    viewport.show_row(0)
    assert jump.text == ""
    viewport.show_end()
    assert jump.text == "code"
