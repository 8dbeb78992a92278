"""Flowing text with styles: what wraps, and which part of a row plays which role."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from tui.core.display import CellLen
from tui.core.wrap import Wrapper

Span = tuple[str, str]
"""A text and its roles, separated by blanks: see :data:`tui.widgets.transcript_style.ROLES`."""


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
        return self.wrapper.replace(offset, "".join(texts))

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
