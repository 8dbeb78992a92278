"""Code: its language above it, its lines on a raised ground, coloured when a line is complete.

The splitter cuts long code into blocks of a bounded number of lines, and each is coloured by
itself: so the thousandth line of an open fence costs the same as the first.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from tui.core.text.block import Block
from tui.widgets.transcript.flow import Flow, Span
from tui.widgets.transcript.layout import Prefix, RenderMode

if TYPE_CHECKING:
    from pygments.lexer import Lexer  # type: ignore[import-untyped]

MAX_COLOURED_CHARS = 4000
MAX_COLOURED_LINE_CHARS = 500
"""More in one block, or in a line, is data rather than code: some lexers take time that grows with
the square of it."""

MAX_LABEL_CHARS = 40
EDGE = "▏"
"""At the left of code: it is seen without any ground."""
COLOURING_SHARE = 50
"""An open block is coloured again when this many times the last colouring's time has passed."""

_ROLES = (
    ("Comment", "code-comment"),
    ("Keyword", "code-keyword"),
    ("Operator.Word", "code-keyword"),
    ("Literal", "code-string"),
    ("Name.Function", "code-name"),
    ("Name.Class", "code-name"),
    ("Name.Decorator", "code-name"),
    ("Name.Tag", "code-name"),
)


class CodeLayout:
    """A fence, or indented code."""

    def __init__(self, block: Block, mode: RenderMode) -> None:
        self._block = block
        self._prefix = Prefix(block, mode)
        self._flow = Flow(mode.width - self._prefix.cells - 2, mode.cell_len, is_verbatim=True)
        self._label = block.language[:MAX_LABEL_CHARS] if block.origin is None else ""
        while mode.cell_len(self._label) > mode.width - self._prefix.cells:
            self._label = self._label[:-1]
        self._lexers = mode.lexers
        self._edge = "|" if mode.glyphs.is_ascii else EDGE
        self._coloured = 0
        self._due_ns = 0
        self.grow()

    @property
    def text(self) -> str:
        return self._flow.text

    def __len__(self) -> int:
        return bool(self._label) + len(self._flow)

    def spans(self, row: int) -> list[Span]:
        if self.is_label(row):
            return [*self._prefix.first, (self._label, "dim")]
        return [
            *self._prefix.of(row),
            (self._edge, "code code-edge"),
            *self._flow.spans(row - bool(self._label)),
        ]

    def is_label(self, row: int) -> bool:
        """Whether this row is the name of the language, not code."""
        return row == 0 and bool(self._label)

    def prefix_cells(self, row: int) -> int:
        return self._prefix.cells + (not self.is_label(row))

    def fill(self, row: int) -> str:
        return "" if self.is_label(row) else "code"

    def row_span(self, row: int) -> tuple[int, int]:
        return (0, 0) if self.is_label(row) else self._flow.wrapper.span(row - bool(self._label))

    @property
    def is_waiting(self) -> bool:
        """Whether the code has no colours because its lexer is not ready yet."""
        return self._coloured == 0 and self._lexers.is_loading(self._block.language)

    def grow(self) -> int:
        lines = self._block.lines
        complete = len(lines) if self._block.is_closed else max(0, len(lines) - 1)
        if self._coloured > len(lines):  # empty lines at the end were dropped
            self._coloured = 0
        spans: Sequence[Span] = ()
        offset = 0
        if complete > self._coloured and self._is_due():
            spans = self._colour("\n".join(lines[:complete]))
        if spans:
            self._coloured = complete
        else:
            complete = self._coloured
            offset = sum(map(len, lines[:complete])) + max(0, complete - 1)
        rest = [
            (f"\n{lines[index]}" if index else lines[index], "code")
            for index in range(complete, len(lines))
        ]
        return bool(self._label) + self._flow.replace(offset, [*spans, *rest])

    def _is_due(self) -> bool:
        return self._block.is_closed or time.perf_counter_ns() >= self._due_ns

    def _colour(self, code: str) -> Sequence[Span]:
        """Complete lines as spans; none where they cannot be coloured."""
        lexer = self._lexers.get(self._block.language)
        if lexer is None or not is_for_lexers(code):
            return ()
        start_ns = time.perf_counter_ns()
        spans = coloured(code, lexer)
        end_ns = time.perf_counter_ns()
        self._due_ns = end_ns + COLOURING_SHARE * (end_ns - start_ns)
        return spans


def is_for_lexers(code: str) -> bool:
    """Whether a block of code is small enough for any lexer."""
    return (
        len(code) <= MAX_COLOURED_CHARS
        and max(map(len, code.split("\n"))) <= MAX_COLOURED_LINE_CHARS
    )


def coloured(code: str, lexer: Lexer) -> Sequence[Span]:
    """``code`` as spans; none where the lexer does not give back what it was given."""
    spans: list[Span] = []
    position = 0
    for start, token, text in lexer.get_tokens_unprocessed(code):
        if start != position:
            return ()
        position += len(text)
        spans.append((text, _role(str(token))))
    return spans if position == len(code) else ()


@lru_cache(maxsize=256)
def _role(token: str) -> str:
    name = token.removeprefix("Token.")
    for prefix, role in _ROLES:
        if name.startswith(prefix):
            return f"code {role}"
    return "code"
