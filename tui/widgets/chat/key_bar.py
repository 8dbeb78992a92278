"""The bottom line: which keys work here. A click on one does what the key does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message

from tui.core.text.glyphs import Glyphs
from tui.widgets.kit.rows import Row, Rows, row_width


@dataclass(frozen=True)
class KeyHint:
    """One key as it is shown: its cap, what it does, and the action that a click runs."""

    cap: str
    label: str
    action: str


class KeyBar(Rows):
    """One row of key hints; hints that do not fit are left out whole, from the right."""

    @dataclass
    class Chosen(Message):
        """The user clicked a hint."""

        action: str

    DEFAULT_CSS = """
    KeyBar { height: 1; background: $raised; }
    """

    GAP = "   "

    def __init__(self, hints: Sequence[KeyHint], glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(glyphs, id=id)
        self._hints = tuple(hints)

    def set_hints(self, hints: Sequence[KeyHint]) -> None:
        """Show these hints instead."""
        self._hints = tuple(hints)
        self.refresh_rows()

    def build(self, width: int) -> Sequence[Row]:
        row: Row = ((" ", "text"),)
        for hint in self._hints:
            spans: Row = ((hint.cap, "key"), (f" {hint.label}", "dim"))
            if row_width(row) + row_width(spans) > width:
                break
            row = (*row, *spans, (self.GAP, "text"))
        return [row]

    def on_click(self, event: events.Click) -> None:
        x = 1
        for hint in self._hints:
            cells = row_width(((hint.cap, "key"), (f" {hint.label}", "dim")))
            if x <= event.x < x + cells:
                self.post_message(self.Chosen(hint.action))
                return
            x += cells + len(self.GAP)
