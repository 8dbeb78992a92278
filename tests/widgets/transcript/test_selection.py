"""Selections and jumps in a column of turns, without a widget."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual.geometry import Offset

from tui.core.text.glyphs import UNICODE
from tui.widgets.transcript.code_jump import CodeJump
from tui.widgets.transcript.layout import RenderMode
from tui.widgets.transcript.lexers import Lexers
from tui.widgets.transcript.select import key_of, selected_text
from tui.widgets.transcript.selection import RowSelection, selection_at
from tui.widgets.transcript.turn_list import TurnList
from tui.widgets.transcript.turn_view import TurnView


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


def test_rows_are_taken_one_by_one_and_given_back(turn_list: TurnList) -> None:
    assert RowSelection(turn_list).selection is None
    rows = RowSelection(turn_list)
    top = row_with(turn_list, "one")
    assert rows.extend(1, top, 4) == top
    assert rows.selection is not None
    assert "one two" in selected_text(turn_list, rows.selection)
    below = row_with(turn_list, "code")
    for _ in range(below - top):
        last = rows.extend(1, top, 4)
    assert last == below
    assert "code" in selected_text(turn_list, rows.selection)
    assert rows.extend(-1, top, 4) == below - 1
    assert "code" not in selected_text(turn_list, rows.selection)


def test_a_selection_upwards_begins_at_the_last_row_of_the_view(turn_list: TurnList) -> None:
    rows = RowSelection(turn_list)
    assert rows.extend(-1, 0, 1000) == turn_list.rows - 1
    assert rows.extend(1, 0, 1000) == turn_list.rows - 1, "there is nothing below"


def test_a_selection_whose_part_is_gone_begins_anew(turn_list: TurnList) -> None:
    rows = RowSelection(turn_list)
    rows.extend(-1, 0, 1000)
    rows.clear_if_gone()
    assert rows.selection is not None
    turn_list.clear()
    rows.clear_if_gone()
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
    jump = CodeJump(turn_list)
    code = row_with(turn_list, "code")
    back = jump.next(-1, turn_list.rows - 1, is_following=True)
    assert back == jump.next(1, 0, is_following=False)
    assert back is not None
    assert turn_list.row_of(back) in (code, code - 1)
    jump.mark_shown(back, 3)
    assert jump.next(1, 3, is_following=False) is None, "there is no other block"
    assert jump.text(3, 1) == "code"
    assert jump.current(4) is None, "the view was moved"
    assert jump.text(0, 1) == "", "no code begins above"
