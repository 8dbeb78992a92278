"""A text of a turn (its prompt, thinking or answer) and the blocks it amounts to."""

from __future__ import annotations

from tui.core.text.block import Block, PlainSplitter
from tui.core.text.blocks import BlockSplitter
from tui.core.text.display import CellLen, DisplayText
from tui.core.text.sanitize import Sanitizer

MAX_PIECES = 128


class StreamedText:
    """Text that may still grow. It is split into blocks only while it is open.

    ``first_changed`` is the first block that may have changed since :meth:`taken`.
    """

    def __init__(self, cell_len: CellLen, text: str = "", *, is_finished: bool = False) -> None:
        self._cell_len = cell_len
        self._pieces = [text] if text else []
        self._is_finished = is_finished
        self._splitter: BlockSplitter | PlainSplitter | None = None
        self.first_changed = 0

    @property
    def text(self) -> str:
        """The text as it came."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    @property
    def has_text(self) -> bool:
        return bool(self._pieces)

    @property
    def blocks(self) -> list[Block]:
        """The blocks of the text so far; none while closed."""
        return self._splitter.blocks if self._splitter else []

    def open(self, *, is_plain: bool) -> None:
        """Split the text, as it is or as Markdown."""
        self._sanitizer = Sanitizer()
        self._display = DisplayText(self._cell_len)
        self._splitter = PlainSplitter() if is_plain else BlockSplitter()
        self.first_changed = 0
        self._split(self.text)
        if self._is_finished:
            self._splitter.finish()

    def close(self) -> None:
        """Let go of everything but the text."""
        self._splitter = None

    def feed(self, text: str) -> None:
        """Append text."""
        if not text:
            return
        self._pieces.append(text)
        if len(self._pieces) > MAX_PIECES:
            self._pieces = ["".join(self._pieces)]
        if self._splitter is not None:
            self._split(text)

    def finish(self) -> None:
        """No more text comes."""
        self._is_finished = True
        if self._splitter is not None:
            self._note(self._splitter.finish())

    def taken(self) -> int:
        """The first block that may have changed since the last call."""
        first, self.first_changed = self.first_changed, len(self.blocks)
        return first

    def _split(self, text: str) -> None:
        if self._splitter is not None:
            self._note(self._splitter.feed(self._display.feed(self._sanitizer.feed(text))))

    def _note(self, first: int) -> None:
        self.first_changed = min(self.first_changed, first)
