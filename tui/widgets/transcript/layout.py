"""Lays out blocks as rows: prefix, width, and growth while text arrives.

A layout is made for one width and thrown away with it. It has rows of spans without the gutter, a
plain text with the place of each row in it (for search and selection), and grows with its block:
:meth:`grow` does work only for what is new.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tui.core.text.block import Block
from tui.core.text.display import CellLen
from tui.core.text.glyphs import Glyphs
from tui.widgets.transcript.flow import Flow, Span
from tui.widgets.transcript.inline import inline_spans
from tui.widgets.transcript.lexers import Lexers

MIN_CELLS = 12
PAGE_CHARS = 60
"""A line of a paragraph that is at least this long may have been broken to fit a page."""
PIECE_CHARS = 400
"""A paragraph longer than twice this is parsed in pieces, so that a long one stays flat."""


@dataclass(frozen=True, slots=True)
class RenderMode:
    """How text is laid out: ``width`` is its room in cells, ``is_raw`` asks for the source instead
    of formatted Markdown."""

    width: int
    cell_len: CellLen
    glyphs: Glyphs
    lexers: Lexers
    is_raw: bool = False


class Layout(Protocol):
    """A block, or another part of a turn, as rows at one width."""

    @property
    def text(self) -> str:
        """The plain text behind the rows."""

    def __len__(self) -> int:
        """Number of rows."""

    def spans(self, row: int) -> list[Span]:
        """One row."""

    def prefix_cells(self, row: int) -> int:
        """Cells of the row that are not its text: indentation, bullets, bars."""

    def fill(self, row: int) -> str:
        """The role of the blanks behind the text, to the right edge; empty for none."""

    def row_span(self, row: int) -> tuple[int, int]:
        """Where the row lies in :attr:`text`."""

    def grow(self) -> int:
        """Take in what is new in the block. Returns the first row that may have changed."""


class FlowLayout:
    """Rows of one flow of text with nothing in front of them."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    @property
    def text(self) -> str:
        return self._flow.text

    def __len__(self) -> int:
        return len(self._flow)

    def spans(self, row: int) -> list[Span]:
        return self._flow.spans(row)

    def prefix_cells(self, row: int) -> int:
        return 0

    def fill(self, row: int) -> str:
        return ""

    def row_span(self, row: int) -> tuple[int, int]:
        return self._flow.wrapper.span(row)


class TextLayout(FlowLayout):
    """Plain text of one role: a prompt, thinking, an error, the source of an answer."""

    def __init__(self, text: str, role: str, mode: RenderMode) -> None:
        super().__init__(Flow(mode.width, mode.cell_len))
        self._role = role
        self._flow.extend(text, role)

    def extend(self, text: str) -> int:
        """Append text. Returns the first row that may have changed."""
        return self._flow.extend(text, self._role)

    def grow(self) -> int:
        return len(self)


class PlainLayout(FlowLayout):
    """Lines as they are: thinking, or the source of an answer. They only ever grow."""

    def __init__(self, block: Block, role: str, mode: RenderMode) -> None:
        super().__init__(Flow(mode.width, mode.cell_len))
        self._block = block
        self._role = role
        self._line = 0
        self._char = 0
        self.grow()

    def grow(self) -> int:
        lines = self._block.lines
        if not lines:
            return len(self)
        new = "\n".join([lines[self._line][self._char :], *lines[self._line + 1 :]])
        self._line, self._char = len(lines) - 1, len(lines[-1])
        return self._flow.extend(new, self._role)


class Prefix:
    """Indentation, bullets and quote bars in front of a block's rows."""

    __slots__ = ("cells", "first", "rest")

    def __init__(self, block: Block, mode: RenderMode) -> None:
        first: list[Span] = []
        rest: list[Span] = []
        cells = depth = 0
        for container in block.containers:
            marker = container.marker
            is_number = len(marker) > 1
            wanted = len(marker) + 1 if is_number else 2
            if cells + wanted > mode.width - MIN_CELLS:
                break
            cells += wanted
            if container.is_quote:
                first.append((f"{mode.glyphs.column} ", "quote-bar"))
                rest.append(first[-1])
                continue
            if not is_number:
                marker = nested_bullet(mode.glyphs) if depth else mode.glyphs.bullet
            depth += 1
            shown = marker if container.is_first else ""
            first.append((shown.ljust(wanted), "mark"))
            rest.append((" " * wanted, "text"))
        self.cells = cells
        self.first = first
        self.rest = rest

    def of(self, row: int) -> list[Span]:
        return self.first if row == 0 else self.rest


