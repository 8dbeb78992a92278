"""What a reader does with a transcript: jump, search, select, copy, fold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.widgets.transcript.search import Match, Search, offset_of_match, part_of_match
from tui.widgets.transcript.select import has_code
from tui.widgets.transcript.selection import SelectableTranscript
from tui.widgets.transcript.turn_list import Anchor, Place, row_of_offset
from tui.widgets.transcript.turn_view import TurnView


class TranscriptReader(SelectableTranscript):
    """A view of turns with everything that reading needs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", "a row up", show=False),
        Binding("down", "scroll_down", "a row down", show=False),
        Binding("pageup", "page_up", "a page up", show=False),
        Binding("pagedown,space", "page_down", "a page down", show=False),
        Binding("home", "scroll_home", "to the beginning", show=False),
        Binding("end", "scroll_end", "to the end, and follow it", show=False),
        Binding("t", "toggle_thinking", "open or fold the thinking", show=False),
        Binding("r", "toggle_raw", "plain text or formatted Markdown", show=False),
        Binding("left_square_bracket", "jump_turn(-1)", "to the turn before", show=False),
        Binding("right_square_bracket", "jump_turn(1)", "to the next turn", show=False),
        Binding("left_curly_bracket", "jump_code(-1)", "to the code block before", show=False),
        Binding("right_curly_bracket", "jump_code(1)", "to the next code block", show=False),
        Binding("slash", "search", "search", show=False),
        Binding("n", "search_step(1)", "next match", show=False),
        Binding("N,upper_n", "search_step(-1)", "match before", show=False),
        Binding("shift+up", "select_rows(-1)", "select a row up", show=False),
        Binding("shift+down", "select_rows(1)", "select a row down", show=False),
        Binding("y", "copy", "copy the selection, or the answer", show=False),
        Binding("c", "copy_code", "copy the code block", show=False),
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
            found = self._next_code(step)
        if found is not None:
            self.show_row(self._turn_list.top(found.turn, found.part))
            self._code = (found, self.top_row)

    def _next_code(self, step: int) -> Place | None:
        turn_list = self._turn_list
        if self._code is not None and self._code[1] == self.top_row:
            here = self._code[0]
        elif step < 0 and self.is_following:
            here = Place(len(turn_list.turns), 0, 0)
        else:
            place = turn_list.place(min(self.top_row, self._end_row))
            if place is None:
                return None
            here = Place(place.turn, place.part - (step > 0 and place.row == 0), 0)
        last = len(turn_list.turns) - 1
        turns = range(here.turn, last + 1) if step > 0 else range(min(here.turn, last), -1, -1)
        for index in turns:
            if not has_code(turn_list.turns[index].answer.text):
                continue
            parts = turn_list.open(index).parts
            for at in range(len(parts)) if step > 0 else range(len(parts) - 1, -1, -1):
                block, where = parts[at].block, (index, at)
                is_ahead = (
                    where > (here.turn, here.part) if step > 0 else where < (here.turn, here.part)
                )
                if is_ahead and block and block.kind == "fence" and block.origin is None:
                    return Place(index, at, 0)
        return None

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
