"""Draft and scroll position of the dashboard, which the next start restores."""

from __future__ import annotations

from collections.abc import Sequence

from tui.screens.chat.conversation import ConversationActions
from tui.screens.chat.widgets import ChatWidgets


class ChatPlace:
    """What stands in the prompt, and what of the transcript is in view."""

    def __init__(self, widgets: ChatWidgets, conversation: ConversationActions) -> None:
        self._widgets = widgets
        self._conversation = conversation

    @property
    def draft(self) -> str:
        """What stands in the prompt."""
        return self._widgets.prompt.whole_text

    @property
    def position(self) -> tuple[int, int] | None:
        """The turn at the top of the transcript and the row of it; None at its end."""
        return self._conversation.position

    def show_position(self, turn: int, row: int) -> None:
        """Scroll the transcript there, once it is laid out."""
        transcript = self._widgets.transcript
        self._widgets.screen.call_after_refresh(transcript.show_position, turn, row)

    def remember_prompts(self, prompts: Sequence[str]) -> None:
        """Prompts of earlier runs, oldest first, for Up."""
        self._widgets.prompt.remember_older(prompts)

    def take_draft(self, draft: str) -> None:
        """Put the draft of an earlier run into the prompt, unless something is written there."""
        if not self._widgets.prompt.take_draft(draft):
            self._widgets.say("Up brings the draft of the last run")
