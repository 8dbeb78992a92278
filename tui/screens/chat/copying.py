"""Copies texts of the transcript, and says in the bottom line where they are."""

from __future__ import annotations

from collections.abc import Callable

from tui.screens.chat.widgets import ChatWidgets


class Copying:
    """``put`` puts a text into the clipboard and gives the sentence that says where it is; its
    second argument is what the text is."""

    def __init__(self, widgets: ChatWidgets, put: Callable[[str, str], str]) -> None:
        self._widgets = widgets
        self.put = put

    def copy_answer(self) -> None:
        """The selection, or else the last answer."""
        transcript = self._widgets.transcript
        if selected := transcript.selection_text():
            self.copy(selected, "the selection")
        else:
            self.copy(transcript.copy_text.last_answer, "the last answer")

    def copy(self, text: str, what: str) -> None:
        """This text, which is ``what``."""
        if not text:
            self._widgets.say(f"there is nothing to copy as {what}", "warn")
            return
        self._widgets.say(self.put(text, what))
