"""Selecting in a transcript with mouse and keyboard, and what there is to copy."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.geometry import Offset
from textual.message import Message
from textual.selection import Selection

from tui.widgets.transcript.select import (
    code_before,
    key_of,
    place_of,
    selected_text,
    source_of_code,
    word_at,
)
from tui.widgets.transcript.turn_list import Place
from tui.widgets.transcript.turn_view import TurnView
from tui.widgets.transcript.view import TranscriptView

ROW_END = 1 << 30
"""A column beyond the end of any row."""


class SelectableTranscript(TranscriptView):
    """A view of turns in which text can be selected; the app puts it into the clipboard."""

    @dataclass
    class CopyRequested(Message, namespace="transcript"):
        """The user wants this text in the clipboard. ``what`` names it: answer, code block."""

        transcript: SelectableTranscript
        text: str
        what: str

        @property
        def control(self) -> SelectableTranscript:
            return self.transcript

    _code: tuple[Place, int] | None = None
    """The block of code shown last, and the top row that showed it."""
    _selected: tuple[int, int] | None = None
    """Where a selection with the keyboard began and where it is, as keys of rows."""

    def turn_in_view(self) -> TurnView | None:
        """The turn at the top of the view; the last one while the end is followed."""
        turns = self._turn_list.turns
        if not turns or self.is_following:
            return turns[-1] if turns else None
        place = self._turn_list.place(min(self.top_row + 1, self._turn_list.rows - 1))
        return turns[place.turn] if place else None

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        with self._holding():
            return selected_text(self._turn_list, selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        if selection is None:
            self._selected = None
        self._repaint()

    def deselect(self) -> None:
        """End the selection: its rows are about to become others."""
        self._selected = None
        if self.is_attached and self.text_selection is not None:
            self.screen.clear_selection()

    def selection_text(self) -> str:
        """The selected text; empty without a selection."""
        selection = self.text_selection
        if selection is None:
            return ""
        with self._holding():
            return selected_text(self._turn_list, selection)

    def turn_text(self) -> str:
        """The answer of the turn in view, as it came."""
        turn = self.turn_in_view()
        return "" if turn is None else turn.answer.text

    def code_text(self) -> str:
        """The block of code jumped to last, or else the last one that begins above the end of the
        view; as it came, with its tabs."""
        turn_list = self._turn_list
        if self._code is not None and self._code[1] == self.top_row:
            place = self._code[0]
            if self._has(place):
                return source_of_code(turn_list.turns[place.turn], turn_list.part(place))
        below = turn_list.place(min(self.top_row + self.view_rows, turn_list.rows) - 1)
        return "" if below is None else code_before(turn_list, below)

    def _has(self, place: Place) -> bool:
        with self._holding():
            return self._turn_list.has(place)

    def select_rows(self, step: int) -> None:
        """Select a row more, or one less, from the end or the beginning of the view on."""
        turn_list = self._turn_list
        if not turn_list.turns:
            return
        if self._selected is None or not self._has(place_of(self._selected[1])):
            bottom = min(self.top_row + self.view_rows, turn_list.rows) - 1
            place = turn_list.place(bottom if step < 0 else self.top_row)
            begin = end = key_of(place) if place else 0
        else:
            begin, end = self._selected
            row = turn_list.row_of(place_of(end)) + step
            place = turn_list.place(max(0, min(row, turn_list.rows - 1)))
            end = key_of(place) if place else end
        row = turn_list.row_of(place_of(end))
        if row < self.top_row:
            self.show_row(row)
        elif row >= self.top_row + self.view_rows:
            self.show_row(row - self.view_rows + 1)
        first, last = min(begin, end), max(begin, end)
        self.screen.selections = {self: Selection(Offset(0, first), Offset(ROW_END, last))}
        self._selected = (begin, end)

    def action_select_rows(self, step: int) -> None:
        self.select_rows(step)

    def action_copy(self) -> None:
        text = self.selection_text()
        if text:
            self.post_message(self.CopyRequested(self, text, "the selection"))
        elif text := self.turn_text():
            self.post_message(self.CopyRequested(self, text, "the answer"))

    def action_copy_code(self) -> None:
        if text := self.code_text():
            self.post_message(self.CopyRequested(self, text, "the code block"))

    def _select_at(self, event: events.Click) -> None:
        _, at = self.screen.get_widget_and_offset_at(int(event.screen_x), int(event.screen_y))
        if at is None or not self._turn_list.turns:
            return
        place = place_of(at.y)
        part = self._turn_list.part(place)
        start, end = Offset(at.x, at.y), Offset(at.x, at.y)
        if event.chain > 2:
            start = Offset(0, key_of(Place(place.turn, place.part, part.has_gap)))
            end = Offset(ROW_END, key_of(Place(place.turn, place.part, part.rows - 1)))
        elif part.layout is not None and place.row >= part.has_gap:
            first, last = part.layout.row_span(place.row - part.has_gap)
            begin, stop = word_at(part.layout.text[first:last], at.x)
            start, end = Offset(begin, at.y), Offset(stop, at.y)
        self.screen.selections = {self: Selection(start, end)}
