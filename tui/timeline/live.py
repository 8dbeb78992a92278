"""Timeline of a running answer: follows its turn and the board samples."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from tui.core.turn.turn import Turn
from tui.core.turn.turn_piece import TurnMark
from tui.core.types import Phase
from tui.timeline.builder import TimelineBuilder
from tui.timeline.record import Timeline

MAX_EARLY_SAMPLES = 600
"""Samples that are held while the prompt waits to be sent: their time from then is not known."""


class LiveTimeline:
    """Follows one turn, in one thread. Only new data costs time.

    Feed it every sample from the moment of the request on, with or without somebody who looks.
    """

    def __init__(
        self, turn: Turn, created_ms: int | None = None, *, is_simulated: bool = False
    ) -> None:
        self.turn = turn
        self._mark = TurnMark()
        self._early: deque[tuple[int, Mapping[str, float | None]]] = deque(maxlen=MAX_EARLY_SAMPLES)
        self._is_over = False
        self._builder = TimelineBuilder(
            turn.prompt,
            turn.model,
            created_ms=created_ms,
            is_simulated=is_simulated,
            is_token=turn.chunk_meaning != "character",
        )

    @property
    def is_over(self) -> bool:
        """Whether the answer is over and all of it was taken."""
        return self._is_over

    def saw(self, t_ns: int, values: Mapping[str, float | None]) -> None:
        """A sample of the board at ``t_ns`` of ``perf_counter_ns``, as
        :func:`tui.core.board.history.series_values` gives it."""
        if self._is_over:
            return
        if self.turn.phase is Phase.WAITING:
            self._early.append((t_ns, values))
            return
        self._take_words(t_ns)
        if self.is_over:
            # It ended before this sample, which is not of it.
            return
        self._builder.add_sample(t_ns - self.turn.t0_ns, values)

    def timeline(self, now_ns: int) -> Timeline:
        """The timeline as of ``now_ns``; it is valid until the next call of any method."""
        self._take_words(now_ns)
        return self._builder.timeline()

    def _take_words(self, now_ns: int) -> None:
        if self._is_over:
            return
        turn, builder = self.turn, self._builder
        # First: what ends the turn afterwards is taken the next time.
        is_over = turn.phase.is_over
        stats = turn.stats(now_ns)
        if turn.phase is Phase.WAITING:
            builder.reached(now_ns - turn.t0_ns)
            return
        builder.model = turn.model
        builder.queued(round((stats.queue_ms or 0.0) * 1e6))
        if "load" in stats.ttft_includes:
            builder.before_first = "loading"
        while self._early:
            t_ns, values = self._early.popleft()
            builder.add_sample(t_ns - turn.t0_ns, values)
        piece = turn.piece_since(self._mark)
        if piece.is_whole:
            builder.restart()
        self._mark = piece.mark
        builder.add_words(piece.text, piece.thinking)
        t0_ns = turn.t0_ns
        if piece.stamps_ns:
            times_ns = [t_ns - t0_ns for t_ns in piece.stamps_ns]
            builder.add_chunks(times_ns, piece.ends.text, piece.ends.thinking)
        builder.count(
            stats.tokens if piece.mark.chunks else None,
            stats.decode_tps if is_over else stats.rate_now_tps,
            is_estimated=stats.decode_source not in ("measured", "runtime"),
        )
        builder.reached(now_ns - t0_ns)
        if is_over and turn.status is not None:
            latency_ns = None if stats.latency_ms is None else round(stats.latency_ms * 1e6)
            builder.end(turn.status, turn.error, latency_ns, is_at_limit=stats.is_at_limit)
            self._is_over = True
            self._early.clear()
