"""Makes the timeline of an answer out of what comes: chunks, words and samples of the board.

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
"""Nothing of an answer lies further away from its request than that."""
EARLY_NS = 3_000_000_000
"""The last sample before the axis tells how the board was when it began."""
NAN = math.nan
_SCALES = {name: spec.scale for name, spec in SPECS.items()}


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
        """What it does before the first chunk."""
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
        self._clear_chunks()
        self._marks = MarkFinder()
        self._n_marked = 0
        """Chunks that the finder of marks knows, also after a restart."""

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
        if self._is_estimated:
            for t_ns in times_ns:
                self._add_time(t_ns)
            return
        for t_ns, text_end, thinking_end in zip(times_ns, text_ends, thinking_ends, strict=True):
            self._add_words_of(self._add_time(t_ns), text_end, thinking_end)

    def _add_time(self, t_ns: int) -> int:
        times = self._times
        number = len(times)
        before_ns = times[-1] if number else None
        t_ns = max(min(t_ns, MOST_NS), before_ns if before_ns is not None else 0)
        times.append(t_ns)
        if number >= self._n_marked:
            self._n_marked = number + 1
            self._marks.chunk(before_ns, t_ns)
        if before_ns is None:
            self._gap.append(NAN)
            self._rate.append(NAN)
        else:
            self._gap.append((t_ns - before_ns) / 1e6)
            self._rate.append(self._rate_at(number, t_ns))
        self._end_ns = max(self._end_ns, t_ns)
        return t_ns

    def _rate_at(self, number: int, t_ns: int) -> float:
        times, first = self._times, self._window
        last = max(number - RATE_GAPS, 0)
        while first < last and t_ns - times[first + 1] >= RATE_NS:
            first += 1
        self._window = first
        span_ns = t_ns - times[first]
        return (number - first) * self._tokens_per_chunk * 1e9 / span_ns if span_ns else NAN

    def _add_words_of(self, t_ns: int, text_end: int, thinking_end: int) -> None:
        text_start = self._text_ends[-1] if self._text_ends else 0
        thinking_start = self._thinking_ends[-1] if self._thinking_ends else 0
        text_end = min(max(text_end, text_start), len(self._text))
        thinking_end = min(max(thinking_end, thinking_start), len(self._thinking))
        self._text_ends.append(text_end)
        self._thinking_ends.append(thinking_end)
        self._phases.chunk(
            t_ns, self._text[text_start:text_end], self._thinking[thinking_start:thinking_end]
        )

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
        known = _known(values)
        count = len(self._board_times)
        self._board_times.append(t_ns)
        for name, value in known.items():
            column = self._board.get(name)
            if column is None:
                column = self._board[name] = array("d", [NAN]) * count
            column.append(value)
        for column in self._board.values():
            if len(column) <= count:
                column.append(NAN)
        self._marks.sample(t_ns, known)
        self.reached(t_ns)

    def queued(self, wait_ns: int) -> None:
        """The prompt waited for so long before it was sent."""
        self.start_ns = -min(max(wait_ns, 0), MOST_NS)

    def reached(self, t_ns: int) -> None:
        """It is that late now, and the answer still runs."""
        self._end_ns = max(self._end_ns, min(t_ns, MOST_NS))

    def count(self, tokens: int | None, decode_tps: float | None, *, is_estimated: bool) -> None:
        """The best count and rate so far. Where a chunk is not a token the curve of the rate
        follows the count."""
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
        for number, t_ns in enumerate(self._times, 1):
            end = whole * number // count
            self._add_words_of(t_ns, max(end - thinking, 0), min(end, thinking))

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


def _known(values: Mapping[str, float | None]) -> dict[str, float]:
    """The readings that are there, in the units of their specs, and what is made of several."""
    known: dict[str, float] = {}
    loads: list[float] = []
    clocks: list[float] = []
    for name, value in values.items():
        if value is None or not math.isfinite(value):
            continue
        if name.startswith(f"{CPU_CLOCK}."):
            clocks.append(value)
            continue
        if name.startswith(f"{NPU_LOAD}."):
            loads.append(value)
        known[name] = value * _SCALES.get(name, 1.0)
    if loads:
        known[NPU_LOAD] = sum(loads) / len(loads)
    if clocks:
        known[CPU_CLOCK] = max(clocks) * _SCALES[CPU_CLOCK]
    return known
