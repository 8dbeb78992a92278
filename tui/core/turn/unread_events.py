"""Count of stream events that could not be parsed, and the text of the first."""

from __future__ import annotations

from tui.core.text.sanitize import clean_line
from tui.core.types import UnreadDelta

MAX_UNREAD_CHARS = 160


class UnreadEvents:
    """Of one answer."""

    __slots__ = ("count", "first", "has_loss")

    def __init__(self) -> None:
        self.count = 0
        self.first: str | None = None
        """The first of them, in one line."""
        self.has_loss = False
        """One of them looks like a piece of the answer."""

    def take(self, delta: UnreadDelta) -> None:
        self.count += 1
        self.has_loss = self.has_loss or delta.is_loss
        if self.first is None:
            self.first = clean_line(delta.text, MAX_UNREAD_CHARS)

    @property
    def note(self) -> str:
        """All of it in one sentence; empty where every event was understood."""
        if not self.count:
            return ""
        is_one = self.count == 1
        what = "1 event of the stream" if is_one else f"{self.count} events of the stream"
        return f"{what} could not be read: “{self.first}”."
