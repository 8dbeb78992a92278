"""The line that takes a search pattern, in the place of the prompt while it is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual import events, on
from textual.message import Message
from textual.widgets import Input

from tui.widgets.kit.fields import LineField


class SearchLine(LineField):
    """Searches while the user types; Enter goes on to the matches, the screen's Esc gives up."""

    @dataclass
    class Searched(Message):
        """The pattern is now this one; empty ends the search."""

        pattern: str

    DEFAULT_CSS = """
    SearchLine {
        width: 1fr; height: 1; border: none; padding: 0; display: none;
        background: $background; color: $foreground;
        &:focus { border: none; }
    }
    """

    def __init__(self, close: Callable[[str], None], *, id: str | None = None) -> None:
        """``close`` is called with the pattern when the user is done typing; empty: given up."""
        super().__init__(id=id, compact=True, placeholder="search the transcript")
        self.cursor_blink = False
        self._close = close

    @on(Input.Changed)
    def _search(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Searched(event.value))

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self._close(self.value)

    def give_up(self) -> None:
        """Cancels the search."""
        self.value = ""
        self._close("")
