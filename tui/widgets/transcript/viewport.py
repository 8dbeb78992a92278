"""Which rows of a column of turns are in view: the end, which is followed, or what is being read.

A full view that follows its end scrolls several rows at once when text is fast. Terminals have
called that jump scroll since the VT100; over a slow connection it sends far fewer bytes. What is
being read stays where it is, whatever changes above or below it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from tui.widgets.transcript.layout import RenderMode
from tui.widgets.transcript.turn_list import Anchor, TurnList
from tui.widgets.transcript.turn_view import TurnView
from tui.widgets.transcript.view_changes import ViewChanges

JUMP_SECONDS = 0.6
"""How long a full view of fast text stays still before it moves up again."""


class Viewport:
    """The part of the column that is in view. Knows rows only: no widget and no painting.

    ``height`` gives the rows of the view, ``clock`` the seconds of a monotonic clock. What is done
    here is told to ``changes``.
    """

    def __init__(
        self,
        turn_list: TurnList,
        changes: ViewChanges,
        *,
        height: Callable[[], int],
        clock: Callable[[], float],
    ) -> None:
        self.changes = changes
        self.is_following = True
        self.has_leaps = False
        """A full view that follows moves up by half its height, for a line that is thin."""
        self.top_row = 0
        """The row at the top of the view."""
        self.new_lines = 0
        """Rows that came below the view since it stopped following."""
        self.scroll_count = 0
        """How often the view has moved."""
        self._turn_list = turn_list
        self._height = height
        self._clock = clock
        self._moved_at = 0.0
        self._spare_rows = 0
        """Blank rows at the end that the last move left for the text to come."""

    # Position

    @property
    def height(self) -> int:
        """Rows of the view; at least one."""
        return max(1, self._height())

    @property
    def end_row(self) -> int:
        """The top row that shows the end."""
        return max(0, self._turn_list.rows - self.height)

    @property
    def shown_row(self) -> int:
        """The top row, or the one that shows the end where the view has moved beyond it."""
        return min(self.top_row, self.end_row)

    @property
    def column_rows(self) -> int:
        """Rows of the column, with the blank ones that a view at its end has moved up beyond it."""
        rows = self._turn_list.rows
        return max(rows, self.top_row + self.height) if self.is_following else rows

    @property
    def rows_below(self) -> int:
        """Rows of the column below the view."""
        return max(0, self._turn_list.rows - (self.top_row + self.height))

    @property
    def thumb(self) -> range:
        """The rows of the view that show, like a scrollbar, where in the column it is."""
        rows, height = self._turn_list.rows, self.height
        if self.is_following or rows <= height:
            return range(0)
        size = max(1, height * height // rows)
        start = self.top_row * (height - size) // max(1, rows - height)
        return range(start, start + size)

    @property
    def turn_in_view(self) -> TurnView | None:
        """The turn at the top of the view; the last one while the end is followed."""
        number = self.turn_number_in_view
        return None if number is None else self._turn_list.turns[number]

    @property
    def turn_number_in_view(self) -> int | None:
        """Which turn that is, from 0 on; None without turns."""
        turns = self._turn_list.turns
        if not turns or self.is_following:
            return len(turns) - 1 if turns else None
        place = self._turn_list.place(min(self.top_row + 1, self._turn_list.rows - 1))
        return place.turn if place else None

    @property
    def position(self) -> tuple[int, int] | None:
        """The turn at the top of the view, from 0 on, and its row there; None while the end is
        followed."""
        place = None if self.is_following else self._turn_list.place(self.shown_row)
        if place is None:
            return None
        return place.turn, self._turn_list.row_of(place) - self._turn_list.top(place.turn)

    def folded_turn_at(self, y: int) -> TurnView | None:
        """The turn whose thinking is opened and folded at a row of the view."""
        turn_list = self._turn_list
        place = turn_list.place(self.top_row + y)
        if place is None or turn_list.part(place).kind != "fold":
            return None
        return turn_list.turns[place.turn]

    # Moving

    def show_end(self) -> None:
        """Go to the end and follow it. Thinking that was open only for a reader folds."""
        is_rearranged = self._turn_list.release_thinking()
        self.is_following = True
        self._turn_list.settle_end(self.height)
        self._move_to(self.end_row)
        self._turn_list.trim(self.height)
        self.new_lines = 0
        self.changes.mark(is_rearranged=is_rearranged)

    def show_row(self, top: int) -> None:
        """Show this row at the top, or as far down as there are rows; the end is followed."""
        height = self.height
        top = self._turn_list.settle(max(0, min(top, self.end_row)), height)
        if top >= self.end_row:
            self.show_end()
            return
        self.is_following = False
        self._move_to(top)
        self._turn_list.trim(height)
        self.new_lines = min(self.new_lines, self.rows_below)
        self.changes.mark()

    def show_turn(self, number: int) -> None:
        """Show this turn, counted from 0 on, at the top."""
        if number < len(self._turn_list.turns):
            self.show_row(self._turn_list.top(number))

    def show_position(self, number: int, row: int) -> None:
        """Show this row of a turn at the top, or the last one where it has fewer by now."""
        turn_list = self._turn_list
        if number < len(turn_list.turns):
            turn = turn_list.open(number)
            for part in range(len(turn.parts)):
                turn_list.lay_out(number, part)
            self.show_row(turn_list.top(number) + min(row, turn.rows - 1))

    def bring_into_view(self, row: int) -> None:
        """Move the view as little as shows a row."""
        if row < self.top_row:
            self.show_row(row)
        elif row >= self.top_row + self.height:
            self.show_row(row - self.height + 1)

    def refit(self) -> None:
        """Show the same as before: rows were added, or the view has another height."""
        if self.is_following:
            self.show_end()
        else:
            self.show_row(self.top_row)

    def scroll_rows(self, rows: int) -> None:
        """Move the view down by rows, or up."""
        self.show_row(self.shown_row + rows)

    def jump_turn(self, step: int) -> None:
        """Show the next turn from its prompt on, or the one before."""
        turn_list = self._turn_list
        place = turn_list.place(self.shown_row)
        if place is None:
            return
        index = place.turn + step
        if step < 0 and turn_list.row_of(place) > turn_list.top(place.turn):
            index += 1
        if index >= len(turn_list.turns):
            self.show_end()
        else:
            self.show_row(turn_list.top(max(0, index)))

    def _move_to(self, top: int) -> None:
        limit = self._turn_list.rows - self.height
        top = max(0, top if self.is_following else min(top, limit))
        if top != self.top_row:
            self.scroll_count += 1
        self.top_row = top

    # What changes while it is shown

    @contextmanager
    def holding(self) -> Iterator[None]:
        """What is shown stays where it is while turns elsewhere are opened and measured."""
        turn_list, rows, top = self._turn_list, self._turn_list.rows, self.top_row
        anchor = self.anchor()
        yield
        if turn_list.rows == rows and (anchor is None or turn_list.row_of_anchor(anchor) == top):
            return
        if anchor is None:
            self._move_to(top + turn_list.rows - rows)
        else:
            self._move_to(turn_list.settle(turn_list.row_of_anchor(anchor), self.height))
        self.changes.mark()

    def anchor(self) -> Anchor | None:
        """What stands at the top of the view; None while the end is followed."""
        return None if self.is_following else self._turn_list.anchor(self.top_row)

    def grown(self, rows_before: int, first_changed: int) -> None:
        """Rows from ``first_changed`` on are others than before: move if need be."""
        rows, height, top = self._turn_list.rows, self.height, self.top_row
        if is_coloured := self._turn_list.take_coloured():
            first_changed = 0
        if self.is_following:
            overhang = rows - (top + height)
            is_far_up = rows < top + height // 2 and top > 0
            if overhang > 0 or is_far_up:
                target = self.end_row + (self._jump(overhang) if overhang > 0 else 0)
                if target != top:
                    self._move_to(target)
                    first_changed = 0
            self.new_lines = 0
        else:
            self._move_to(top)
            self.new_lines = min(self.new_lines + max(0, rows - rows_before), self.rows_below)
        self._turn_list.trim(height)
        self.changes.mark(first_changed, is_rearranged=is_coloured)

    def _jump(self, overhang: int) -> int:
        """How many rows to move up beyond what is needed, so that fast text moves less often."""
        if self.has_leaps:
            return max(0, self.height // 2 - overhang)
        now = self._clock()
        seconds, self._moved_at = now - self._moved_at, now
        came, self._spare_rows = self._spare_rows + overhang, 0
        if not 0 < seconds < 2 * JUMP_SECONDS:
            return 0
        wanted = round(came / seconds * JUMP_SECONDS)
        self._spare_rows = max(0, min(wanted, self.height // 4) - overhang)
        return self._spare_rows

    def rearrange(self, turn: TurnView) -> None:
        """Make the parts of a turn anew; what is being read stays where it is."""
        turn_list = self._turn_list
        index, rows, anchor = turn_list.turns.index(turn), turn_list.rows, self.anchor()
        turn_list.open(index)
        turn.arrange(turn_list.mode)
        self.rearranged(index, rows, anchor)

    def rearranged(self, index: int, rows_before: int, anchor: Anchor | None) -> None:
        """The parts of a turn are others than before; ``anchor`` was at the top of the view."""
        turn_list = self._turn_list
        turn_list.resized(index)
        parts = turn_list.turns[index].parts
        for at in range(len(parts) - 1, -1, -1):
            if parts[at].is_exact:
                break
            turn_list.lay_out(index, at)
        if anchor is None:
            turn_list.settle_end(self.height)
        else:
            self._move_to(turn_list.settle(turn_list.row_of_anchor(anchor), self.height))
        with self.changes:
            self.changes.mark(is_rearranged=True)
            self.grown(rows_before, 0)

    def toggle_thinking(self, turn: TurnView | None) -> None:
        """Open or fold the thinking of a turn."""
        if turn is not None and turn.thinking.has_text:
            turn.wants_thinking = not turn.is_thinking_open
            turn.is_thinking_held = False
            self.rearrange(turn)

    def resized(self, width: int) -> None:
        """The view has another size; ``width`` is that of the text, in cells."""
        mode = self._turn_list.mode
        if width != mode.width:
            self.change_mode(replace(mode, width=width))
        else:
            self.refit()

    def toggle_raw(self) -> None:
        """Show answers as they came, or as Markdown again."""
        mode = self._turn_list.mode
        self.change_mode(replace(mode, is_raw=not mode.is_raw))

    def change_mode(self, mode: RenderMode) -> None:
        """Show everything in another mode; what is being read stays where it is."""
        turn_list = self._turn_list
        is_split_anew = mode.is_raw != turn_list.mode.is_raw
        anchor, new = self.anchor(), None
        if anchor is not None and self.new_lines:
            new = turn_list.anchor(turn_list.rows - self.new_lines)
        turn_list.change_mode(mode, is_split_anew=is_split_anew)
        with self.changes:
            self.changes.mark(is_rearranged=True)
            if anchor is None:
                self.show_end()
                return
            if new is not None:
                self.new_lines = turn_list.rows_from_anchor(new)
            self.show_row(turn_list.row_of_anchor(anchor))
