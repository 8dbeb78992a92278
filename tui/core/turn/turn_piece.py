"""What is new in an answer since a second reader looked last: for whoever keeps it."""

from __future__ import annotations

from array import array
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TurnMark:
    """How much of an answer a reader has."""

    text_chars: int = 0
    thinking_chars: int = 0
    chunks: int = 0
    is_reclassified: bool = False


@dataclass(frozen=True, slots=True)
class TurnPiece:
    """New text, thinking and times of chunks (ns of ``perf_counter_ns``), and the next mark."""

    text: str
    thinking: str
    stamps_ns: array[int]
    is_whole: bool
    """It stands in the place of all pieces before: earlier text has turned out to be thinking."""
    mark: TurnMark

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.thinking or self.stamps_ns or self.is_whole)
