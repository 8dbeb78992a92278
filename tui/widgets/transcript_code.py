"""Code: its language above it, its lines on a raised ground, coloured when a line is complete.

The splitter cuts long code into blocks of a bounded number of lines, and each is coloured by
itself: so the thousandth line of an open fence costs the same as the first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from tui.core.blocks import Block
from tui.widgets.transcript_flow import Flow, Span
from tui.widgets.transcript_layout import Prefix, Room

if TYPE_CHECKING:
    from pygments.lexer import Lexer  # type: ignore[import-untyped]

MAX_COLOURED_CHARS = 8000
"""More in one block is data rather than code, and a lexer could take any time for it."""

_LANGUAGE = re.compile(r"[A-Za-z0-9+#._-]{1,30}$")
_PLAIN = ("text", "txt", "plain", "plaintext", "output", "console", "log")
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

    fill = "code"

    def __init__(self, block: Block, room: Room) -> None:
        self._block = block
        self._prefix = Prefix(block, room)
        self._flow = Flow(room.width - self._prefix.cells - 2, room.cell_len, is_verbatim=True)
        self._label = block.language if block.origin is None else ""
        self._coloured = 0
        self.lexed_lines = 0
        self.grow()

    @property
    def text(self) -> str:
        return self._flow.text

    @property
    def rewrapped_rows(self) -> int:
        return self._flow.wrapper.rewrapped_rows

    def __len__(self) -> int:
        return bool(self._label) + len(self._flow)

    def spans(self, row: int) -> list[Span]:
        if self.is_label(row):
            return [*self._prefix.first, (self._label, "dim")]
        return [*self._prefix.of(row), (" ", "code"), *self._flow.spans(row - bool(self._label))]

    def is_label(self, row: int) -> bool:
        """Whether this row is the name of the language, not code."""
        return row == 0 and bool(self._label)

    def prefix_cells(self, row: int) -> int:
        return self._prefix.cells + (not self.is_label(row))

    def row_span(self, row: int) -> tuple[int, int]:
        return (0, 0) if self.is_label(row) else self._flow.wrapper.span(row - bool(self._label))

    def grow(self) -> int:
        lines = self._block.lines
        complete = len(lines) if self._block.is_closed else max(0, len(lines) - 1)
        spans: list[Span] = []
        offset = 0
        if complete > self._coloured:
            self.lexed_lines += complete
            spans += coloured("\n".join(lines[:complete]), self._block.language)
            self._coloured = complete
        else:
            complete = self._coloured
            offset = sum(map(len, lines[:complete])) + max(0, complete - 1)
        for index in range(complete, len(lines)):
            spans.append((f"\n{lines[index]}" if index else lines[index], "code"))
        return bool(self._label) + self._flow.replace(offset, spans)


def coloured(code: str, language: str) -> Sequence[Span]:
    """``code`` as spans; plain where the language is unknown or the code too long."""
    lexer = _lexer(language.lower()) if len(code) <= MAX_COLOURED_CHARS else None
    if lexer is None or not code:
        return [(code, "code")]
    spans: list[Span] = []
    position = 0
    for start, token, text in lexer.get_tokens_unprocessed(code):
        if start != position:
            return [(code, "code")]
        position += len(text)
        spans.append((text, _role(str(token))))
    if position != len(code):
        return [(code, "code")]
    return spans


@lru_cache(maxsize=256)
def _role(token: str) -> str:
    name = token.removeprefix("Token.")
    for prefix, role in _ROLES:
        if name.startswith(prefix):
            return f"code {role}"
    return "code"


@lru_cache(maxsize=16)
def _lexer(language: str) -> Lexer | None:
    """Pygments is imported when the first fence with a language is met."""
    if not _LANGUAGE.match(language) or language in _PLAIN:
        return None
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    try:
        return get_lexer_by_name(language)
    except ClassNotFound:
        return None
