"""Styled text that wraps, with the role of each part of a row."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from tui.core.text.display import CellLen
from tui.core.text.wrap import Wrapper

Span = tuple[str, str]
"""A text and its roles, separated by blanks: see :data:`tui.widgets.transcript.style.ROLES`."""


class Flow:
    """Styled text at one width, whose end can be replaced while it grows."""

    __slots__ = ("_roles", "_starts", "wrapper")

    def __init__(self, width: int, cell_len: CellLen, *, is_verbatim: bool = False) -> None:
        self.wrapper = Wrapper(width, cell_len, is_verbatim=is_verbatim)
        self._starts: list[int] = []
        self._roles: list[str] = []

    @property
    def text(self) -> str:
        """The plain text, in its display form."""
        return self.wrapper.text

    def __len__(self) -> int:
        return len(self.wrapper)

    def replace(self, offset: int, spans: Iterable[Span]) -> int:
        """Let ``spans`` take the place of everything from ``offset`` on.

        Returns the first row that may have changed.
        """
        keep = bisect_right(self._starts, offset - 1) if offset else 0
        old_starts, old_roles = self._starts[keep:], self._roles[keep:]
        del self._starts[keep:], self._roles[keep:]
        position = offset
        texts: list[str] = []
        for text, role in spans:
            if not text:
                continue
            if not self._roles or self._roles[-1] != role:
                self._starts.append(position)
                self._roles.append(role)
            texts.append(text)
            position += len(text)
        tail = "".join(texts)
        same = common_length(self.wrapper.text[offset:], tail)
        row = self.wrapper.replace(offset + same, tail[same:])
        restyled = _first_difference(old_starts, old_roles, self._starts[keep:], self._roles[keep:])
        if restyled is not None and restyled < offset + same:
            row = min(row, self.wrapper.row_at(restyled))
        return row

    def extend(self, text: str, role: str) -> int:
        """Append text of one role. Returns the first row that may have changed."""
        if text and (not self._roles or self._roles[-1] != role):
            self._starts.append(len(self.wrapper.text))
            self._roles.append(role)
        return self.wrapper.extend(text)

    def spans(self, row: int) -> list[Span]:
        """One row as spans."""
        start, end = self.wrapper.span(row)
        return self.cut(start, end)

    def cut(self, start: int, end: int) -> list[Span]:
        """The text between two offsets as spans."""
        text, starts, roles = self.wrapper.text, self._starts, self._roles
        spans: list[Span] = []
        run = bisect_right(starts, start) - 1
        while start < end:
            stop = min(end, starts[run + 1]) if run + 1 < len(starts) else end
            spans.append((text[start:stop], roles[run] if run >= 0 else "text"))
            start = stop
            run += 1
        return spans


def common_length(one: str, two: str) -> int:
    """How many characters two texts have in common from the beginning on."""
    if two.startswith(one):
        return len(one)
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == two[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _first_difference(
    old_starts: list[int], old_roles: list[str], starts: list[int], roles: list[str]
) -> int | None:
    """The offset from which on the roles are others; None where only their end differs."""
    for old_start, old_role, start, role in zip(old_starts, old_roles, starts, roles, strict=False):
        if old_start != start or old_role != role:
            return min(old_start, start)
    longer = old_starts if len(old_starts) > len(starts) else starts
    count = min(len(old_starts), len(starts))
    return longer[count] if len(longer) > count else None
