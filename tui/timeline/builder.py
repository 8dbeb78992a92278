"""Builds the timeline of an answer from chunks, words and board samples.

Every call costs what is new, whatever there is already, so that an answer that runs can be followed
from its first token to its last.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tui.core.types import TurnError, TurnStatus
from tui.timeline.marks import MarkFinder
from tui.timeline.phases import PhaseTrack
from tui.timeline.record import Chunks, Mark, MarkKind, PhaseName, Series, Timeline
from tui.timeline.series import CPU_CLOCK, GAP, NPU_LOAD, RATE, SPECS

RATE_GAPS, RATE_NS = 4, 250_000_000
"""The rate at a token is that of the last four gaps, or of as many as make a quarter second."""
RESCALE_SHARE = 0.05
MOST_NS = 10 * 365 * 86_400 * 1_000_000_000
"""Longest time from the request to anything of an answer."""
EARLY_NS = 3_000_000_000
"""Time before the axis from which the last sample is used."""
NAN = math.nan
_CLOCK, _CORE = -1.0, -2.0
"""In place of a scale: the clock of one of the CPU's clusters, the load of one core of the NPU."""


class TimelineBuilder:
    """One answer. Times are ns from the moment at which its request was sent."""

    def __init__(
        self,
        prompt: str,
        model: str,
        *,
        created_ms: int | None = None,
        is_simulated: bool = False,
        is_token: bool = True,
    ) -> None:
        self.prompt = prompt
        self.model = model
        self.created_ms = created_ms
        self.is_simulated = is_simulated
        self.is_token = is_token
        self.start_ns = 0
        self.before_first: PhaseName = "prefill"
        """Phase before the first chunk."""
        self.notes: tuple[str, ...] = ()
        self.tokens: int | None = None
        self.decode_tps: float | None = None
        self.is_rate_estimated = True
        self._is_estimated = False
        self._end_ns = 0
        self._status: TurnStatus | None = None
        self._error: TurnError | None = None
        self._is_at_limit = False
        self._tokens_per_chunk = 1.0
        self._board_times: array[int] = array("q")
        self._board: dict[str, array[float]] = {}
        self._scales: dict[str, float] = {}
        self._clear_chunks()
        self._marks = MarkFinder()
        self._n_marked = 0
        """Chunks given to the mark finder, also before a restart."""

    def _clear_chunks(self) -> None:
        self._times: array[int] = array("q")
        self._text_ends: array[int] = array("q")
        self._thinking_ends: array[int] = array("q")
        self._rate: array[float] = array("d")
        self._gap: array[float] = array("d")
        self._text = self._thinking = ""
        self._window = 0
        self._phases = PhaseTrack()

    # What comes -----------------------------------------------------------------------------

    def restart(self) -> None:
        """All chunks and words are given again: earlier text has turned out to be thinking."""
        self._clear_chunks()

    def add_words(self, text: str, thinking: str) -> None:
        """More of the answer, before the chunks that brought it."""
        self._text += text
        self._thinking += thinking

    def add_chunks(
        self,
        times_ns: Sequence[int],
        text_ends: Sequence[int] = (),
        thinking_ends: Sequence[int] = (),
    ) -> None:
        """More chunks; a number for each of all three. Without ends, the words are spread over
        the chunks when the answer is over."""
        if len(text_ends) != len(times_ns) or len(thinking_ends) != len(times_ns):
            self._is_estimated = True
        first = len(self._times)
        self._add_times(times_ns)
        if not self._is_estimated:
            self._add_ends(self._times[first:], text_ends, thinking_ends)

    def _add_times(self, times_ns: Sequence[int]) -> None:
        # In line: an answer of 16,384 tokens comes by here when it is opened.
        times, gaps, rates, window = self._times, self._gap, self._rate, self._window
        mark, n_marked, number = self._marks.chunk, self._n_marked, len(times)
        factor = self._tokens_per_chunk * 1e9
        before_ns = times[-1] if number else None
        for t_ns in times_ns:
            if t_ns > MOST_NS:
                t_ns = MOST_NS
            if before_ns is None:
                t_ns = max(t_ns, 0)
                gaps.append(NAN)
                rates.append(NAN)
            else:
                if t_ns < before_ns:
                    t_ns = before_ns
                gaps.append((t_ns - before_ns) / 1e6)
                last = number - RATE_GAPS
                while window < last and t_ns - times[window + 1] >= RATE_NS:
                    window += 1
                span_ns = t_ns - times[window]
                rates.append((number - window) * factor / span_ns if span_ns else NAN)
            times.append(t_ns)
            if number >= n_marked:
                mark(before_ns, t_ns)
            before_ns = t_ns
            number += 1
        self._window = window
        self._n_marked = max(n_marked, number)
        if before_ns is not None and before_ns > self._end_ns:
            self._end_ns = before_ns

    def _add_ends(
        self, times_ns: Sequence[int], text_ends: Sequence[int], thinking_ends: Sequence[int]
    ) -> None:
        """Which words these chunks brought."""
        text, thinking, phase = self._text, self._thinking, self._phases.chunk
        text_start = self._text_ends[-1] if self._text_ends else 0
        thinking_start = self._thinking_ends[-1] if self._thinking_ends else 0
        add_text, add_thinking = self._text_ends.append, self._thinking_ends.append
        n_text, n_thinking = len(text), len(thinking)
        for t_ns, text_end, thinking_end in zip(times_ns, text_ends, thinking_ends, strict=True):
            # Compared, not min and max: an answer of 16,384 tokens comes by here at once.
            if text_end > n_text:
                text_end = n_text
            if text_end < text_start:
                text_end = text_start
            if thinking_end > n_thinking:
                thinking_end = n_thinking
            if thinking_end < thinking_start:
                thinking_end = thinking_start
            add_text(text_end)
            add_thinking(thinking_end)
            phase(t_ns, text[text_start:text_end], thinking[thinking_start:thinking_end])
            text_start, thinking_start = text_end, thinking_end

    def add_sample(self, t_ns: int, values: Mapping[str, float | None]) -> None:
        """A sample of the board: readings by their series, in the units in which they are stored
        (:func:`tui.core.board.history.series_values`). One that is older than the last is left
        out."""
        if t_ns < self.start_ns:
            if self.start_ns - t_ns > EARLY_NS:
                return
            t_ns = self.start_ns
        if t_ns > MOST_NS or (self._board_times and t_ns < self._board_times[-1]):
            return
        known = self._known(values)
        board, count = self._board, len(self._board_times)
        self._board_times.append(t_ns)
        for name, value in known.items():
            column = board.get(name)
            if column is None:
                column = board[name] = array("d", [NAN]) * count
            column.append(value)
        if len(known) < len(board):
            for column in board.values():
                if len(column) <= count:
                    column.append(NAN)
        self._marks.sample(t_ns, known)
        self.reached(t_ns)

    def _known(self, values: Mapping[str, float | None]) -> dict[str, float]:
        """Present readings in the units of their specs, and derived series."""
        known: dict[str, float] = {}
        loads_pct, cores, clock = 0.0, 0, None
        scales = self._scales
        for name, value in values.items():
            # The difference is 0 for whatever is a number, and not endless.
            if value is None or value - value != 0:
                continue
            scale = scales.get(name)
            if scale is None:
                scale = scales[name] = _scale_of(name)
            if scale == _CLOCK:
                clock = value if clock is None or value > clock else clock
                continue
            if scale == _CORE:
                loads_pct += value
                cores += 1
                known[name] = value
            else:
                known[name] = value * scale
        if cores:
            known[NPU_LOAD] = loads_pct / cores
        if clock is not None:
            known[CPU_CLOCK] = clock * SPECS[CPU_CLOCK].scale
        return known

    def queued(self, wait_ns: int) -> None:
        """Sets how long the prompt waited before it was sent."""
        self.start_ns = -min(max(wait_ns, 0), MOST_NS)

    def reached(self, t_ns: int) -> None:
        """Sets the present time of a running answer."""
        self._end_ns = max(self._end_ns, min(t_ns, MOST_NS))

    def count(self, tokens: int | None, decode_tps: float | None, *, is_estimated: bool) -> None:
        """Sets the best count and rate so far. Where a chunk is not a token the curve of the rate
        follows the count.
        """
        self.tokens, self.decode_tps, self.is_rate_estimated = tokens, decode_tps, is_estimated
        factor = (tokens / len(self._times) if tokens and self._times else 1.0) or 1.0
        if abs(factor / self._tokens_per_chunk - 1) > RESCALE_SHARE:
            change, self._tokens_per_chunk = factor / self._tokens_per_chunk, factor
            self._rate = array("d", (value * change for value in self._rate))

    def end(
        self,
        status: TurnStatus,
        error: TurnError | None = None,
        end_ns: int | None = None,
        *,
        is_at_limit: bool = False,
    ) -> None:
        """The answer is over. What is not known of which chunk brought which words is spread."""
        self._status, self._error, self._is_at_limit = status, error, is_at_limit
        if end_ns is not None:
            self._end_ns = max(min(end_ns, MOST_NS), self._times[-1] if self._times else 0)
        if self._is_estimated:
            self.spread_words()
        elif self._text_ends:
            # What the sanitiser held back came at the end.
            self._text_ends[-1] = len(self._text)
            self._thinking_ends[-1] = len(self._thinking)
        while self._board_times and self._board_times[-1] > self._end_ns:
            self._board_times.pop()
            for column in self._board.values():
                column.pop()

    def spread_words(self) -> None:
        """Which chunk brought which words is not known: thinking first, then text, as many
        characters for each. Done by :meth:`end`; for an answer that runs, by whoever knows."""
        count, thinking = len(self._times), len(self._thinking)
        whole = thinking + len(self._text)
        self._is_estimated = True
        self._text_ends, self._thinking_ends = array("q"), array("q")
        self._phases = PhaseTrack()
        ends = [whole * number // count for number in range(1, count + 1)]
        self._add_ends(
            self._times,
            [max(end - thinking, 0) for end in ends],
            [min(end, thinking) for end in ends],
        )

    # What it is -----------------------------------------------------------------------------

    def timeline(self) -> Timeline:
        """The timeline now; it shares its columns with this builder, nothing is copied."""
        is_over = self._status is not None
        end_ns = max(self._end_ns, self.start_ns)
        series = {
            name: Series(name, self._board_times, column) for name, column in self._board.items()
        }
        if len(self._times) > 1:
            series[RATE] = Series(RATE, self._times, self._rate)
            series[GAP] = Series(GAP, self._times, self._gap)
        phases = self._phases.phases(
            self.start_ns, end_ns, before_first=self.before_first, is_over=is_over
        )
        return Timeline(
            prompt=self.prompt,
            model=self.model,
            start_ns=self.start_ns,
            end_ns=end_ns,
            thinking=self._thinking,
            text=self._text,
            chunks=Chunks(
                self._times,
                self._text_ends,
                self._thinking_ends,
                is_estimated=self._is_estimated,
                is_token=self.is_token,
            ),
            series=series,
            phases=tuple(phases),
            marks=tuple(self._all_marks(end_ns)),
            status=self._status,
            error=self._error,
            tokens=self.tokens,
            decode_tps=self.decode_tps,
            is_rate_estimated=self.is_rate_estimated,
            created_ms=self.created_ms,
            is_simulated=self.is_simulated,
            notes=self.notes,
        )

    def _all_marks(self, end_ns: int) -> list[Mark]:
        last_ns = self._times[-1] if self._times and self._status is None else None
        found = [
            mark if mark.end_ns <= end_ns else replace(mark, end_ns=end_ns)
            for mark in self._marks.marks(end_ns, last_ns)
            if mark.start_ns <= end_ns
        ]
        end = self._end_words()
        if end is not None:
            found.append(Mark(end[0], end_ns, end_ns, end[1]))
        return found

    def _end_words(self) -> tuple[MarkKind, str] | None:
        if self._status == "stopped":
            return "stopped", "you stopped the answer"
        if self._error is not None:
            return "error", self._error.sentence.rstrip(".")
        if self._status == "interrupted":
            return "error", "the answer was interrupted"
        return ("limit", "the answer reached the token limit") if self._is_at_limit else None


def _scale_of(name: str) -> float:
    if name.startswith(f"{CPU_CLOCK}."):
        return _CLOCK
    if name.startswith(f"{NPU_LOAD}."):
        return _CORE
    spec = SPECS.get(name)
    return 1.0 if spec is None else spec.scale
