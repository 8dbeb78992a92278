"""Form of the generation settings: its values and limits, and saving what was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app.generation_rules import setting_notes, setting_problems
from tui.screens.settings import SettingsScreen

if TYPE_CHECKING:
    from tui.app.backend import Backend
    from tui.core.text.glyphs import Glyphs
    from tui.core.types import GenerationSettings


def settings_form(backend: Backend, glyphs: Glyphs, *, is_low_bandwidth: bool) -> SettingsScreen:
    """The present settings; what the server cannot do is said beside them."""
    return SettingsScreen(
        backend.chat.settings,
        lambda settings: setting_problems(backend.state.server, settings),
        setting_notes(backend.state.server),
        glyphs,
        stops_loops=backend.chat.expectations.stops_loops,
        is_low_bandwidth=is_low_bandwidth,
    )


def use_settings(backend: Backend, form: SettingsScreen, settings: GenerationSettings) -> None:
    """What was chosen in the form is that of the chat, from the next answer on."""
    backend.chat.settings = settings
    backend.chat.expectations.stops_loops = form.stops_loops
