"""The end of the streaming answer, wrapped as it grows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len

from tui.bench.model.screen import LiveText
from tui.core.text.glyphs import Glyphs
from tui.core.text.wrap import Wrapper
from tui.widgets.kit.rows import Row, Rows

MARGIN = 2


class LiveAnswerText(Rows):
    """Shows the last rows of a text that only grows; only what is new is wrapped."""

    def __init__(
        self, text: Callable[[], LiveText], glyphs: Glyphs, *, id: str | None = None
    ) -> None:
        super().__init__(glyphs, id=id)
        self._text = text
        self._wrapper: Wrapper | None = None
        self._serial = -1
        self._taken = 0
        """Characters of the answer that the wrapper has, dropped ones included."""
        self._start = 0

    def build(self, width: int) -> Sequence[Row]:
        live, room = self._text(), max(1, width - 2 * MARGIN)
        wrapper = self._wrapper
        end = live.dropped + len(live.text)
        is_same = live.serial == self._serial and end >= self._taken
        # What was dropped long ago would be kept here for ever.
        is_bounded = live.dropped - self._start < 4 * max(1, len(live.text))
        if wrapper is None or wrapper.width != room or not is_same or not is_bounded:
            wrapper = self._wrapper = Wrapper(room, cell_len)
            self._serial, self._start, self._taken = live.serial, live.dropped, live.dropped
        if end > self._taken:
            new = live.text[max(0, self._taken - live.dropped) :]
            wrapper.feed(new)
            self._taken = end
        role = "dim" if live.is_thinking else "text"
        height = max(1, self.size.height)
        count = len(wrapper)
        rows: list[Row] = [
            ((" " * MARGIN, "text"), (wrapper.row(at), role))
            for at in range(max(0, count - height), count)
        ]
        if live.text and not live.is_over:
            rows[-1] = (*rows[-1], (self._glyphs.caret, "live"))
        return rows + [()] * (height - len(rows))
