"""Searching the transcript: the prompt's line takes the pattern, the bottom line counts matches."""

from __future__ import annotations

from textual.widgets import Static

from tui.core.text.glyphs import Glyphs
from tui.screens.chat.hints import MATCH_HINTS
from tui.screens.chat.widgets import ChatWidgets
from tui.widgets.chat.key_bar import key_hints
from tui.widgets.transcript.transcript import Transcript


class TranscriptSearch:
    """Swaps the prompt for the search line and back."""

    def __init__(self, widgets: ChatWidgets, glyphs: Glyphs) -> None:
        self._widgets = widgets
        self._glyphs = glyphs

    @property
    def is_open(self) -> bool:
        return self._widgets.search_line.display

    def open(self) -> None:
        """The prompt's line takes a pattern."""
        self._show(True)
        self._widgets.search_line.focus()

    def give_up(self) -> None:
        """Cancels the search."""
        self._widgets.search_line.give_up()

    def take_text(self, text: str) -> None:
        """Text that was typed elsewhere while the line is open belongs into it."""
        line = self._widgets.search_line
        line.focus()
        line.insert_text_at_cursor(text)

    def close(self, pattern: str) -> None:
        """The user is done typing; with a pattern the transcript takes the keys."""
        transcript = self._widgets.transcript
        self._show(False)
        # At once: the next key may be here already.
        self._widgets.screen.set_focus(transcript if pattern else self._widgets.prompt)
        if pattern and not transcript.is_searching:
            transcript.search(pattern)

    def _show(self, is_shown: bool) -> None:
        self._widgets.search_line.display = is_shown
        self._widgets.prompt.display = not is_shown
        mark = "/" if is_shown else self._glyphs.prompt
        self._widgets.screen.query_one("#prompt-mark", Static).update(f" {mark} ")

    def show_matches(self, event: Transcript.SearchChanged) -> None:
        """Which match is shown, and the keys to the others."""
        widgets = self._widgets
        if not event.pattern:
            widgets.message_bar.end()
        elif not event.count:
            widgets.say("no match", "warn")
        else:
            keys = key_hints(widgets.screen, MATCH_HINTS)
            told = ", ".join(f"{hint.cap} {hint.label}" for hint in keys)
            widgets.say(f"match {event.position} of {event.count}; {told}")
