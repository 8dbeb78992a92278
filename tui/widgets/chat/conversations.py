"""The column of the last conversations, where the terminal has room for three columns."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.message import Message

from tui.core.screen.footer import STATUS_WORDS
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.widgets.chat.answers import short_time
from tui.widgets.kit.rows import Row, Rows, cut, spread

if TYPE_CHECKING:
    from tui.history.records import ConversationRow

ROWS_EACH = 3
"""Title, numbers, and a blank."""
HEAD_ROWS = 2


class ConversationColumn(Rows):
    """Three rows for each conversation, as many as there is room for."""

    class Chosen(Message):
        """A conversation was clicked."""

    def __init__(
        self,
        conversations: Callable[[], Sequence[ConversationRow]],
        glyphs: Glyphs,
        *,
        key: str = "",
        id: str | None = None,
    ) -> None:
        super().__init__(glyphs, id=id)
        self._conversations = conversations
        self._key = key

    def build(self, width: int) -> Sequence[Row]:
        height = max(self.size.height, HEAD_ROWS)
        head = spread((("conversations", "strong"),), ((self._key, "dim"),), width)
        found = self._conversations()
        rows: list[Row] = [head, ()]
        if not found:
            rows.append((("none kept yet", "dim"),))
        for one in found[: (height - HEAD_ROWS + 1) // ROWS_EACH]:
            rows += [*conversation_rows(one, width, self._glyphs, time.time()), ()]
        return [*rows, *[()] * (height - len(rows))][:height]

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Chosen())


def conversation_rows(
    row: ConversationRow, width: int, glyphs: Glyphs, now_s: float
) -> tuple[Row, Row]:
    """Title; when and how fast its newest answer was, or how it ended."""
    title = cut(((row.title or row.first_line or "empty", "soft"),), width, glyphs)
    when = short_time(row.updated_ms / 1000, now_s)
    right: Row = ()
    if row.is_running:
        right = (("running", "live"),)
    elif row.status in STATUS_WORDS:
        right = ((STATUS_WORDS[row.status], "warn"),)
    elif row.decode_tps is not None:
        mark = "~" if row.is_decode_estimated else ""
        right = ((f"{mark}{fmt.rate(row.decode_tps)} tok/s", "dim"),)
    return title, spread(((when, "dim"),), right, width)
