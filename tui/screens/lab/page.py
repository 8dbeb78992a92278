"""Base of the lab's screens: top line, messages, the way back, and work off the app's thread."""

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
from tui.lab.model.matrix import CellKey
from tui.lab.model.screen import LabSession
from tui.screens.page import Page
from tui.widgets.kit.bindings import bindings


@dataclass(frozen=True)
class LabData:
    """Where the lab's screens get what they show."""

    session: LabSession
    headline: Callable[[], Headline]
    copy: Callable[[str, str], str]
    """Puts a text into the clipboard, and gives the sentence that says where it is."""


class LabPage(Page):
    """What the lab's screens have in common. Esc is one step back, the lab's key leaves all of
    them. A page does not know the others: it posts one of the messages below."""

    @dataclass
    class Open(Message):
        """The page asks for another one."""

        page: LabPage

    class OpenMatrix(Open):
        """Show the matrix of the run that the session looks at."""

    @dataclass
    class OpenAnswer(Open):
        """Show the answers of a cell."""

        cell: CellKey

    @dataclass
    class OpenSides(Open):
        """Show the answers of these cells side by side."""

        cells: Sequence[CellKey]

    class OpenJudging(Open):
        """Judge pairs of answers."""

    @dataclass
    class OpenText(Open):
        """Edit a set."""

        name: str

    @dataclass
    class Use(Message):
        """Use these settings in the chat from now on."""

        page: LabPage
        settings: GenerationSettings
        variant: str

    HORIZONTAL_BREAKPOINTS = [(0, "-small"), (70, "-narrow"), (100, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = bindings([closing("lab")])
    HELP_PLACE: ClassVar[Place] = "lab"

    def __init__(self, data: LabData, glyphs: Glyphs) -> None:
        super().__init__(data.headline, glyphs)
        self.data = data
        self.session = data.session

    def pull(self) -> None:
        """Draw what is there now."""
        if not self.is_covered:
            self.draw_rows()
