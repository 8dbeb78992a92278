"""Rows of spans as plain text."""

from __future__ import annotations

from collections.abc import Iterable

from tui.widgets.kit.rows import Row


def row_text(row: Row) -> str:
    return "".join(part for part, _ in row)


def rows_text(rows: Iterable[Row]) -> str:
    """One line for each row."""
    return "\n".join(map(row_text, rows))
