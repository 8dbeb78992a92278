"""Jumps between the matches of a search."""

from __future__ import annotations

from dataclasses import dataclass

from tui.widgets.transcript.search import Match, Search, offset_of_match, part_of_match
from tui.widgets.transcript.turn_list import TurnList, row_of_offset
from tui.widgets.transcript.viewport import Viewport


@dataclass(frozen=True, slots=True)
class SearchState:
    """Which match is shown, from 1 (0 for none), and how many there are."""

    pattern: str = ""
    position: int = 0
    count: int = 0


class SearchJump:
    """A search whose matches are marked, and the match that is shown.

    ``search`` is None while nothing is searched for. ``shown`` is the match shown: the serial of
    its part and its offset in the text of that part.
    """

    def __init__(self, turn_list: TurnList, viewport: Viewport) -> None:
        self.search: Search | None = None
        self.shown: tuple[int, int] | None = None
        self._turn_list = turn_list
        self._viewport = viewport

    @property
    def state(self) -> SearchState:
        """Where the search stands."""
        search = self.search
        if search is None:
            return SearchState()
        return SearchState(search.pattern, search.position, len(search.matches))

    def begin(self, pattern: str) -> None:
        """Mark every match and show the nearest one."""
        search, turns = Search(pattern), self._turn_list.turns
        self.search = search
        search.update(turns)
        if self._viewport.is_following:
            self._show(search, search.step(-1, Match(len(turns), 0, 0)))
        else:
            place = self._turn_list.place(self._viewport.top_row)
            self._show(search, search.step(1, Match(place.turn if place else 0, 0, 0)))

    def step(self, step: int) -> None:
        """Show the next match or, with -1, the one before; around the end."""
        if self.search is not None:
            self.search.update(self._turn_list.turns)
            self._show(self.search, self.search.step(step, Match(0, 0, 0)))

    def end(self) -> None:
        """Mark nothing any more."""
        self.search = self.shown = None
        self._viewport.changes.mark(is_rearranged=True)

    def _show(self, search: Search, match: Match | None) -> None:
        self.shown = None
        with self._viewport.changes:
            if match is not None:
                self._bring_into_view(search, match)
            self._viewport.changes.mark(is_rearranged=True)

    def _bring_into_view(self, search: Search, match: Match) -> None:
        turn_list, viewport = self._turn_list, self._viewport
        with viewport.holding():
            turn = turn_list.open(match.turn)
        if match.kind == "thinking" and not turn.is_thinking_open:
            viewport.toggle_thinking(turn)
        index = part_of_match(turn, match)
        if index is None:
            return
        with viewport.holding():
            turn_list.lay_out(match.turn, index)
        part = turn.parts[index]
        offset = offset_of_match(search, turn, part, match)
        self.shown = (part.serial, offset)
        row = turn_list.top(match.turn, index) + row_of_offset(part, offset)
        if not viewport.top_row <= row < viewport.top_row + viewport.height - 1:
            viewport.show_row(row - viewport.height // 3)
