"""Turns for tests: a request, a clock that moves by itself, and words fed in."""

from __future__ import annotations

from collections.abc import Iterable

from tui.core.turn.think import Reclassified
from tui.core.turn.turn import Turn
from tui.core.types import (
    ChatRequest,
    Delta,
    GenerationSettings,
    Message,
    Segment,
    TextDelta,
    TurnError,
)

STALLED = TurnError("stalled", "Nothing came for 60 s.")
MS = 1_000_000
T0 = 1_000_000_000_000
REQUEST = ChatRequest("qwen3-4b", (Message("user", "why?"),), GenerationSettings(max_tokens=64))


class Feeder:
    """A turn and the time; each piece arrives ``gap_ms`` after the one before."""

    def __init__(self, turn: Turn | None = None, gap_ms: int = 100) -> None:
        self.turn = Turn(REQUEST, T0) if turn is None else turn
        self.t_ns = T0 + 1000 * MS - gap_ms * MS
        self.gap_ms = gap_ms
        self.turn.accepted(T0 + 2 * MS)

    def text(self, *pieces: str) -> Feeder:
        return self.deltas(*map(TextDelta, pieces))

    def deltas(self, *deltas: Delta) -> Feeder:
        """Each one in a read of its own."""
        for delta in deltas:
            self.t_ns += self.gap_ms * MS
            self.turn.feed(self.t_ns, [delta])
        return self


def folded(segments: Iterable[Segment]) -> tuple[str, str]:
    """Thinking and text as a reader of segments ends up with them."""
    thinking, text = "", ""
    for segment in segments:
        if isinstance(segment, Reclassified):
            thinking, text = thinking + text, ""
        elif segment.kind == "thinking":
            thinking += segment.text
        else:
            text += segment.text
    return thinking, text
