"""New text of an answer since the last read; the history stores these pieces."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from tui.core.turn.answer_text import AnswerText
from tui.core.turn.chunk_words import ChunkEnds, ChunkWords
from tui.core.turn.meter import Meter


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
    ends: ChunkEnds
    """Which words these chunks brought."""
    is_whole: bool
    """It stands in the place of all pieces before: earlier text has turned out to be thinking."""
    mark: TurnMark

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.thinking or self.stamps_ns or self.is_whole)


def piece_since(
    mark: TurnMark, words: AnswerText, meter: Meter, chunk_words: ChunkWords
) -> TurnPiece:
    """What is new for a reader who has the answer up to that mark."""
    is_whole = words.is_reclassified and not mark.is_reclassified
    known = TurnMark() if is_whole else mark
    return TurnPiece(
        text=words.tail("text", known.text_chars),
        thinking=words.tail("thinking", known.thinking_chars),
        stamps_ns=meter.stamps_from(known.chunks),
        ends=chunk_words.ends(known.chunks),
        is_whole=is_whole,
        mark=TurnMark(
            words.n_chars("text"),
            words.n_chars("thinking"),
            meter.chunks,
            words.is_reclassified,
        ),
    )
