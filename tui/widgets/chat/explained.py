"""Figures with their value, their source and their formula, as rows."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from tui.core.screen.explanations import Explanation
from tui.core.text.glyphs import Glyphs
from tui.core.text.sanitize import clean_line
from tui.widgets.kit.rows import Row, cut, row_width

NAME_CELLS, VALUE_CELLS = 15, 22


def explained_rows(found: Sequence[Explanation], width: int, glyphs: Glyphs) -> list[Row]:
    """Two or more rows for each: name, value and source; below them the formula, folded."""
    rows: list[Row] = []
    for one in found:
        head: Row = (
            (f"{clean_line(one.name):<{NAME_CELLS}}", "dim"),
            (f"{clean_line(one.value):<{VALUE_CELLS}}  ", "text"),
        )
        source: Row = ((clean_line(one.source), "soft"),)
        if row_width(head) + row_width(source) <= width:
            rows.append((*head, *source))
        else:
            # A path that is cut names no file: it has a row of its own.
            below: Row = ((" " * NAME_CELLS, "dim"), *source)
            rows += [cut(head, width, glyphs), cut(below, width, glyphs)]
        room = max(width - NAME_CELLS, 20)
        rows += [
            ((" " * NAME_CELLS, "dim"), (line, "dim")) for line in textwrap.wrap(one.formula, room)
        ]
    return rows
