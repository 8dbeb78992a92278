"""Jumps between code blocks, and which block is copied."""

from __future__ import annotations

from tui.widgets.transcript.row_text import code_before, has_code, source_of_code
from tui.widgets.transcript.turn_list import Place, TurnList
from tui.widgets.transcript.viewport import Viewport


class CodeJump:
    """The block of code that was jumped to last. It counts until the view is moved."""

    def __init__(self, turn_list: TurnList, viewport: Viewport) -> None:
        self._turn_list = turn_list
        self._viewport = viewport
        self._shown: tuple[Place, int] | None = None
        """The block shown last, and the top row that showed it."""

    def clear(self) -> None:
        self._shown = None

    def jump(self, step: int) -> None:
        """Show the next block of code or, with -1, the one before."""
        viewport = self._viewport
        with viewport.changes:
            with viewport.holding():
                found = self._next(step)
            if found is not None:
                viewport.show_row(self._turn_list.top(found.turn, found.part))
                self._shown = (found, viewport.top_row)

    @property
    def text(self) -> str:
        """The code jumped to, or else the last that begins above the end of the view; as it came,
        with its tabs."""
        turn_list, viewport = self._turn_list, self._viewport
        with viewport.holding():
            place = self._current(viewport.top_row)
            if place is not None and turn_list.has(place):
                return source_of_code(turn_list.turns[place.turn], turn_list.part(place))
            bottom = min(viewport.top_row + viewport.height, turn_list.rows) - 1
            below = turn_list.place(bottom)
            return "" if below is None else code_before(turn_list, below)

    def _current(self, top: int) -> Place | None:
        """The block that was jumped to, while the view's top row is still ``top``."""
        return self._shown[0] if self._shown is not None and self._shown[1] == top else None

    def _next(self, step: int) -> Place | None:
        """The block of code after what stands at the top of the view, or the one before it (before
        the end, where that is followed); None where there is none. May open turns."""
        turn_list, top = self._turn_list, self._viewport.shown_row
        here = self._current(top)
        if here is None and step < 0 and self._viewport.is_following:
            here = Place(len(turn_list.turns), 0, 0)
        elif here is None:
            place = turn_list.place(top)
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
