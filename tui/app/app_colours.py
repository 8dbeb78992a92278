"""Colour depth of a running app: by the terminal's answers, or chosen by the user."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.theme import Theme

from tui.core.screen.colours import (
    DEPTH_NAMES,
    DEPTHS,
    ColourAnswer,
    ColourChoice,
    ColourDepth,
    ColourSetting,
    choose_depth,
    is_to_be_asked,
)
from tui.settings.terminfo import terminfo_colours

if TYPE_CHECKING:
    from tui.widgets.kit.lean_app import LeanApp


class AppColours:
    """Sets the app's colour depth; ``themes`` gives its themes for a depth."""

    def __init__(
        self,
        app: LeanApp[int],
        themes: Callable[[ColourDepth], Sequence[Theme]],
        wanted: ColourSetting,
        choice: ColourChoice,
    ) -> None:
        self._app = app
        self._themes = themes
        self._wanted = wanted
        self._found = self.choice = choice
        """What is known of the terminal, and the depth in use."""
        self._is_chosen = False
        """Whether the user chose the depth by key."""

    def begin(self) -> None:
        """Asks tmux, where the terminal is inside one; it may answer after the first frame."""
        if self._wanted == "auto" and os.environ.get("TMUX") and not os.environ.get("NO_COLOR"):
            threading.Thread(target=self._ask_tmux, name="npulse-tmux", daemon=True).start()

    def _ask_tmux(self) -> None:
        from tui.settings.tmux import client_features

        features = client_features()
        loop = self._app._loop
        if loop is not None and not loop.is_closed():
            with contextlib.suppress(RuntimeError):  # it ended meanwhile
                loop.call_soon_threadsafe(self.tmux_answered, features)

    @property
    def is_asking(self) -> bool:
        """Whether the terminal's own answer counts."""
        return is_to_be_asked(self._wanted, os.environ)

    def answered(self, answer: ColourAnswer) -> None:
        """The terminal has answered, however late."""
        self._learn(
            choose_depth(self._wanted, os.environ, answer, terminfo_colours=terminfo_colours)
        )

    def tmux_answered(self, features: str | None) -> None:
        """Takes tmux's answer about the terminal around it."""
        self._learn(choose_depth(self._wanted, os.environ, tmux_features=features))

    def words(self) -> str:
        """What is drawn, and why: ``256 colours (TERM says so)``."""
        return f"{DEPTH_NAMES[self.choice.depth]} ({self.choice.reason})"

    def cycle(self) -> str:
        """The next depth: fewer colours, and after none again what the terminal has. Gives the
        sentence that says which."""
        if self._is_chosen and self.choice.depth == DEPTHS[-1]:
            self._is_chosen = False
            self._show(self._found)
            return f"colours: {self.words()}"
        at = 0 if not self._is_chosen else DEPTHS.index(self.choice.depth) + 1
        if not self._is_chosen and self.choice.depth == DEPTHS[0]:
            at = 1  # the first would change nothing
        self._is_chosen = True
        self._show(ColourChoice(DEPTHS[at], "it was chosen"))
        return f"colours: {DEPTH_NAMES[self.choice.depth]}"

    def _learn(self, choice: ColourChoice) -> None:
        self._found = choice
        if not self._is_chosen:
            self._show(choice)

    def _show(self, choice: ColourChoice) -> None:
        """The same theme in another depth."""
        self.choice = choice
        app = self._app
        if choice.depth == app.colour_depth:
            return
        app.set_colour_depth(choice.depth)
        for theme in self._themes(choice.depth):
            app.register_theme(theme)
        app._watch_theme(app.theme)
