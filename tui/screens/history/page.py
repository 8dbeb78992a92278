"""Base of the history screens: top line, messages, the way back, and work off the app's thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from textual.binding import BindingType
from textual.message import Message

from tui.core.screen.headline import Headline
from tui.core.screen.keymap import Place
from tui.core.screen.keys.table import closing
from tui.core.text.glyphs import Glyphs
from tui.core.types import GenerationSettings
from tui.history.failures import HistoryError
from tui.history.records import History
from tui.screens.page import Page
from tui.widgets.kit.bindings import bindings

T = TypeVar("T")


@dataclass(frozen=True)
class HistoryData:
    """Where the history screens get what they show."""

    history: History
    headline: Callable[[], Headline]
    copy: Callable[[str, str], str]
    """Puts a text into the clipboard, and gives the sentence that says where it is."""


class HistoryPage(Page):
    """What the history screens have in common.

    Esc is one step back, F4 leaves all of them. A page does not know the others: it posts one of
    the messages below, and the app does it.
    """

    class OpenConversation(Message):
        """Show a conversation; ``turn`` is one on the branch that is meant."""

        def __init__(self, page: HistoryPage, conversation: int, turn: int | None) -> None:
            super().__init__()
            self.page, self.conversation, self.turn = page, conversation, turn

    class OpenAnswers(Message):
        """Show these answers side by side."""

        def __init__(self, page: HistoryPage, turns: Sequence[int]) -> None:
            super().__init__()
            self.page, self.turns = page, tuple(turns)

    class OpenTimelines(Message):
        """Show the timeline of the answer at ``at``, with the one at ``compared`` on its axis."""

        def __init__(
            self,
            page: HistoryPage,
            answers: Sequence[int],
            labels: Sequence[str],
            at: int,
            compared: int | None = None,
        ) -> None:
            super().__init__()
            self.page, self.answers, self.labels = page, tuple(answers), tuple(labels)
            self.at, self.compared = at, compared

    class Continue(Message):
        """Continue a conversation in the chat after the turn ``leaf`` (None: the chosen branch);
        ``prompt``: what is put into the prompt. ``is_from_start``: before its first turn."""

        def __init__(
            self,
            page: HistoryPage,
            conversation: int,
            leaf: int | None,
            prompt: str = "",
            *,
            is_from_start: bool = False,
        ) -> None:
            super().__init__()
            self.page, self.conversation, self.leaf = page, conversation, leaf
            self.prompt, self.is_from_start = prompt, is_from_start

    class ToLab(Message):
        """Make a prompt set of a prompt and the settings of its answer; None: the present ones."""

        def __init__(
            self, page: HistoryPage, prompt: str, settings: GenerationSettings | None
        ) -> None:
            super().__init__()
            self.page, self.prompt, self.settings = page, prompt, settings

    class Replay(Message):
        """Play an answer of a conversation again; ``answer`` None: the last one."""

        def __init__(self, page: HistoryPage, conversation: int, answer: int | None) -> None:
            super().__init__()
            self.page, self.conversation, self.answer = page, conversation, answer

    BINDINGS: ClassVar[list[BindingType]] = bindings([closing("history")])
    HELP_PLACE: ClassVar[Place] = "history"

    def __init__(self, data: HistoryData, glyphs: Glyphs) -> None:
        super().__init__(data.headline, glyphs)
        self.data = data
        self.history = data.history

    def on_mount(self) -> None:
        self.show_hints(self.HINTS)

    async def ask(self, work: Callable[[], T]) -> T | None:
        """What the history answers, off the app's thread; None where it failed, which is said."""
        try:
            return await asyncio.to_thread(work)
        except HistoryError as error:
            if self.is_attached:
                self.say(str(error), "warn")
            return None

    def action_leave(self) -> None:
        """Back to what was open before the history."""
        while isinstance(self.app.screen, HistoryPage):
            self.app.pop_screen()
