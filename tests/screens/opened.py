"""Bare apps with npulse's themes, for one screen alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual.app import App
from textual.binding import BindingType
from textual.screen import Screen

from tui.app.palettes import Palette, roles
from tui.app.themes import LIBRARY_CSS, load_themes
from tui.core.screen.keys.chat import GLOBAL_KEYS
from tui.widgets.kit.bindings import bindings


class ThemedApp(App[None]):
    """Has every theme of npulse, one of them chosen; nothing moves by itself."""

    CSS = LIBRARY_CSS

    def __init__(self, theme: str = "npulse-dark") -> None:
        super().__init__()
        self.animation_level = "none"
        for shipped in load_themes().at("truecolor"):
            self.register_theme(shipped)
        self.theme = theme

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return roles(Palette())


class Opened(ThemedApp):
    """Shows the screen that ``make`` gives."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(GLOBAL_KEYS)

    def __init__(self, make: Callable[[], Screen[Any]]) -> None:
        super().__init__()
        self._make = make

    def on_mount(self) -> None:
        self.push_screen(self._make())