class ParagraphLayout(FlowLayout):
    """A paragraph or heading, with its inline Markdown."""

    def __init__(self, block: Block, mode: RenderMode) -> None:
        self._block = block
        self._prefix = Prefix(block, mode)
        super().__init__(Flow(mode.width - self._prefix.cells, mode.cell_len))
        self._cell_len = mode.cell_len
        self._role = block_role(block)
        self._settled_line = 0
        self._settled_char = 0
        self._settled_at = 0
        self.grow()

    def spans(self, row: int) -> list[Span]:
        return self._prefix.of(row) + self._flow.spans(row)

    def prefix_cells(self, row: int) -> int:
        return self._prefix.cells

    def grow(self) -> int:
        first = len(self)
        while True:
            tail = self._tail()
            if len(tail) < 2 * PIECE_CHARS:
                break
            piece = tail[: piece_end(tail)]
            first = min(first, self._replace(piece))
            self._settled_at = len(self._flow.text)
            self._settle(len(piece))
        return min(first, self._replace(tail))

    def _tail(self) -> str:
        """What is not settled yet, up to as much as one step needs."""
        lines = self._block.lines
        if self._settled_line >= len(lines):
            return ""
        parts = [lines[self._settled_line][self._settled_char :]]
        length = len(parts[0])
        index = self._settled_line + 1
        while index < len(lines) and length < 2 * PIECE_CHARS:
            parts.append(" " if is_page_break(lines[index - 1], lines[index]) else "\n")
            parts.append(lines[index])
            length += len(lines[index]) + 1
            index += 1
        return "".join(parts)

    def _settle(self, count: int) -> None:
        while count:
            line = self._block.lines[self._settled_line]
            left = len(line) - self._settled_char
            if count <= left:
                self._settled_char += count
                return
            count -= left + 1
            self._settled_line += 1
            self._settled_char = 0

    def _replace(self, source: str) -> int:
        spans = inline_spans(source, self._role, self._cell_len)
        return self._flow.replace(self._settled_at, spans)


def is_page_break(before: str, after: str) -> bool:
    """Whether a line was broken only because it was long, and goes on in the next one."""
    return len(before) >= PAGE_CHARS and before[-1] not in ".:;!?|\\" and after[:1].islower()


def piece_end(text: str) -> int:
    """Where a long paragraph can be cut without cutting a mark in two.

    From :data:`PIECE_CHARS` to a quarter more: after white space outside of emphasis, code and
    links if there is any.
    """
    limit = PIECE_CHARS + PIECE_CHARS // 4
    fallback = 0
    position = PIECE_CHARS
    while position < limit:
        if text[position - 1] in " \n":
            fallback = fallback or position
            head = text[:position]
            is_open = head.count("`") % 2 or head.count("**") % 2 or head.count("*") % 2
            if not is_open and head.count("[") <= head.count("]"):
                return position
        position += 1
    return fallback or limit


class RuleLayout:
    """A thematic break: one thin line."""

    text = ""

    def __init__(self, block: Block, mode: RenderMode) -> None:
        self._prefix = Prefix(block, mode)
        self._line = mode.glyphs.rule * max(1, mode.width - self._prefix.cells)

    def __len__(self) -> int:
        return 1

    def spans(self, row: int) -> list[Span]:
        return [*self._prefix.of(row), (self._line, "rule")]

    def prefix_cells(self, row: int) -> int:
        return 0

    def fill(self, row: int) -> str:
        return ""

    def row_span(self, row: int) -> tuple[int, int]:
        return 0, 0

    def grow(self) -> int:
        return 1


def nested_bullet(glyphs: Glyphs) -> str:
    """The bullet of a list inside of a list."""
    return "-" if glyphs.is_ascii else "◦"


def block_role(block: Block) -> str:
    """The role of a block's plain text."""
    if block.kind == "heading":
        return "heading"
    return "quote" if any(one.is_quote for one in block.containers) else "text"
