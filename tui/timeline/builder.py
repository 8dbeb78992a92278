"""Builds the timeline of an answer from chunks, words and board samples.

Every call costs what is new, whatever there is already, so that an answer that runs can be followed
from its first token to its last.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from tui.core.types import TurnError, TurnStatus
from tui.timeline.marks import MarkFinder
from tui.timeline.phases import PhaseTrack
from tui.timeline.record import Chunks, Mark, MarkKind, PhaseName, Series, Timeline
from tui.timeline.series import CPU_CLOCK, GAP, NPU_LOAD, RATE, SPECS

RATE_GAPS, RATE_NS = 4, 250_000_000
"""The rate at a token is that of the last four gaps, or of as many as make a quarter second."""
RESCALE_SHARE = 0.05
MANY_CHUNKS = 256
"""So many at once are those of an answer that is opened."""
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
        self._text_ends: array[int] = array("I")
        self._thinking_ends: array[int] = array("I")
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
        times, rates, first = self._times, self._rate, len(self._times)
        # Neither beyond the axis, nor before the one before.
        floor_ns = times[-1] if first else 0
        held = list(accumulate(times_ns, max, initial=floor_ns))
        if held[-1] > MOST_NS:
            held = [min(t_ns, MOST_NS) for t_ns in held]
        times.extend(held[1:])
        self._gap.extend((after - before) / 1e6 for before, after in pairwise(held))
        # In line: an answer of 16,384 tokens comes by here when it is opened.
        factor, window = self._tokens_per_chunk * 1e9, self._window
        known = times if first else held[1:]
        for number in range(first, len(known)):
            t_ns, last = known[number], number - RATE_GAPS
            while window < last and t_ns - known[window + 1] >= RATE_NS:
                window += 1
            span_ns = t_ns - known[window]
            rates.append((number - window) * factor / span_ns if span_ns else NAN)
        self._window = window
        if not first and times:
            self._gap[0] = NAN
        n_marked = self._n_marked
        if len(times) > n_marked:
            self._marks.chunks(times[n_marked - 1] if n_marked else None, times[n_marked:])
            self._n_marked = len(times)
        if times and times[-1] > self._end_ns:
            self._end_ns = times[-1]

    def _add_ends(
        self, times_ns: Sequence[int], text_ends: Sequence[int], thinking_ends: Sequence[int]
    ) -> None:
        """Which words these chunks brought."""
        text, thinking = self._text, self._thinking
        text_at = _held_ends(text_ends, self._text_ends, len(text))
        thinking_at = _held_ends(thinking_ends, self._thinking_ends, len(thinking))
        self._text_ends.extend(text_at[1:])
        self._thinking_ends.extend(thinking_at[1:])
        if not times_ns:
            return
        firsts: Sequence[int] = range(len(times_ns))
        if len(times_ns) >= MANY_CHUNKS and "`" not in text and "~" not in text:
            # Without code the phase changes only where text follows thinking, or the other way.
            firsts = _runs(text_at, thinking_at)
        for first, after in zip(firsts, (*firsts[1:], len(times_ns)), strict=True):
            self._phases.chunk(
                times_ns[first],
                text[text_at[first] : text_at[after]],
                thinking[thinking_at[first] : thinking_at[after]],
            )

    def add_sample(self, t_ns: int, values: Mapping[str, float | None]) -> None:
        """A sample of the board: readings by their series, in the units in which they are stored
        (:func:`tui.core.board.history.series_values`). One that is older than the last is left
        out."""
        self.add_samples([(t_ns, values)])

    def add_samples(self, samples: Iterable[tuple[int, Mapping[str, float | None]]]) -> None:
        """Samples as for :meth:`add_sample`, one after the other."""
        times, board, first_ns = self._board_times, self._board, self.start_ns
        rows: list[dict[str, float]] = []
        n_before, last_ns = len(times), times[-1] if times else first_ns
        for t_ns, values in samples:
            if t_ns < first_ns:
                if first_ns - t_ns > EARLY_NS:
                    continue
                t_ns = first_ns
            if not last_ns <= t_ns <= MOST_NS:
                continue
            last_ns = t_ns
            known = self._known(values)
            times.append(t_ns)
            rows.append(known)
            self._marks.sample(t_ns, known)
        if not rows:
            return
        for name in {name: None for known in rows for name in known}:
            if name not in board:
                board[name] = array("d", [NAN]) * n_before
        for name, column in board.items():
            column.extend([known.get(name, NAN) for known in rows])
        self.reached(last_ns)

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
            if scale >= 0:
                known[name] = value * scale
            elif scale == _CORE:
                loads_pct += value
                cores += 1
                known[name] = value
            elif clock is None or value > clock:
                clock = value
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
        self._text_ends, self._thinking_ends = array("I"), array("I")
        self._phases = PhaseTrack()
        ends = [whole * number // count for number in range(1, count + 1)]
        if not thinking:
            self._add_ends(self._times, ends, [0] * count)
            return
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


def _held_ends(ends: Sequence[int], before: Sequence[int], most: int) -> list[int]:
    """The last of the ends before, and these, which neither fall nor go beyond ``most``."""
    floor = before[-1] if before else 0
    held = list(accumulate(ends, max, initial=floor))
    return held if held[-1] <= most else [min(end, most) for end in held]


def _runs(text_at: Sequence[int], thinking_at: Sequence[int]) -> list[int]:
    """The numbers of the chunks with which text begins, or thinking; the first is always one."""
    found, is_text_now = [0], None
    pairs = zip(pairwise(text_at), pairwise(thinking_at), strict=True)
    for number, ((before, after), (thought_before, thought_after)) in enumerate(pairs):
        is_text = after > before
        if (is_text or thought_after > thought_before) and is_text is not is_text_now:
            is_text_now = is_text
            if number:
                found.append(number)
    return found


def _scale_of(name: str) -> float:
    if name.startswith(f"{CPU_CLOCK}."):
        return _CLOCK
    if name.startswith(f"{NPU_LOAD}."):
        return _CORE
    spec = SPECS.get(name)
    return 1.0 if spec is None else spec.scale
