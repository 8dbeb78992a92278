"""Clean text that grows by a token at a time, without keeping a string for each token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from unicodedata import category

from tui.core.types import CleanText

BLOCK_CHARS = 4096
_UNSEEN = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp"))
"""Unicode's categories of controls, format marks and blanks."""


def _can_be_seen(text: str) -> bool:
    return any(category(char) not in _UNSEEN for char in text.strip())


def without_end_blanks(parts: Iterable[str]) -> Iterator[str]:
    """These pieces without white space at the end of the whole."""
    held: list[str] = []
    for part in parts:
        end = len(part.rstrip())
        if end:
            yield from held
            held.clear()
            yield part[:end]
        held.append(part[end:])


def _packed(block: str) -> str | bytes:
    """As UTF-8 where a string takes up to four bytes a character for one sign of another script."""
    return block if block.isascii() else block.encode("utf-8", "surrogatepass")


def _unpacked(block: str | bytes) -> str:
    return block if isinstance(block, str) else block.decode("utf-8", "surrogatepass")


class GrowingText:
    """Blocks of joined pieces, and the newest pieces. Appending is O(1) on average.

    A string for each token takes ten times the room of its text, and joining everything again and
    again takes time in the square of the length.
    """

    __slots__ = ("_block_end", "_blocks", "_recent", "n_chars")

    def __init__(self) -> None:
        self._blocks: list[str | bytes] = []
        self._recent: list[str] = []
        self.n_chars = 0
        """The length."""
        self._block_end = BLOCK_CHARS
        """The length at which the newest pieces become a block."""

    def append(self, piece: CleanText) -> None:
        self._recent.append(piece)
        self.n_chars += len(piece)
        if self.n_chars >= self._block_end:
            self._close_block()

    def _close_block(self) -> None:
        self._blocks.append(_packed("".join(self._recent)))
        self._recent = []
        self._block_end = self.n_chars + BLOCK_CHARS

    def take_over(self, other: GrowingText) -> None:
        """Appends all of ``other``, which is empty afterwards."""
        self._close_block()
        self._blocks += other._blocks
        self._recent = other._recent
        self.n_chars += other.n_chars
        other._blocks, other._recent, other.n_chars = [], [], 0

    @property
    def parts(self) -> Iterator[str]:
        """The whole text of now in pieces, for whoever must not hold it twice."""
        return map(_unpacked, (*self._blocks, *self._recent))

    @property
    def has_words(self) -> bool:
        """Whether there is anything that can be seen: not only blanks and marks without a shape."""
        return any(_can_be_seen(part) for part in self.parts)

    def tail(self, first_char: int) -> str:
        """The text from that character on; the work is that of the tail, not of the whole."""
        wanted = self.n_chars - first_char
        if wanted <= 0:
            return ""
        parts: list[str] = []
        for row in (self._recent, self._blocks):
            for kept in reversed(row):
                part = _unpacked(kept)
                parts.append(part)
                wanted -= len(part)
                if wanted <= 0:
                    parts[-1] = part[-wanted:]
                    return "".join(reversed(parts))
        return "".join(reversed(parts))

    def joined(self) -> CleanText:
        """The whole text, which is kept as the one that is given out."""
        first = self._blocks[0] if len(self._blocks) == 1 and not self._recent else None
        if not isinstance(first, str):
            first = "".join(self.parts)
            self._blocks, self._recent = [first], []
        return CleanText(first)
