"""A full screen over the dashboard: top line, bottom line with its messages, and the way back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

from textual.app import ComposeResult

from tui.core.screen.headline import Headline
from tui.core.screen.keymap import Place
from tui.core.text.glyphs import Glyphs
from tui.widgets.chat.header import Header
from tui.widgets.chat.key_bar import HintOf, KeyBar, key_caps, key_hints
from tui.widgets.chat.message_line import MessageBar
from tui.widgets.kit.opaque_screen import OpaqueScreen
from tui.widgets.kit.rows import Rows

T = TypeVar("T")


class Page(OpaqueScreen):
    """Base of all full screens over the dashboard."""

    DEFAULT_CSS = """
    Page {
        layout: vertical; overflow: hidden; background: $background; color: $foreground;
    }
    Page #keys { dock: bottom; }
    Page .ruled { border-top: solid $rule; }
    Page.-ascii .ruled { border-top: ascii $rule; }
    """
    HELP_PLACE: ClassVar[Place]
    HINTS: ClassVar[tuple[HintOf, ...]] = ()
    FAILURES: ClassVar[tuple[type[Exception], ...]] = (OSError, ValueError)
    """Errors of :meth:`ask` whose text is a sentence for the user."""

    def __init__(self, headline: Callable[[], Headline], glyphs: Glyphs) -> None:
        super().__init__()
        self.set_class(glyphs.is_ascii, "-ascii")
        self._headline = headline
        self.glyphs = glyphs

    def compose_header(self) -> ComposeResult:
        """The top line."""
        yield Header(self._headline, self.glyphs, id="header")

    def compose_keys(self) -> ComposeResult:
        """The bottom line."""
        yield MessageBar(key_hints(self, self.HINTS), self.glyphs, id="keys")

    def key(self, action_id: str) -> str:
        """The key of an action of this page, as a sentence names it."""
        return key_caps(self, action_id)

    def show_hints(self, hints: Sequence[HintOf]) -> None:
        """The bottom line tells these keys instead."""
        self.query_one(MessageBar).set_hints(key_hints(self, hints))

    def say(self, text: str, role: str = "soft") -> None:
        """One sentence in the bottom line."""
        self.query_one(MessageBar).say(text, role)

    def draw_rows(self) -> None:
        """Draws everything that is made of rows, but the bottom line."""
        for panel in self.query(Rows):
            if not isinstance(panel, KeyBar):
                panel.refresh_rows()

    async def ask(self, work: Callable[[], T]) -> T | None:
        """The result of work that waits for a disk, done off the app's thread; None where it
        failed, which is said."""
        try:
            return await asyncio.to_thread(work)
        except self.FAILURES as error:
            if self.is_attached:
                self.say(str(error), "warn")
            return None

    def action_back(self) -> None:
        """One step back."""
        self.app.pop_screen()

    def action_leave(self) -> None:
        """Back to what was open before this page, and before those of its kind below it."""
        while getattr(self.app.screen, "HELP_PLACE", None) == self.HELP_PLACE:
            self.app.pop_screen()

    async def on_key_bar_chosen(self, event: KeyBar.Chosen) -> None:
        await self.run_action(event.action)
