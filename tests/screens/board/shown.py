"""The board screen alone, with a prepared board: for tests, and to look at.

``python -m tests.screens.board.shown [BOARD] [THEME] [--ascii]``
"""

from __future__ import annotations

import sys

from tests.screens.board.prepared import NS, Prepared, PreparedBackend, prepared
from tests.screens.opened import ThemedApp
from tui.core.text.glyphs import ASCII, UNICODE, Glyphs
from tui.screens.board import BoardScreen


class Shown(ThemedApp):
    """Only the board screen."""

    def __init__(
        self, board: Prepared, theme: str = "npulse-dark", glyphs: Glyphs = UNICODE
    ) -> None:
        super().__init__(theme)
        self.board = board
        self.copied = ""
        self.glyphs = glyphs

    def on_mount(self) -> None:
        backend = PreparedBackend(self.board)
        self.push_screen(BoardScreen(backend, self._note_copy, self.glyphs))

    def _note_copy(self, text: str, what: str) -> str:
        self.copied = text
        return f"copied {what}"


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    name = words[0] if words else "whole"
    app = Shown(
        prepared(name, 520 if "--now" in sys.argv else 600),
        words[1] if len(words) > 1 else "npulse-dark",
        ASCII if "--ascii" in sys.argv else UNICODE,
    )
    app.board.now_ns = app.board.history.latest.t_ns + NS // 10 if app.board.history.latest else 0
    app.run()
