"""A text that grows by a token at a time, without keeping a string for each token."""

from __future__ import annotations

MAX_RECENT = 1024


class GrowingText:
    """Blocks of joined pieces, and the newest pieces. Appending is O(1) on average.

    A string for each token takes ten times the room of its text, and joining everything again and
    again takes time in the square of the length.
    """

    __slots__ = ("_blocks", "_recent", "n_chars")

    def __init__(self) -> None:
        self._blocks: list[str] = []
        self._recent: list[str] = []
        self.n_chars = 0

    def append(self, piece: str) -> None:
        self._recent.append(piece)
        self.n_chars += len(piece)
        if len(self._recent) >= MAX_RECENT:
            self._blocks.append("".join(self._recent))
            self._recent.clear()

    def take_over(self, other: GrowingText) -> None:
        """Appends all of ``other``, which is empty afterwards."""
        self._blocks += [*self._recent, *other._blocks]
        self._recent = other._recent
        self.n_chars += other.n_chars
        other._blocks, other._recent, other.n_chars = [], [], 0

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

    def joined(self) -> str:
        """The whole text."""
        if len(self._blocks) + len(self._recent) != 1 or self._recent:
            self._blocks = ["".join((*self._blocks, *self._recent))]
            self._recent = []
        return self._blocks[0]
