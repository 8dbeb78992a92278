"""Base of the history screens: top line, messages, the way back, and work off the app's thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

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

    @dataclass
    class OpenConversation(Message):
        """Show a conversation; ``turn`` is one on the branch that is meant."""

        conversation: int
        turn: int | None

    @dataclass
    class OpenAnswers(Message):
        """Show these answers side by side."""

        turns: Sequence[int]

    @dataclass
    class OpenTimelines(Message):
        """Show the timeline of the answer at ``at``, with the one at ``compared`` on its axis."""

        page: HistoryPage
        answers: Sequence[int]
        labels: Sequence[str]
        at: int
        compared: int | None = None

    @dataclass
    class Continue(Message):
        """Continue a conversation in the chat after the turn ``leaf`` (None: the chosen branch);
        ``prompt``: what is put into the prompt. ``is_from_start``: before its first turn."""

        page: HistoryPage
        conversation: int
        leaf: int | None
        prompt: str = ""
        is_from_start: bool = False

    @dataclass
    class ToLab(Message):
        """Make a prompt set of a prompt and the settings of its answer; None: the present ones."""

        prompt: str
        settings: GenerationSettings | None

    @dataclass
    class Replay(Message):
        """Play an answer of a conversation again; ``answer`` None: the last one."""

        page: HistoryPage
        conversation: int
        answer: int | None

    BINDINGS: ClassVar[list[BindingType]] = bindings([closing("history")])
    HELP_PLACE: ClassVar[Place] = "history"
    FAILURES = (HistoryError,)

    def __init__(self, data: HistoryData, glyphs: Glyphs) -> None:
        super().__init__(data.headline, glyphs)
        self.data = data
        self.history = data.history

    def on_mount(self) -> None:
        self.show_hints(self.HINTS)
