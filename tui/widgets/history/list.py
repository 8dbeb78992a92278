"""The list of the history: draws the lines in view and nothing else, however long it is."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.message import Message

from tui.core.text.glyphs import Glyphs
from tui.widgets.history.rows import Entry, entry_rows, window
from tui.widgets.kit.grounds import GroundedRows
from tui.widgets.kit.rows import Row


class HistoryList(GroundedRows, can_focus=True):
    """One line per entry; the chosen one is in view."""

    class Chosen(Message):
        """Another entry was chosen."""

    class Opened(Message):
        """The chosen entry was clicked once more."""

    DEFAULT_CSS = """
    HistoryList { height: 1fr; background: $background; }
    """

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(glyphs, id=id)
        self.entries: list[Entry] = []
        self.marked: frozenset[int] = frozenset()
        """Conversations."""
        self.chosen = 0
        self._top = 0

    @property
    def entry(self) -> Entry | None:
        """The chosen one; None in an empty list."""
        return self.entries[self.chosen] if self.chosen < len(self.entries) else None

    def set_entries(self, entries: Sequence[Entry], chosen: int = 0) -> None:
        """Show these."""
        self.entries = list(entries)
        self.choose(chosen)

    def choose(self, index: int) -> None:
        """Choose the entry in this place, or the one next to it."""
        self.chosen = max(0, min(index, len(self.entries) - 1))
        self.refresh_rows()
        self.post_message(self.Chosen())

    def build(self, width: int) -> Sequence[Row]:
        height = self.size.height
        self._top = window(self.chosen, self._top, height, len(self.entries))
        size = (width, height)
        return entry_rows(self.entries, self.chosen, self.marked, self._top, size, self._glyphs)

    def on_click(self, event: events.Click) -> None:
        index = self._top + event.y
        if index == self.chosen:
            self.post_message(self.Opened())
        elif index < len(self.entries):
            self.choose(index)

    def on_mouse_scroll_down(self) -> None:
        self.choose(self.chosen + 3)

    def on_mouse_scroll_up(self) -> None:
        self.choose(self.chosen - 3)
