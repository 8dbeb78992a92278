"""All turns as one column of rows, of which only those near the view are ever made.

What has not been looked at has an estimated height. When a height turns out different the view is
moved along by its anchor, the part at its top, so nothing that is being read ever moves.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from tui.core.text.block import Block
from tui.widgets.transcript.layout import RenderMode
from tui.widgets.transcript.parts import Part, PartKind
from tui.widgets.transcript.turn_view import TurnView

MIN_LAYOUTS = 128
"""Parts that keep their layout; the ones not seen for longest lose it first."""
MAX_OPEN_TURNS = 24


@dataclass(frozen=True, slots=True)
class Place:
    """A row of the column: the turn, the part in it, and the row of the part."""

    turn: int
    part: int
    row: int


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place that survives a change of width or of parts: a part by what it shows.

    ``offset`` is where the row begins in the text of the part, ``line`` the same in lines of the
    source, for when the source is split into other parts.
    """

    turn: TurnView
    kind: PartKind
    block: Block | None
    offset: int
    line: int
    row: int


class TurnList:
    """The column. ``laid_out_parts`` counts layouts made or grown, as a measure of the work."""

    def __init__(self, mode: RenderMode) -> None:
        self.turns: list[TurnView] = []
        self.mode = mode
        self.laid_out_parts = 0
        self._tops: list[int] = []
        self._counted = 0
        self._layouts: OrderedDict[int, Part] = OrderedDict()
        self._open: OrderedDict[int, TurnView] = OrderedDict()
        self._uncoloured: set[Part] = set()

    # Heights

    @property
    def rows(self) -> int:
        """Rows of all turns."""
        if not self.turns:
            return 0
        self._count()
        return self._tops[-1] + self.turns[-1].rows

    def top(self, turn: int, part: int = 0) -> int:
        """The row where a turn, or a part of it, begins."""
        self._count()
        return self._tops[turn] + (self.turns[turn].top(part) if part else 0)

    def row_of(self, place: Place) -> int:
        return self.top(place.turn, place.part) + place.row

    def resized(self, turn: int, part: int = 0) -> None:
        """The rows of a part, or of all from it on, have changed."""
        self.turns[turn].resized(part)
        self._counted = min(self._counted, turn + 1)

    def _count(self) -> None:
        tops, turns = self._tops, self.turns
        del tops[self._counted :]
        for index in range(self._counted, len(turns)):
            tops.append(tops[index - 1] + turns[index - 1].rows if index else 0)
        self._counted = len(tops)

    # Turns

    def add(self, turn: TurnView) -> None:
        """A turn at the end, which names its model where that is another than before."""
        before = next((one.model for one in reversed(self.turns) if one.model), turn.model)
        turn.shows_model = bool(turn.model) and turn.model != before
        turn.estimate(self.mode.width)
        self.turns.append(turn)

    def remove(self, turn: TurnView) -> None:
        """Forget one turn."""
        index = self.turns.index(turn)
        del self.turns[index]
        self._counted = min(self._counted, index)
        self._open.pop(id(turn), None)
        for part in turn.parts:
            self._layouts.pop(part.serial, None)
            self._uncoloured.discard(part)

    def clear(self) -> None:
        self.turns.clear()
        self._tops.clear()
        self._counted = 0
        self._layouts.clear()
        self._open.clear()
        self._uncoloured.clear()

    def change_mode(self, mode: RenderMode, *, is_split_anew: bool) -> None:
        """Show everything in another width, or as source instead of Markdown."""
        self.mode = mode
        self._layouts.clear()
        self._uncoloured.clear()
        for turn in self.turns:
            if turn.is_open and is_split_anew:
                if turn.is_live:
                    turn.open(mode)
                else:
                    turn.close()
            turn.estimate(mode.width)
        self._counted = 0

    def open(self, index: int) -> TurnView:
        """The turn, with its parts."""
        turn = self.turns[index]
        if not turn.is_open:
            turn.open(self.mode)
            self.resized(index)
        self._open[id(turn)] = turn
        self._open.move_to_end(id(turn))
        return turn

    @property
    def live(self) -> TurnView | None:
        """The turn that is being answered: it is the last one."""
        return self.turns[-1] if self.turns and self.turns[-1].is_live else None

    def release_thinking(self) -> bool:
        """Fold thinking that is open only because somebody was reading. Returns whether there is
        any; then the parts of the live turn are others than before."""
        turn = self.live
        if turn is None or not turn.is_thinking_held:
            return False
        turn.wants_thinking, turn.is_thinking_held = None, False
        turn.arrange(self.mode)
        self.resized(len(self.turns) - 1)
        return True

    def lay_out(self, turn: int, part: int) -> int:
        """Make sure that a part has its rows. Returns the first row that may have changed."""
        one = self.turns[turn].parts[part]
        first = one.rows
        if one.layout is None or not one.is_exact:
            self.laid_out_parts += 1
            rows = one.rows
            first = one.lay_out(self.mode)
            if one.is_uncoloured:
                self._uncoloured.add(one)
            if one.rows != rows:
                self.resized(turn, part)
        self._layouts[one.serial] = one
        self._layouts.move_to_end(one.serial)
        return first

    def take_coloured(self) -> bool:
        """Have code laid out again whose lexer has become ready. Returns whether there is any."""
        may_wait = self.mode.lexers.is_patient
        ready = [one for one in self._uncoloured if may_wait or not one.is_uncoloured]
        for part in ready:
            part.layout = None
            self._uncoloured.remove(part)
        return bool(ready)

    def trim(self, height: int) -> None:
        """Let go of what has not been seen for longest, but not of what a view of ``height`` rows
        and the rows around it need."""
        while len(self._layouts) > max(MIN_LAYOUTS, 4 * height):
            self._layouts.popitem(last=False)[1].layout = None
        closable = len(self._open) - MAX_OPEN_TURNS
        for key in list(self._open)[: max(0, closable)]:
            turn = self._open.pop(key)
            if turn.is_live:
                self._open[key] = turn
            else:
                for part in turn.parts:
                    self._layouts.pop(part.serial, None)
                turn.close()

    # Places

    def place(self, row: int) -> Place | None:
        """What stands in a row; it is laid out, so a later call may give another place."""
        if not 0 <= row < self.rows:
            return None
        turn = self._turn_at(row)
        inside = row - self._tops[turn]
        if not self.turns[turn].is_open:
            before = self.turns[turn].rows
            self.open(turn)
            inside = min(
                inside * self.turns[turn].rows // max(1, before), self.turns[turn].rows - 1
            )
        self.open(turn)
        part = self.turns[turn].part_at(inside)
        one = self.turns[turn].parts[part]
        inside -= self.turns[turn].top(part)
        before = one.rows
        self.lay_out(turn, part)
        if one.rows != before:
            inside = inside * one.rows // max(1, before)
        return Place(turn, part, min(inside, one.rows - 1))

    def has(self, place: Place) -> bool:
        """Whether there is such a part, still."""
        turns = self.turns
        return place.turn < len(turns) and place.part < len(self.open(place.turn).parts)

    def part(self, place: Place) -> Part:
        return self.turns[place.turn].parts[place.part]

    def _turn_at(self, row: int) -> int:
        self._count()
        return max(bisect_right(self._tops, row) - 1, 0)

    def forward(self, place: Place) -> Iterator[tuple[int, int]]:
        """The parts from a place on, laid out one by one."""
        part = place.part
        for turn in range(place.turn, len(self.turns)):
            parts = self.open(turn).parts
            while part < len(parts):
                self.lay_out(turn, part)
                yield turn, part
                part += 1
            part = 0

    def backward(self, turn: int, part: int) -> Iterator[tuple[int, int]]:
        """The parts before one, the nearest first, laid out one by one."""
        while True:
            while part > 0:
                part -= 1
                self.lay_out(turn, part)
                yield turn, part
            if turn == 0:
                return
            turn -= 1
            part = len(self.open(turn).parts)

    def settle(self, row: int, height: int) -> int:
        """Make the rows around a view exact: those in it, and as many above and below.

        Returns the row of the view's top now; what stands there is what stood there before.
        """
        place = self.place(min(row, self.rows - 1)) if row >= 0 else None
        if place is None:
            return 0
        covered = -place.row
        for turn, part in self.forward(place):
            covered += self.turns[turn].parts[part].rows
            if covered >= 2 * height:
                break
        covered = place.row
        if covered < height:
            for turn, part in self.backward(place.turn, place.part):
                covered += self.turns[turn].parts[part].rows
                if covered >= height:
                    break
        return self.row_of(place)

    def rows_from_anchor(self, anchor: Anchor) -> int:
        """Rows from a place to the end, all of them counted."""
        row = self.row_of_anchor(anchor)
        place = self.place(row)
        if place is None:
            return 0
        for _ in self.forward(place):
            pass
        return self.rows - self.row_of_anchor(anchor)

    def settle_end(self, height: int) -> int:
        """Make the last rows exact, twice a view's height. Returns the number of all rows."""
        covered = 0
        if self.turns:
            for turn, part in self.backward(len(self.turns), 0):
                covered += self.turns[turn].parts[part].rows
                if covered >= 2 * height:
                    break
        return self.rows

    # Anchors

    def anchor(self, row: int) -> Anchor | None:
        """What stands in a row, to find it again after a change."""
        place = self.place(row)
        if place is None:
            return None
        part = self.part(place)
        inner = place.row - part.has_gap
        offset = line = 0
        if part.layout is not None and inner >= 0:
            offset = part.layout.row_span(inner)[0]
        if part.block is not None:
            line = line_of_offset(part, offset)
        return Anchor(self.turns[place.turn], part.kind, part.block, offset, line, place.row)

    def row_of_anchor(self, anchor: Anchor) -> int:
        """The row where it stands now; the top of its turn where it is gone."""
        try:
            turn = self.turns.index(anchor.turn)
        except ValueError:
            return 0
        found = None
        for index, part in enumerate(self.open(turn).parts):
            if part.kind != anchor.kind:
                continue
            if part.block is anchor.block:
                self.lay_out(turn, index)
                inner = row_of_offset(part, anchor.offset) if anchor.offset else anchor.row
                return self.top(turn, index) + min(inner, part.rows - 1)
            if part.block is not None and part.block.start <= anchor.line:
                found = index
        if found is None:
            return self.top(turn)
        self.lay_out(turn, found)
        return self.top(turn, found) + row_of_line(self.turns[turn].parts[found], anchor.line)


def row_of_offset(part: Part, offset: int) -> int:
    """The row of a laid out part that holds an offset of its text."""
    if part.layout is None:
        return 0
    low, high = 0, len(part.layout)
    while high - low > 1:
        middle = (low + high) // 2
        if part.layout.row_span(middle)[0] <= offset:
            low = middle
        else:
            high = middle
    return low + part.has_gap


def line_of_offset(part: Part, offset: int) -> int:
    """About the line of the source that an offset of a laid out part's text comes from."""
    if part.layout is None or part.block is None:
        return 0
    source = "\n".join(part.block.lines)
    position = offset * len(source) // max(1, len(part.layout.text))
    return part.block.start + source.count("\n", 0, position + 1)


def row_of_line(part: Part, line: int) -> int:
    """About the row of a laid out part that shows a line of the source."""
    if part.layout is None or part.block is None:
        return 0
    lines = part.block.lines
    before = sum(len(one) + 1 for one in lines[: line - part.block.start])
    source = sum(len(one) + 1 for one in lines) - 1
    return row_of_offset(part, before * len(part.layout.text) // max(1, source))
