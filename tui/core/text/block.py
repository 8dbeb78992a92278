"""Blocks of text: what a view lays out as one piece."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

BlockKind = Literal["paragraph", "heading", "fence", "table", "rule", "plain"]

FULL_LINES = 16
"""A block of this many lines goes on in a new one, at the first blank line if that comes soon."""
MAX_LINES = 2 * FULL_LINES

_PIPE = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Container:
    """A quote (``cells`` 0) or an item of a list that a block stands in.

    ``cells`` is how far the content is indented in the source. ``marker`` is the item's bullet or
    number; ``is_first`` marks the one block that shows it.
    """

    cells: int
    marker: str = ""
    is_first: bool = False

    @property
    def is_quote(self) -> bool:
        return self.cells == 0


@dataclass(slots=True)
class Block:
    """One block. ``lines`` is its content without the containers' prefixes.

    ``has_gap``: a blank row stands before it. ``level`` is a heading's, ``language`` a fence's.
    ``start`` is the line of the source where it begins. ``origin`` is the block that this one goes
    on with: long code, tables and paragraphs are cut into blocks of a bounded number of lines.
    """

    kind: BlockKind
    containers: tuple[Container, ...]
    start: int
    has_gap: bool
    lines: list[str] = field(default_factory=list)
    level: int = 0
    language: str = ""
    is_closed: bool = False
    origin: Block | None = None


def split_row(line: str) -> list[str]:
    """The cells of a row of a table; a pipe after a backslash is text."""
    cells = [cell.replace("\\|", "|").strip() for cell in _PIPE.split(line.strip())]
    if cells and not cells[0]:
        del cells[0]
    if cells and not cells[-1]:
        del cells[-1]
    return cells


class PlainSplitter:
    """Text as it is, in blocks of a bounded number of lines: thinking, or an answer's source.

    White space waits until something follows it, so that none is shown at the end, and no empty
    line at the beginning.
    """

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._line = 0
        self._waiting = ""

    def feed(self, text: str) -> int:
        """Append text. Returns the index of the first block that may have changed."""
        shown = text.rstrip(" \n")
        if not shown:
            self._waiting += text
            return len(self.blocks)
        first = max(0, len(self.blocks) - 1)
        pieces = (self._waiting + shown).split("\n")
        self._waiting = text[len(shown) :]
        for index, piece in enumerate(pieces):
            self._line += index > 0
            if not self.blocks and not piece.strip(" "):
                continue
            if index or not self.blocks:
                self._open_line()
            self.blocks[-1].lines[-1] += piece
        return first

    def finish(self) -> int:
        """The text has ended. Returns the index of the first block that may have changed."""
        if self.blocks:
            self.blocks[-1].is_closed = True
        return max(0, len(self.blocks) - 1)

    def _open_line(self) -> None:
        if not self.blocks or len(self.blocks[-1].lines) >= FULL_LINES:
            if self.blocks:
                self.blocks[-1].is_closed = True
            self.blocks.append(Block("plain", (), self._line, False))
        self.blocks[-1].lines.append("")
