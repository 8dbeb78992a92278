"""The line that takes a search pattern, in the place of the prompt while it is open."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.message import Message
from textual.widgets import Input


class SearchLine(Input):
    """Searches while the user types; Enter goes on to the matches, the screen's Esc gives up."""

    @dataclass
    class Searched(Message):
        """The pattern is now this one; empty ends the search."""

        pattern: str

    @dataclass
    class Closed(Message):
        """The user is done typing; ``pattern`` is empty where the search was given up."""

        pattern: str

    DEFAULT_CSS = """
    SearchLine {
        width: 1fr; height: 1; border: none; padding: 0; display: none;
        background: $background; color: $foreground;
        &:focus { border: none; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, compact=True, placeholder="search the transcript")
        self.cursor_blink = False

    @on(Input.Changed)
    def _search(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Searched(event.value))

    @on(Input.Submitted)
    def _close(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Closed(event.value))

    def give_up(self) -> None:
        """No search after all."""
        self.value = ""
        self.post_message(self.Closed(""))
