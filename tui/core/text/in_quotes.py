"""Formats values of a file for error sentences."""

from __future__ import annotations

from collections.abc import Mapping

from tui.core.text.sanitize import clean_line


def in_quotes(value: object, table: str = "a section") -> str:
    """A value as a sentence shows it: clean and short. ``table`` is what a mapping is called."""
    if isinstance(value, str):
        return '"' + clean_line(value, 60) + '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return table
    if isinstance(value, list):
        return "a list"
    try:
        return clean_line(str(value), 60)
    except ValueError:
        return "a number of thousands of digits"
