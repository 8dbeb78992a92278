"""Parts: what a turn is made of, from top to bottom, each with the rows it takes.

A part that nobody looks at has no layout, only a number of rows: counted once it has been laid out
at this width, estimated before.
"""

from __future__ import annotations

from itertools import count
from typing import Literal

from tui.core.text.block import Block
from tui.widgets.transcript.code import CodeLayout
from tui.widgets.transcript.layout import (
    Layout,
    ParagraphLayout,
    PlainLayout,
    RenderMode,
    RuleLayout,
    TextLayout,
)
from tui.widgets.transcript.table import TableLayout

PartKind = Literal[
    "prompt", "model", "fold", "thinking", "answer", "status", "error", "footer", "note"
]  # fmt: skip

_serials = count(1)


class Part:
    """One block of an answer or of its thinking, or a line of text around them.

    ``rows`` includes the blank row before the part where ``has_gap`` is true. ``is_exact`` says
    whether it was counted.
    """

    __slots__ = ("_key", "block", "has_gap", "is_exact", "kind", "layout", "rows", "serial", "text")

    def __init__(self, kind: PartKind, source: Block | str, *, has_gap: bool) -> None:
        self.kind: PartKind = kind
        self.block = source if isinstance(source, Block) else None
        self.text = source if isinstance(source, str) else ""
        self.has_gap = has_gap
        self.layout: Layout | None = None
        self.rows = 0
        self.is_exact = False
        self.serial = next(_serials)
        self._key: tuple[str, int, str] | None = None

    def estimate(self, width: int) -> None:
        """Forget the layout and guess the rows at a new width."""
        self.layout = None
        self.is_exact = False
        lines = [self.text] if self.block is None else self.block.lines
        self.rows = self.has_gap + max(1, sum(-(-len(line) // width) or 1 for line in lines))

    def lay_out(self, mode: RenderMode) -> int:
        """Make or grow the layout. Returns the first row (of the part) that may have changed."""
        key = None
        if self.block is not None:
            key = (self.block.kind, self.block.level, self.block.language)
        if self.layout is None or key != self._key:
            self._key = key
            self.layout = self._made(mode)
            first = 0
        else:
            first = self.has_gap + self.layout.grow()
        self.rows = self.has_gap + len(self.layout)
        self.is_exact = True
        return first

    @property
    def is_uncoloured(self) -> bool:
        """Whether the part is code whose colours are not ready yet."""
        return isinstance(self.layout, CodeLayout) and self.layout.is_waiting

    def _made(self, mode: RenderMode) -> Layout:
        block = self.block
        if block is None:
            return TextLayout(self.text, _ROLES[self.kind], mode)
        if block.kind == "plain":
            return PlainLayout(block, _ROLES[self.kind], mode)
        if block.kind == "fence":
            return CodeLayout(block, mode)
        if block.kind == "table":
            return TableLayout(block, mode)
        if block.kind == "rule":
            return RuleLayout(block, mode)
        return ParagraphLayout(block, mode)


_ROLES = {
    "prompt": "prompt",
    "model": "dim",
    "fold": "dim",
    "thinking": "thinking",
    "answer": "text",
    "status": "dim",
    "error": "bad",
    "footer": "footer",
    "note": "dim",
}
