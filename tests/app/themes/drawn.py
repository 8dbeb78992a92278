"""A program that draws a bit of everything in one theme: run in a pty by the test beside it."""

from __future__ import annotations

import os
import sys

from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, OptionList, Static, Switch, TextArea

from tui.app.palettes import Palette, roles
from tui.app.themes import LIBRARY_CSS, load_themes
from tui.core.screen.commands import commands_of
from tui.core.screen.keys.chat import GLOBAL_KEYS
from tui.core.screen.keys.table import default_keys
from tui.core.text.glyphs import ASCII, UNICODE
from tui.screens.palette import PaletteScreen

COMMANDS = commands_of(GLOBAL_KEYS, default_keys())


class Drawn(App[None]):
    CSS = LIBRARY_CSS + (
        "Screen { background: $background; color: $foreground; }"
        "VerticalScroll { height: 5; border-top: solid $rule; }"
        "#modal { background: $background 60%; }"
        + "".join(f".{name} {{ color: ${name}; }}" for name in roles(Palette()))
    )

    def __init__(self, theme: str) -> None:
        colourless = bool(os.environ.get("NO_COLOR"))
        super().__init__(ansi_color=True if colourless else None)
        self.animation_level = "none"
        for shipped in load_themes().at("truecolor"):
            self.register_theme(shipped)
        self.theme = "npulse-16" if colourless else theme
        self.glyphs = ASCII if "--ascii" in sys.argv else UNICODE
        self.set_class(self.glyphs.is_ascii, "-ascii")

    def compose(self) -> ComposeResult:
        for name in roles(Palette()):
            yield Static(f"{name} text", classes=name)
        yield Static("modal", id="modal")
        yield Input("input", placeholder="nothing yet")
        yield Input(placeholder="nothing yet")
        yield TextArea("area")
        yield Switch(True)
        with VerticalScroll():
            yield OptionList(*"abcdefgh")

    def on_mount(self) -> None:
        self.notify("drawn", markup=False)
        self.set_timer(0.2, lambda: self.push_screen(PaletteScreen(COMMANDS, self.glyphs)))


Drawn(sys.argv[1]).run()
