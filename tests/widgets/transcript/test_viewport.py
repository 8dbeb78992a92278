"""What of a column of turns is in view, without a widget."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.cells import cell_len

from tui.core.text.glyphs import UNICODE
from tui.core.types import CleanText, Segment
from tui.widgets.transcript.layout import RenderMode
from tui.widgets.transcript.lexers import Lexers
from tui.widgets.transcript.turn_list import TurnList
from tui.widgets.transcript.turn_view import TurnView
from tui.widgets.transcript.view_changes import ViewChanges
from tui.widgets.transcript.viewport import Viewport

HEIGHT = 5


class View:
    """A view of one long answer, and what it told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, bool]] = []
        self.turn_list = TurnList(RenderMode(40, cell_len, UNICODE, Lexers()))
        self.viewport = Viewport(
            self.turn_list,
            ViewChanges(lambda *change: self.told.append(change)),
            height=lambda: HEIGHT,
            clock=lambda: 0.0,
        )

    def add(self, answer: str) -> None:
        self.turn_list.add(TurnView("q", cell_len, answer=answer, state="done"))
        self.viewport.refit()

    def grow(self, text: str) -> None:
        """More of a live turn, as the widget takes it."""
        turn_list, viewport = self.turn_list, self.viewport
        last, rows, anchor = len(turn_list.turns) - 1, turn_list.rows, viewport.anchor()
        turn_list.turns[last].feed([Segment("text", CleanText(text))], turn_list.mode)
        viewport.rearranged(last, rows, anchor)


@pytest.fixture
def view() -> View:
    made = View()
    made.add("\n\n".join(f"line {n}" for n in range(20)))
    return made


def test_the_end_is_followed_until_somebody_reads(view: View) -> None:
    viewport = view.viewport
    assert viewport.top_row == view.turn_list.rows - HEIGHT
    assert viewport.thumb == range(0)
    viewport.scroll_rows(-3)
    assert (viewport.is_following, viewport.rows_below) == (False, 3)
    assert viewport.thumb
    viewport.scroll_rows(3)
    assert (viewport.is_following, viewport.rows_below) == (True, 0)


def test_what_is_read_stays_while_turns_are_added(view: View) -> None:
    viewport = view.viewport
    viewport.show_row(4)
    top = view.turn_list.anchor(viewport.top_row)
    view.turn_list.add(TurnView("next", cell_len))
    view.turn_list.open(1)
    view.grow("more\n\nand more\n\n" * 3)
    assert view.turn_list.anchor(viewport.top_row) == top
    assert viewport.new_lines > 0
    viewport.show_end()
    assert viewport.new_lines == 0


def test_a_change_of_width_keeps_what_is_at_the_top(view: View) -> None:
    view.add("word " * 200)
    view.viewport.show_row(11)
    before = view.turn_list.anchor(view.viewport.top_row)
    view.viewport.resized(23)
    after = view.turn_list.anchor(view.viewport.top_row)
    assert before is not None
    assert after is not None
    assert after.block is before.block


def test_one_call_is_told_as_one_change(view: View) -> None:
    calls: list[Callable[[], None]] = [
        lambda: view.viewport.resized(30),
        lambda: view.viewport.show_row(2),
        lambda: view.viewport.rearrange(view.turn_list.turns[0]),
        view.viewport.toggle_raw,
    ]
    for call in calls:
        view.told.clear()
        call()
        assert len(view.told) == 1


def test_changes_inside_of_a_change_are_told_at_its_end() -> None:
    told: list[tuple[int, bool]] = []
    changes = ViewChanges(lambda *change: told.append(change))
    with changes:
        pass
    assert not told
    with changes:
        changes.mark(7)
        with changes:
            changes.mark(3, is_rearranged=True)
        changes.mark(5)
        assert not told
    assert told == [(3, True)]
    changes.mark(9)
    assert told[1:] == [(9, False)]
