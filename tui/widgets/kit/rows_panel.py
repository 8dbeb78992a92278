"""A widget of rows that a function gives for its size."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui.core.text.glyphs import Glyphs
from tui.widgets.kit.grounds import GroundedRows
from tui.widgets.kit.rows import Row

RowsOf = Callable[[int, int], Sequence[Row]]
"""Rows for a width and a height in cells."""


class RowsPanel(GroundedRows):
    """Draws what ``rows_of`` gives, whenever its screen has it refreshed."""

    def __init__(
        self,
        rows_of: RowsOf,
        glyphs: Glyphs,
        *,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(glyphs, id=id, classes=classes)
        self._rows_of = rows_of

    def build(self, width: int) -> Sequence[Row]:
        return self._rows_of(width, self.size.height)
