"""The row of a replay: which one it is, how fast, and how far."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui.core.text.glyphs import Glyphs
from tui.widgets.kit.rows import Row, Rows, row_width, spread


class ReplayLine(Rows):
    """``words`` gives which replay this is, whether it goes on, and how far it is."""

    def __init__(
        self, words: Callable[[], tuple[str, str, str]], glyphs: Glyphs, *, id: str | None = None
    ) -> None:
        super().__init__(glyphs, id=id)
        self._words = words

    def build(self, width: int) -> Sequence[Row]:
        what, state, how_far = self._words()
        left: Row = ((what, "warn"),)
        if state:
            left = (*left, (f"  {state}", "strong"))
        right: Row = ((f"{how_far} ", "soft"),) if how_far else ()
        if row_width(left) + row_width(right) + 1 > width:
            right = ()
        return [spread(left, right, width)]
