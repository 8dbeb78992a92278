"""A box over the screen below: what models, settings, the RAM calculator and the help share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen, ScreenResultType

from tui.core.screen.keymap import Place
from tui.core.screen.keys.chat import GLOBAL_KEYS, INTERRUPT
from tui.core.text.glyphs import Glyphs
from tui.widgets.chat.key_bar import HintOf, KeyBar, key_hints
from tui.widgets.chat.message_line import MessageBar
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.dimmed_screen import DimsBelow


class Dialog(DimsBelow, ModalScreen[ScreenResultType]):
    """A box with a bottom line of its own. Esc closes it."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog > VerticalScroll {
        width: 78; max-width: 96%; height: auto; max-height: 90%;
        background: $raised; border: round $edge; padding: 0 0 0 1; scrollbar-size-vertical: 1;
    }
    Dialog > VerticalScroll > * { margin-right: 1; }
    Dialog KeyBar { dock: bottom; }
    """
    # Those of the app are not told of a modal screen.
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(GLOBAL_KEYS),
        *bindings([INTERRUPT], has_priority=False),
    ]
    HELP_PLACE: ClassVar[Place]
    HINTS: ClassVar[tuple[HintOf, ...]] = ()

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs

    def compose_keys(self) -> ComposeResult:
        """The bottom line."""
        yield MessageBar(key_hints(self, self.HINTS), self._glyphs)

    def show_hints(self, hints: Sequence[HintOf] | None = None) -> None:
        """Name these keys, or the usual ones anew: those of a list work once it has the focus."""
        self.query_one(MessageBar).set_hints(key_hints(self, hints or self.HINTS))

    def action_back(self) -> None:
        """One step back."""
        self.dismiss(None)

    def action_leave(self) -> None:
        """Close the box with the key that opened it."""
        self.action_back()

    async def on_key_bar_chosen(self, event: KeyBar.Chosen) -> None:
        await self.run_action(event.action)
