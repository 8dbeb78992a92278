"""Opens the screens of the prompt lab, and brings prompts and settings from the chat and back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.screen import Screen

from tui.screens.lab.chooser import LabScreen
from tui.screens.lab.page import LabData, LabPage

if TYPE_CHECKING:
    from tui.app.backend import Backend
    from tui.app.terminal_app import Appearance
    from tui.core.types import GenerationSettings
    from tui.screens.dashboard import Dashboard


class LabPages:
    """``dashboard`` has the chat, ``copy`` puts a text into the clipboard, and ``push`` opens a
    screen."""

    def __init__(
        self,
        backend: Backend,
        dashboard: Dashboard,
        appearance: Appearance,
        copy: Callable[[str, str], str],
        push: Callable[[Screen[None]], object],
    ) -> None:
        self._backend = backend
        self._dashboard = dashboard
        self._appearance = appearance
        self._copy = copy
        self._push = push

    def open_list(self, set_name: str = "") -> None:
        """The prompt sets, with this one chosen."""
        data = LabData(self._backend.lab, self._backend.headline, self._copy)
        self._push(LabScreen(data, self._appearance.glyphs, set_name))

    async def take_from_chat(self) -> None:
        """A new set of the prompt that is typed, else of the last one, with the present
        settings."""
        chat, prompt = self._backend.chat, self._dashboard.place.draft.strip()
        if not prompt:
            last = chat.conversation.last
            prompt = "" if last is None else last.prompt
        if prompt:
            await self.take(prompt, chat.settings)
        else:
            self._dashboard.say("there is no prompt yet; type one, or ask one", "warn")

    async def take(self, prompt: str, settings: GenerationSettings | None) -> None:
        """A new set whose first case and variant these are, chosen in the lab's list. Without
        settings they are those of the chat."""
        lab, settings = self._backend.lab, settings or self._backend.chat.settings
        try:
            name = await asyncio.to_thread(lab.set_of, prompt, settings)
        except ValueError as error:
            self._dashboard.say(str(error), "warn")
        else:
            self.open_list(name)

    def use(self, asked: LabPage.Use, keep: Callable[[], bool]) -> None:
        """A variant's settings become those of the chat; ``keep`` keeps them for the next start."""
        self._backend.chat.settings = asked.settings
        if keep():
            asked.page.say(f"the chat now uses the settings of {asked.variant}")
