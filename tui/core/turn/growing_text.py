"""Clean text that grows by a token at a time, without keeping a string for each token."""

from __future__ import annotations

from itertools import islice

from tui.core.text.sanitize import CleanText

MAX_RECENT = 1024


class GrowingText:
    """Blocks of joined pieces, and the newest pieces. Appending is O(1) on average.

    A string for each token takes ten times the room of its text, and joining everything again and
    again takes time in the square of the length.
    """

    __slots__ = ("_block_chars", "_blocks", "_counted", "_counted_chars", "_recent")

    def __init__(self) -> None:
        self._blocks: list[str] = []
        self._recent: list[str] = []
        self._block_chars = 0
        self._counted = self._counted_chars = 0
        """The first of the recent pieces, as far as somebody asked for their length."""

    def append(self, piece: CleanText) -> None:
        self._recent.append(piece)
        if len(self._recent) >= MAX_RECENT:
            self._close_block()

    def _close_block(self) -> None:
        block = "".join(self._recent)
        self._blocks.append(block)
        self._block_chars += len(block)
        self._recent = []
        self._counted = self._counted_chars = 0

    def take_over(self, other: GrowingText) -> None:
        """Appends all of ``other``, which is empty afterwards."""
        self._close_block()
        self._blocks += other._blocks
        self._block_chars += other._block_chars
        self._recent = other._recent
        other._blocks, other._recent, other._block_chars = [], [], 0
        other._counted = other._counted_chars = 0

    @property
    def n_chars(self) -> int:
        """The length. Counts only what is new since it was asked last."""
        for piece in islice(self._recent, self._counted, None):
            self._counted_chars += len(piece)
        self._counted = len(self._recent)
        return self._block_chars + self._counted_chars

    @property
    def parts(self) -> tuple[str, ...]:
        """The whole text in pieces as they are kept, for whoever must not hold it twice."""
        return (*self._blocks, *self._recent)

    @property
    def has_words(self) -> bool:
        """Whether there is anything but white space."""
        return any(part.strip() for row in (self._blocks, self._recent) for part in row)

    def tail(self, first_char: int) -> str:
        """The text from that character on; the work is that of the tail, not of the whole."""
        wanted = self.n_chars - first_char
        if wanted <= 0:
            return ""
        parts: list[str] = []
        for row in (self._recent, self._blocks):
            for part in reversed(row):
                parts.append(part)
                wanted -= len(part)
                if wanted <= 0:
                    return "".join(reversed(parts))[-wanted:]
        return "".join(reversed(parts))

    def joined(self) -> CleanText:
        """The whole text."""
        if len(self._blocks) + len(self._recent) != 1 or self._recent:
            self._blocks = ["".join((*self._blocks, *self._recent))]
            self._recent = []
            self._block_chars = len(self._blocks[0])
            self._counted = self._counted_chars = 0
        return CleanText(self._blocks[0])
