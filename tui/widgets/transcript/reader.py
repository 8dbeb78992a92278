"""What a reader does with a transcript: jump, search, select, copy, fold."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.selection import Selection

from tui.core.text.glyphs import UNICODE, Glyphs
from tui.widgets.transcript.code_jump import CodeJump
from tui.widgets.transcript.search import Match, Search, offset_of_match, part_of_match
from tui.widgets.transcript.select import selected_text
from tui.widgets.transcript.selection import RowSelection, selection_at
from tui.widgets.transcript.turn_list import Anchor, row_of_offset
from tui.widgets.transcript.turn_view import TurnView
from tui.widgets.transcript.view import TranscriptView


class TranscriptReader(TranscriptView):
    """A view of turns with everything that reading needs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", "a row up", show=False),
        Binding("down", "scroll_down", "a row down", show=False),
        Binding("pageup", "page_up", "a page up", show=False),
        Binding("pagedown,space", "page_down", "a page down", show=False),
        Binding("home", "scroll_home", "to the beginning", show=False),
        Binding("end", "scroll_end", "to the end, and follow it", show=False),
        Binding("t", "toggle_thinking", "thinking", tooltip="open or fold the thinking"),
        Binding("r", "toggle_raw", "plain", tooltip="plain text or formatted Markdown"),
        Binding("left_square_bracket", "jump_turn(-1)", "to the turn before", show=False),
        Binding(
            "right_square_bracket",
            "jump_turn(1)",
            "next turn",
            tooltip="to the next turn",
            key_display="]",
        ),
        Binding("left_curly_bracket", "jump_code(-1)", "to the code block before", show=False),
        Binding(
            "right_curly_bracket",
            "jump_code(1)",
            "next code",
            tooltip="to the next code block",
            key_display="}",
        ),
        Binding("slash", "search", "search", tooltip="search", key_display="/"),
        Binding("n", "search_step(1)", "next match", show=False),
        Binding("N,upper_n", "search_step(-1)", "match before", show=False),
        Binding("shift+up", "select_rows(-1)", "select a row up", show=False),
        Binding("shift+down", "select_rows(1)", "select a row down", show=False),
        Binding("y", "copy", "copy", tooltip="copy the selection, or the answer"),
        Binding("c", "copy_code", "copy code", tooltip="copy the code block"),
    ]

    @dataclass
    class SearchRequested(Message, namespace="transcript"):
        """The user wants to type a pattern; the app has the line for it."""

        transcript: TranscriptReader

        @property
        def control(self) -> TranscriptReader:
            return self.transcript

    @dataclass
    class SearchChanged(Message, namespace="transcript"):
        """Where a search stands: which match is shown, from 1 (0 for none), and how many are."""

        transcript: TranscriptReader
        pattern: str
        position: int
        count: int

        @property
        def control(self) -> TranscriptReader:
            return self.transcript

    @dataclass
    class CopyRequested(Message, namespace="transcript"):
        """The user wants this text in the clipboard. ``what`` names it: answer, code block."""

        transcript: TranscriptReader
        text: str
        what: str

        @property
        def control(self) -> TranscriptReader:
            return self.transcript

    def __init__(
        self,
        glyphs: Glyphs = UNICODE,
        *,
        clock: Callable[[], float] = time.monotonic,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(glyphs, clock=clock, id=id, classes=classes)
        self._row_selection = RowSelection(self._turn_list)
        self._code_jump = CodeJump(self._turn_list)

    # Folding

    @property
    def is_raw(self) -> bool:
        """Whether answers are shown as they came."""
        return self._turn_list.mode.is_raw

    def toggle_thinking(self) -> None:
        """Open or fold the thinking of the turn in view."""
        turn = self.turn_in_view()
        if turn is not None:
            self._toggle_thinking(turn)

    def toggle_raw(self) -> None:
        """Show answers as they came, or as Markdown again."""
        mode = self._turn_list.mode
        self.deselect()
        self._restack(replace(mode, is_raw=not mode.is_raw))

    def _toggle_thinking(self, turn: TurnView) -> None:
        if turn.thinking.has_text:
            turn.wants_thinking = not turn.is_thinking_open
            turn.is_thinking_held = False
            self._rearrange(turn)

    def _rearrange(self, turn: TurnView) -> None:
        """Make the parts of a turn anew."""
        index = self._turn_list.turns.index(turn)
        rows = self._turn_list.rows
        anchor = None if self.is_following else self._turn_list.anchor(self.top_row)
        self._turn_list.open(index)
        turn.arrange(self._turn_list.mode)
        self._arranged(index, rows, anchor)

    def _arranged(self, index: int, rows_before: int, anchor: Anchor | None) -> None:
        """The parts of a turn are others than before: what is being read stays where it is."""
        turn_list = self._turn_list
        turn_list.resized(index)
        parts = turn_list.turns[index].parts
        for at in range(len(parts) - 1, -1, -1):
            if parts[at].is_exact:
                break
            turn_list.lay_out(index, at)
        self._strips.clear()
        if anchor is None:
            turn_list.settle_end(self.view_rows)
        else:
            self._move_to(turn_list.settle(turn_list.row_of_anchor(anchor), self.view_rows))
        self._grown(rows_before, 0)

    # Jumping

    def jump_end(self) -> None:
        """Go to the end and follow it."""
        self.show_end()

    def jump_turn(self, step: int) -> None:
        """Show the next turn from its prompt on, or the one before."""
        turn_list = self._turn_list
        top = min(self.top_row, self._end_row)
        place = turn_list.place(top)
        if place is None:
            return
        index = place.turn + step
        if step < 0 and turn_list.row_of(place) > turn_list.top(place.turn):
            index += 1
        if index >= len(turn_list.turns):
            self.show_end()
        else:
            self.show_row(turn_list.top(max(0, index)))

    def jump_code(self, step: int) -> None:
        """Show the next block of code, or the one before."""
        with self._holding():
            top = min(self.top_row, self._end_row)
            found = self._code_jump.next(step, top, is_following=self.is_following)
        if found is not None:
            self.show_row(self._turn_list.top(found.turn, found.part))
            self._code_jump.mark_shown(found, self.top_row)

    # Selecting and copying

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
            self._row_selection.clear()
        self._repaint()

    def deselect(self) -> None:
        """End the selection: its rows are about to become others."""
        self._row_selection.clear()
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
        with self._holding():
            return self._code_jump.text(self.top_row, self.view_rows)

    def select_rows(self, step: int) -> None:
        """Select a row more, or one less, from the end or the beginning of the view on."""
        if not self._turn_list.turns:
            return
        with self._holding():
            self._row_selection.clear_if_gone()
        row = self._row_selection.extend(step, self.top_row, self.view_rows)
        if row < self.top_row:
            self.show_row(row)
        elif row >= self.top_row + self.view_rows:
            self.show_row(row - self.view_rows + 1)
        self._select(self._row_selection.selection)

    def _select(self, selection: Selection | None) -> None:
        if selection is not None:
            self.screen.selections = {self: selection}

    def _select_at(self, event: events.Click) -> None:
        _, at = self.screen.get_widget_and_offset_at(int(event.screen_x), int(event.screen_y))
        if at is not None and self._turn_list.turns:
            self._select(selection_at(self._turn_list, at, is_paragraph=event.chain > 2))

    # Searching

    def search(self, pattern: str) -> int:
        """Mark every match and show the nearest one. Returns how many there are.

        An empty pattern ends the search. Without capitals, case does not count.
        """
        if not pattern:
            if self._search is not None:
                self._search = None
                self._show_match(None)
            return 0
        self._search = Search(pattern)
        self._search.update(self._turn_list.turns)
        if self.is_following:
            self._show_match(self._search.step(-1, Match(len(self._turn_list.turns), 0, 0)))
        else:
            place = self._turn_list.place(self.top_row)
            self._show_match(self._search.step(1, Match(place.turn if place else 0, 0, 0)))
        return len(self._search.matches)

    @property
    def is_searching(self) -> bool:
        """Whether there is a pattern whose matches are marked."""
        return self._search is not None

    def search_next(self) -> None:
        """Show the next match, after the last one the first."""
        self._search_step(1)

    def search_previous(self) -> None:
        """Show the match before, before the first one the last."""
        self._search_step(-1)

    def _search_step(self, step: int) -> None:
        if self._search is not None:
            self._search.update(self._turn_list.turns)
            self._show_match(self._search.step(step, Match(0, 0, 0)))

    def _show_match(self, match: Match | None) -> None:
        self._current_match = None
        self._strips.clear()
        if match is not None and self._search is not None:
            self._bring_into_view(self._search, match)
        self._repaint()
        search = self._search
        position, count = (search.position, len(search.matches)) if search else (0, 0)
        self.post_message(
            self.SearchChanged(self, search.pattern if search else "", position, count)
        )

    def _bring_into_view(self, search: Search, match: Match) -> None:
        turn_list = self._turn_list
        with self._holding():
            turn = turn_list.open(match.turn)
        if match.kind == "thinking" and not turn.is_thinking_open:
            self._toggle_thinking(turn)
        index = part_of_match(turn, match)
        if index is None:
            return
        with self._holding():
            turn_list.lay_out(match.turn, index)
        part = turn.parts[index]
        offset = offset_of_match(search, turn, part, match)
        self._current_match = (part.serial, offset)
        row = turn_list.top(match.turn, index) + row_of_offset(part, offset)
        if not self.top_row <= row < self.top_row + self.view_rows - 1:
            self.show_row(row - self.view_rows // 3)

    # Keys and mouse

    def action_scroll_up(self) -> None:
        self.scroll_rows(-1)

    def action_scroll_down(self) -> None:
        self.scroll_rows(1)

    def action_page_up(self) -> None:
        self.scroll_rows(-max(1, self.view_rows - 2))

    def action_page_down(self) -> None:
        self.scroll_rows(max(1, self.view_rows - 2))

    def action_scroll_home(self) -> None:
        self.show_row(0)

    def action_scroll_end(self) -> None:
        self.show_end()

    def action_toggle_thinking(self) -> None:
        self.toggle_thinking()

    def action_toggle_raw(self) -> None:
        self.toggle_raw()

    def action_jump_turn(self, step: int) -> None:
        self.jump_turn(step)

    def action_jump_code(self, step: int) -> None:
        self.jump_code(step)

    def action_select_rows(self, step: int) -> None:
        self.select_rows(step)

    def action_copy(self) -> None:
        if text := self.selection_text():
            self.post_message(self.CopyRequested(self, text, "the selection"))
        elif text := self.turn_text():
            self.post_message(self.CopyRequested(self, text, "the answer"))

    def action_copy_code(self) -> None:
        if text := self.code_text():
            self.post_message(self.CopyRequested(self, text, "the code block"))

    def action_search(self) -> None:
        self.post_message(self.SearchRequested(self))

    def action_search_step(self, step: int) -> None:
        self._search_step(step)

    def on_click(self, event: events.Click) -> None:
        """A click on the mark at the end follows, one on folded thinking opens it.

        Two in a row select a word, three all of a paragraph.
        """
        if event.chain > 1:
            event.prevent_default()
            self._select_at(event)
            return
        if event.y == self.view_rows - 1 and self.is_over_badge(event.x):
            self.show_end()
            return
        place = self._turn_list.place(self.top_row + event.y) if self._turn_list.turns else None
        if place is not None and self._turn_list.part(place).kind == "fold":
            self._toggle_thinking(self._turn_list.turns[place.turn])
