"""Base of the lab's screens: top line, messages, the way back, and work off the app's thread."""

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
from tui.lab.model.matrix import CellKey
from tui.lab.model.screen import LabSession
from tui.screens.page import Page
from tui.widgets.chat.key_bar import KeyBar
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.rows import Rows

T = TypeVar("T")


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

    class Open(Message):
        """The page asks for another one."""

        def __init__(self, page: LabPage) -> None:
            super().__init__()
            self.page = page

    class OpenMatrix(Open):
        """Show the matrix of the run that the session looks at."""

    class OpenAnswer(Open):
        """Show the answers of a cell."""

        def __init__(self, page: LabPage, cell: CellKey) -> None:
            super().__init__(page)
            self.cell = cell

    class OpenSides(Open):
        """Show the answers of these cells side by side."""

        def __init__(self, page: LabPage, cells: Sequence[CellKey]) -> None:
            super().__init__(page)
            self.cells = tuple(cells)

    class OpenJudging(Open):
        """Judge pairs of answers."""

    class OpenText(Open):
        """Edit a set."""

        def __init__(self, page: LabPage, name: str) -> None:
            super().__init__(page)
            self.name = name

    class Use(Message):
        """Use these settings in the chat from now on."""

        def __init__(self, page: LabPage, settings: GenerationSettings, variant: str) -> None:
            super().__init__()
            self.page, self.settings, self.variant = page, settings, variant

    HORIZONTAL_BREAKPOINTS = [(0, "-small"), (70, "-narrow"), (100, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = bindings([closing("lab")])
    HELP_PLACE: ClassVar[Place] = "lab"

    def __init__(self, data: LabData, glyphs: Glyphs) -> None:
        super().__init__(data.headline, glyphs)
        self.data = data
        self.session = data.session

    def pull(self) -> None:
        """Draw what is there now."""
        if self.is_covered:
            return
        for panel in self.query(Rows):
            if not isinstance(panel, KeyBar):
                panel.refresh_rows()

    async def ask(self, work: Callable[[], T]) -> T | None:
        """What the session answers, off the app's thread; None where it failed, which is said."""
        try:
            return await asyncio.to_thread(work)
        except (OSError, ValueError) as error:
            if self.is_attached:
                self.say(str(error), "warn")
            return None

    def action_leave(self) -> None:
        """Back to what was open before the lab. A run continues."""
        while isinstance(self.app.screen, LabPage):
            self.app.pop_screen()
