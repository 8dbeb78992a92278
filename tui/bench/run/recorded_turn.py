"""A turn that also records usage, token times and repetition for a benchmark."""

from __future__ import annotations

from collections.abc import Iterable

from tui.bench.checks.loops import LoopDetector
from tui.bench.model.records import Source
from tui.core.turn.reported_usage import merged
from tui.core.turn.turn import Turn
from tui.core.turn.turn_stats import TurnStats
from tui.core.types import (
    Delta,
    NumberSource,
    TextDelta,
    ThinkingDelta,
    UsageDelta,
)


class RecordedTurn(Turn):
    """A :class:`tui.core.turn.turn.Turn` that also keeps the server's raw usage reports.

    It computes nothing differently, so a benchmark's numbers are the same as the dashboard's.
    """

    def _prepare(self) -> None:
        self.usage: UsageDelta | None = None
        self.detector = LoopDetector()
        self.accepted_ns: int | None = None
        self._taken = 0

    def accepted(self, t_ns: int) -> None:
        if self.accepted_ns is None:
            self.accepted_ns = t_ns
        super().accepted(t_ns)

    def feed(self, t_ns: int, deltas: Iterable[Delta]) -> None:
        kept = tuple(deltas)
        if not self.phase.is_over:
            for delta in kept:
                if isinstance(delta, TextDelta | ThinkingDelta) and delta.text:
                    self.detector.feed((delta.text,))
                elif isinstance(delta, UsageDelta):
                    self.usage = delta if self.usage is None else merged(self.usage, delta)
        super().feed(t_ns, kept)

    @property
    def believed_usage(self) -> UsageDelta | None:
        """The server's usage; None if it is the report of the previous answer."""
        return None if self.is_usage_stale else self.usage

    def take_stamps(self) -> tuple[int, ...]:
        """The chunk times since the last call (monotonic, ns)."""
        new = self.stamps_ns[self._taken :]
        self._taken += len(new)
        return tuple(new)


_SOURCES: dict[NumberSource, Source] = {
    "measured": "client",
    "runtime": "runtime",
    "tokenizer": "client",
    "estimated": "estimated",
    "unknown": "unknown",
}


def source_of(stats: TurnStats) -> Source:
    """The source of an answer's token count, as in the records.

    Counting chunks in place of tokens gives an estimate, as a chunk may have several tokens.
    """
    return _SOURCES[stats.tokens_source]
