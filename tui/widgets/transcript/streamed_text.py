"""A text of a turn (its prompt, thinking or answer) and the blocks that show it.

Text is cleaned once and kept once. Text of a caller is cleaned when it is first looked at; text
that is fed has passed the sanitiser already. Where the caller keeps what it feeds, ``source`` gives
it back, and only its length is kept here.
"""

from __future__ import annotations

from collections.abc import Callable

from tui.core.text.block import Block, PlainSplitter
from tui.core.text.blocks import BlockSplitter
from tui.core.text.display import CellLen, DisplayText
from tui.core.text.sanitize import clean
from tui.core.types import CleanText

MAX_PIECES = 128


class StreamedText:
    """Text that may still grow. It is split into blocks only while it is open.

    ``first_changed`` is the first block that may have changed since :meth:`taken`.
    """

    def __init__(self, cell_len: CellLen, text: str = "", *, is_finished: bool = False) -> None:
        self._cell_len = cell_len
        self._pieces: list[str] = [text] if text else []
        self._is_clean = not text
        self._source: Callable[[], CleanText] | None = None
        self._source_chars = 0
        self._is_finished = is_finished
        self._splitter: BlockSplitter | PlainSplitter | None = None
        self.first_changed = 0

    @property
    def text(self) -> CleanText:
        """The text."""
        if self._source is not None:
            return CleanText(self._source()[: self._source_chars])
        if not self._is_clean:
            self._pieces, self._is_clean = [clean("".join(self._pieces))], True
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return CleanText(self._pieces[0] if self._pieces else "")

    @property
    def has_text(self) -> bool:
        return bool(self._source_chars or self._pieces)

    @property
    def length(self) -> int:
        """Characters of the text, without joining or cleaning it."""
        return self._source_chars or sum(map(len, self._pieces))

    def attach(self, source: Callable[[], CleanText]) -> None:
        """``source`` keeps the text: it returns all that is fed from now on, perhaps more.

        Does nothing once there is text."""
        if not self.has_text:
            self._source = source

    @property
    def blocks(self) -> list[Block]:
        """The blocks of the text so far; none while closed."""
        return self._splitter.blocks if self._splitter else []

    def open(self, *, is_plain: bool) -> None:
        """Split the text, as it is or as Markdown."""
        self._display = DisplayText(self._cell_len)
        self._splitter = PlainSplitter() if is_plain else BlockSplitter()
        self.first_changed = 0
        self._split(self.text)
        if self._is_finished:
            self._splitter.finish()

    def close(self) -> None:
        """Let go of everything but the text."""
        self._splitter = None

    def feed(self, text: CleanText) -> None:
        """Append text."""
        if not text:
            return
        if self._source is not None:
            self._source_chars += len(text)
        else:
            self._pieces.append(text)
            if len(self._pieces) > MAX_PIECES:
                self._pieces = ["".join(self._pieces)]
        if self._splitter is not None:
            self._split(text)

    def finish(self) -> None:
        """No more text comes: the source is let go of, its text is shared with it."""
        if self._source is not None:
            text = self.text
            self._pieces, self._source, self._source_chars = [text] if text else [], None, 0
        self._is_finished = True
        if self._splitter is not None:
            self._note(self._splitter.finish())

    def take_over(self, other: StreamedText) -> None:
        """Append what ``other`` was fed; a source of this text has it already."""
        if self._source is None:
            self.feed(other.text)
        else:
            start = self._source_chars
            self.feed(CleanText(self._source()[start : start + other.length]))

    def emptied(self) -> StreamedText:
        """A text as new, with the same source."""
        new = StreamedText(self._cell_len)
        new._source = self._source
        return new

    def taken(self) -> int:
        """The first block that may have changed since the last call."""
        first, self.first_changed = self.first_changed, len(self.blocks)
        return first

    def _split(self, text: str) -> None:
        if self._splitter is not None:
            self._note(self._splitter.feed(self._display.feed(text)))

    def _note(self, first: int) -> None:
        self.first_changed = min(self.first_changed, first)
