"""A list of which one line is chosen, with headings between: draws the lines in view alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from tui.core.screen.keys.choice import CHOICE_LIST_KEYS
from tui.core.text.glyphs import Glyphs
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.grounds import GroundedRows, on_ground
from tui.widgets.kit.rows import Row, fit

WHEEL_LINES = 3


@dataclass(frozen=True, slots=True)
class ChoiceLine:
    """One line; ``number`` counts those that can be chosen, a heading has none."""

    row: Row
    number: int | None = None


class ChoiceList(GroundedRows, can_focus=True):
    """``lines`` gives all lines at a width; two cells at their left are for the mark."""

    @dataclass
    class Chosen(Message):
        """Another line was chosen."""

        number: int

    @dataclass
    class Taken(Message):
        """The user wants what is chosen."""

        number: int

    BINDINGS: ClassVar[list[BindingType]] = bindings(CHOICE_LIST_KEYS, has_priority=False)
    DEFAULT_CSS = "ChoiceList { height: 1fr; background: $raised; }"

    def __init__(
        self,
        lines: Callable[[int], Sequence[ChoiceLine]],
        glyphs: Glyphs,
        *,
        chosen: int = 0,
        id: str | None = None,
    ) -> None:
        super().__init__(glyphs, id=id)
        self._lines_of = lines
        self._lines: Sequence[ChoiceLine] = ()
        self.chosen = chosen
        self._top = 0

    @property
    def count(self) -> int:
        """How many lines can be chosen."""
        lines = self._lines or self._lines_of(max(self.size.width, 1))
        return sum(line.number is not None for line in lines)

    def choose(self, number: int) -> None:
        """Choose the line of this number, or the one next to it; the lines are asked for anew."""
        self._lines = ()
        number = max(0, min(number, self.count - 1))
        is_other = number != self.chosen
        self.chosen = number
        self.refresh_rows()
        if is_other:
            self.post_message(self.Chosen(number))

    def build(self, width: int) -> Sequence[Row]:
        lines, height = self._lines_of(width), self.size.height
        self._lines = lines
        at = next((y for y, line in enumerate(lines) if line.number == self.chosen), 0)
        # The heading above the first of a group is kept in sight.
        first = at - 1 if at and lines[at - 1].number is None else at
        last_top = max(len(lines) - height, 0)
        self._top = min(max(self._top, at - height + 1), first if self._top > first else last_top)
        rows = [self._row(line, width) for line in lines[self._top : self._top + height]]
        return [*rows, *[()] * (height - len(rows))]

    def _row(self, line: ChoiceLine, width: int) -> Row:
        if line.number is None:
            return fit(line.row, width)
        if line.number != self.chosen:
            return fit((("  ", "text"), *line.row), width)
        row = fit(((f"{self._glyphs.closed} ", "live"), *line.row), width)
        return on_ground(row, "selected", width)

    def action_choose(self, step: int) -> None:
        """``step`` lines down; from the last one to the first."""
        if count := self.count:
            self.choose((self.chosen + step) % count)

    def action_choose_page(self, step: int) -> None:
        self.choose(self.chosen + step * max(self.size.height - 1, 1))

    def action_take(self) -> None:
        if self.chosen < self.count:
            self.post_message(self.Taken(self.chosen))

    def on_click(self, event: events.Click) -> None:
        y = self._top + event.y
        number = self._lines[y].number if y < len(self._lines) else None
        if number is not None:
            self.choose(number)
            self.action_take()

    def on_mouse_scroll_down(self) -> None:
        self.choose(self.chosen + WHEEL_LINES)

    def on_mouse_scroll_up(self) -> None:
        self.choose(self.chosen - WHEEL_LINES)
