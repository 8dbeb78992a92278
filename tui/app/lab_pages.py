"""Opens the screens of the prompt lab, and brings prompts and settings from the chat and back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.app.app_pages import AppPages
from tui.screens.lab.chooser import LabScreen
from tui.screens.lab.page import LabData, LabPage

if TYPE_CHECKING:
    from tui.core.types import GenerationSettings


class LabPages(AppPages):
    """The list of prompt sets, and the ways between lab and chat."""

    def open_list(self, set_name: str = "") -> None:
        """The prompt sets, with this one chosen."""
        data = LabData(self.backend.lab, self.backend.headline, self.copy)
        self.push(LabScreen(data, self.appearance.glyphs, set_name))

    async def take_from_chat(self) -> None:
        """A new set of the prompt that is typed, else of the last one, with the present
        settings."""
        chat, prompt = self.backend.chat, self.dashboard.place.draft.strip()
        if not prompt:
            last = chat.conversation.last
            prompt = "" if last is None else last.prompt
        if prompt:
            await self.take(prompt, chat.settings)
        else:
            self.dashboard.say("there is no prompt yet; type one, or ask one", "warn")

    async def take(self, prompt: str, settings: GenerationSettings | None) -> None:
        """A new set whose first case and variant these are, chosen in the lab's list. Without
        settings they are those of the chat."""
        lab, settings = self.backend.lab, settings or self.backend.chat.settings
        try:
            name = await asyncio.to_thread(lab.set_of, prompt, settings)
        except ValueError as error:
            self.dashboard.say(str(error), "warn")
        else:
            self.open_list(name)

    def use(self, asked: LabPage.Use, keep: Callable[[], bool]) -> None:
        """A variant's settings become those of the chat; ``keep`` keeps them for the next start."""
        self.backend.chat.settings = asked.settings
        if keep():
            asked.page.say(f"the chat now uses the settings of {asked.variant}")
