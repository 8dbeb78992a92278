"""Collects the changes of a view, and reports them once per update."""

from __future__ import annotations

from collections.abc import Callable


class ViewChanges:
    """Collects changes of a view: ``with`` it, all that is marked inside is told as one at the end.

    ``tell(first_row, is_rearranged)``: rows of the column from ``first_row`` on have to be looked
    at again; where parts are others than before, rows that are known look different too.
    """

    __slots__ = ("_depth", "_first_row", "_is_rearranged", "_tell")

    def __init__(self, tell: Callable[[int, bool], None]) -> None:
        self._tell = tell
        self._depth = 0
        self._first_row: int | None = None
        self._is_rearranged = False

    def mark(self, first_row: int = 0, *, is_rearranged: bool = False) -> None:
        """Rows of the column from ``first_row`` on are others than before."""
        if self._first_row is None or first_row < self._first_row:
            self._first_row = first_row
        self._is_rearranged = self._is_rearranged or is_rearranged
        if not self._depth:
            self._give()

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if not self._depth:
            self._give()

    def _give(self) -> None:
        if self._first_row is not None:
            first_row, is_rearranged = self._first_row, self._is_rearranged
            self._first_row, self._is_rearranged = None, False
            self._tell(first_row, is_rearranged)
