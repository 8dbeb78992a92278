"""Messages in the bottom line; each disappears after some seconds."""

from __future__ import annotations

from collections.abc import Sequence

from textual.timer import Timer

from tui.core.text.glyphs import Glyphs
from tui.core.text.sanitize import clean
from tui.widgets.chat.key_bar import KeyBar, KeyHint
from tui.widgets.kit.rows import Row, fit

SHOWN_S = 6.0


class MessageBar(KeyBar):
    """The key bar, which lends its row to a message for some seconds.

    A message takes no row of its own, so nothing moves when it comes and goes.
    """

    def __init__(self, hints: Sequence[KeyHint], glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(hints, glyphs, id=id)
        self._message: Row | None = None
        self._text = ""
        self._timer: Timer | None = None

    def say(self, text: str, role: str = "soft") -> None:
        """Show one sanitised sentence; ``role`` warn or bad where it needs attention."""
        self._text = text
        self._message = ((" ", "text"), (clean(text, newlines=False), role))
        self.refresh_rows()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SHOWN_S, self.end)

    def end(self) -> None:
        """Give the row back to the keys."""
        if self._timer is not None:
            self._timer.stop()
        self._message = self._timer = None
        self.refresh_rows()

    def withdraw(self, text: str) -> None:
        """Give the row back where ``text`` is what it shows: it is not true any more."""
        if self._message is not None and self._text == text:
            self.end()

    def build(self, width: int) -> Sequence[Row]:
        return super().build(width) if self._message is None else [fit(self._message, width)]
