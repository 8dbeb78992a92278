"""The app of a replay: plays a recording in the dashboard, without a server."""

from __future__ import annotations

from tui.app.replay_backend import ReplayBackend
from tui.app.terminal_app import Appearance, TerminalApp
from tui.screens.replay import ReplayScreen


class ReplayApp(TerminalApp):
    """Plays a recording; nothing is sent, sampled or stored."""

    def __init__(self, backend: ReplayBackend, appearance: Appearance) -> None:
        super().__init__(appearance)
        self._backend = backend

    def get_default_screen(self) -> ReplayScreen:
        appearance = self._appearance
        return ReplayScreen(
            self._backend,
            appearance.glyphs,
            appearance.keymap,
            self._copy,
            appearance.frames_per_s,
            leave=self.exit,
        )
