"""An answer that another process receives: a :class:`Turn` that is filled from what it stored."""

from __future__ import annotations

from collections.abc import Sequence

from tui.core.text.sanitize import clean, clean_line
from tui.core.turn.estimate import token_weight
from tui.core.turn.server_wait import continued
from tui.core.turn.turn import MAX_ERROR_CHARS, Turn
from tui.core.types import Phase, Segment, SegmentKind, TurnError, TurnStatus

PHASES: dict[TurnStatus, Phase] = {
    "complete": Phase.DONE,
    "empty": Phase.DONE,
    "stopped": Phase.STOPPED,
}
"""Every other status is a failure."""


class RestoredTurn(Turn):
    """Takes words that were told apart into text and thinking already, with the times of chunks.

    Which words came with which chunk is not stored: they are spread evenly. One thread writes, as
    for any turn.
    """

    def restore_state(self, t0_ns: int, phase: Phase, wait: str | None) -> None:
        """How far it is, while nothing of the answer has arrived."""
        with self._lock:
            if self._meter.chunks or self._phase.is_over:
                return
            self.t0_ns = self._meter.t0_ns = t0_ns
            self._phase = Phase.WAITING if phase is Phase.WAITING else Phase.PREFILL
            if wait is not None:
                self._wait = continued(self._wait, t0_ns, clean_line(wait, MAX_ERROR_CHARS))

    def restore(self, text: str, thinking: str, stamps_ns: Sequence[int]) -> None:
        """What is new, and when its chunks arrived."""
        with self._lock:
            if self._phase.is_over:
                return
            if thinking:
                self._words.take_stored(Segment("thinking", clean(thinking)))
            if text:
                self._words.take_stored(Segment("text", clean(text)))
            n_chars = len(text) + len(thinking)
            n_chunks = len(stamps_ns)
            weight = token_weight(clean(thinking + text)) / n_chunks if n_chunks else 0.0
            done = 0
            for number, t_ns in enumerate(stamps_ns):
                until = n_chars * (number + 1) // n_chunks
                kind: SegmentKind = "thinking" if done < len(thinking) else "text"
                self._meter.mark(t_ns, kind, until - done, weight)
                done = until
            if text or (n_chunks and not thinking):
                self._phase = Phase.ANSWERING
            elif thinking:
                self._phase = Phase.THINKING

    def restore_reclassified(self) -> None:
        """All text so far has turned out to be thinking."""
        with self._lock:
            self._words.reclassify()
            self._meter.reclassify()
            self._phase = Phase.THINKING

    def restore_end(self, t_ns: int, status: TurnStatus, error: TurnError | None) -> None:
        """How it ended, and when."""
        with self._lock:
            if error is not None:
                error = TurnError(error.kind, clean_line(error.sentence, MAX_ERROR_CHARS))
            self._error = error
            self._end(t_ns, PHASES.get(status, Phase.ERROR), status)
