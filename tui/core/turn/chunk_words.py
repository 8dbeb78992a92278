"""Maps chunks to text: the length of answer and thinking after each chunk."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

_LOW = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class ChunkEnds:
    """A number for each chunk: how many characters of the answer's text, and of its thinking, there
    were after it. Neither falls.

    What the sanitiser holds back (half an escape sequence, half a tag) belongs to the chunk with
    which it is given out; at the very end of an answer it is in none.
    """

    text: array[int]
    thinking: array[int]


class ChunkWords:
    """Collects them while the answer runs: one number for each chunk."""

    __slots__ = ("packed",)

    def __init__(self) -> None:
        self.packed: array[int] = array("Q")
        """For each chunk, characters of text times 2^32 plus characters of thinking."""

    def reclassify(self) -> None:
        """All text so far was thinking: it stands behind what was thinking before."""
        self.packed = array("Q", ((value >> 32) + (value & _LOW) for value in self.packed))

    def ends(self, first: int = 0) -> ChunkEnds:
        """Those of the chunks from ``first`` on: a copy."""
        values = self.packed[first:]
        return ChunkEnds(
            array("I", (value >> 32 for value in values)),
            array("I", (value & _LOW for value in values)),
        )
