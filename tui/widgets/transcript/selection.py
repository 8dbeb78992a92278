"""Selections of rows, of a word and of a paragraph: which rows they take in a column of turns."""

from __future__ import annotations

from textual.geometry import Offset
from textual.selection import Selection

from tui.widgets.transcript.row_text import key_of, place_of, word_at
from tui.widgets.transcript.turn_list import Place, TurnList
from tui.widgets.transcript.viewport import Viewport

ROW_END = 1 << 30
"""A column beyond the end of any row."""


class RowSelection:
    """Whole rows, selected with the keyboard, from where it began to where it is."""

    def __init__(self, turn_list: TurnList, viewport: Viewport) -> None:
        self._turn_list = turn_list
        self._viewport = viewport
        self._ends: tuple[int, int] | None = None
        """Where it began and where it is, as keys of rows."""

    def clear(self) -> None:
        """Begin anew with the next row."""
        self._ends = None

    def extend(self, step: int) -> None:
        """Take a row more, or with -1 one less, and show it.

        The first is the top row of the view, or its last one; also where the part that the
        selection had come to is no longer there."""
        turn_list, viewport = self._turn_list, self._viewport
        if not turn_list.turns:
            self._ends = None
            return
        with viewport.changes:
            with viewport.holding():
                if self._ends is not None and not turn_list.has(place_of(self._ends[1])):
                    self._ends = None
            if self._ends is None:
                bottom = min(viewport.top_row + viewport.height, turn_list.rows) - 1
                place = turn_list.place(bottom if step < 0 else viewport.top_row)
                begin = end = key_of(place) if place else 0
            else:
                begin, end = self._ends
                row = turn_list.row_of(place_of(end)) + step
                place = turn_list.place(max(0, min(row, turn_list.rows - 1)))
                end = key_of(place) if place else end
            self._ends = (begin, end)
            viewport.bring_into_view(turn_list.row_of(place_of(end)))

    @property
    def selection(self) -> Selection | None:
        """The rows, with all of their characters."""
        if self._ends is None:
            return None
        return Selection(Offset(0, min(self._ends)), Offset(ROW_END, max(self._ends)))


def selection_at(turn_list: TurnList, at: Offset, *, is_paragraph: bool) -> Selection:
    """The word, or all of the part, at character ``at.x`` of the row with the key ``at.y``."""
    place = place_of(at.y)
    part = turn_list.part(place)
    if is_paragraph:
        first = key_of(Place(place.turn, place.part, part.has_gap))
        last = key_of(Place(place.turn, place.part, part.rows - 1))
        return Selection(Offset(0, first), Offset(ROW_END, last))
    if part.layout is None or place.row < part.has_gap:
        return Selection(at, at)
    begin, end = part.layout.row_span(place.row - part.has_gap)
    start, stop = word_at(part.layout.text[begin:end], at.x)
    return Selection(Offset(start, at.y), Offset(stop, at.y))
