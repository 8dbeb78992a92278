"""TTFT, decode rate, inter-token latency and ETA of one answer, from the times of its chunks.

With t0 the time at which the request was sent, t1 and tN those of the first and the last chunk
that carried text or thinking, te the end, and N the number of tokens:

- ``ttft_ms = t1 - t0``, ``ttfot_ms`` the same for the first token that is not thinking
- ``decode_tps = (N - n1) / (tN - t1)``, n1 of N tokens having come with the first arrival (see
  :mod:`tui.core.turn.arrivals`); None where N < 8 or tN - t1 < 200 ms: too little to divide
- ``itl_ms`` over the gaps between chunks, where a chunk is a token and comes by itself; quantiles
  of type 7
- ``latency_ms = te - t0``

N is what the server reported, where that was checked and can be true; else the number of chunks,
where a chunk is a token (fragments never exceed tokens, see ``is_count_plausible``); else a guess
from the length of the text. The last two are estimated. A rate is measured only where N is reported
and equals the number of chunks: else tokens may have been made in a time that nobody saw, and the
rate lies between (C - 1) and (N - 1) for C chunks.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from typing import Literal

from tui.core.turn.arrivals import BURST_CHUNKS, SINGLE_SHARE, Arrivals
from tui.core.turn.gaps import GapQuantiles, GapSummary
from tui.core.turn.pace import Pace
from tui.core.turn.reported import Reported
from tui.core.types import NumberSource, Phase, SegmentKind, UsageDelta

ChunkMeaning = Literal["token", "character", "unknown"]
"""What one chunk of a server's stream is, as its dialect knows it."""

LAG_LIMIT_MS = 20.0
MIN_DECODE_TOKENS = 8
MIN_DECODE_NS = 200_000_000
WINDOW_NS = 3_000_000_000
WINDOW_GAPS = 8
MIN_WINDOW_NS = 100_000_000
DISPUTE_SHARE = 0.30
COUNT_DISPUTE_SHARE = 0.10
COUNT_SLACK = 0.99
"""Counts of tokens and chunks within 1 % give the same rate."""
MOST_TOKENS_A_CHUNK = 1.25
SEVERAL_TOKENS = 1.5
UNEVEN = 8
LEFTOVER_NS, LEFTOVER_FLOOR_NS, LEFTOVER_FACTOR = 20_000_000, 10_000_000, 10
SILENT_NS = 3_000_000_000
SILENT_GAPS = 8
BUFFERED_GAP_NS = 200_000
_CHARS_PER_TOKEN_LIMIT = 12
_LONG_CHUNK_ALLOWANCE = 64
_CHARACTER_CHUNKS = 32
_LETTERS_WEIGHT = 0.4


@dataclass(frozen=True, slots=True)
class TurnStats:
    """Every number of an answer at one moment. None is unknown; a source says how it is known."""

    phase: Phase
    elapsed_s: float
    """From the request to now, or to the end."""
    headers_ms: float | None
    """When the server took the request."""
    ttft_ms: float | None
    """To the first non-empty text or thinking: measured."""
    ttfot_ms: float | None
    """To the first token that is not thinking: measured."""
    thinking_s: float | None
    """How long the thinking took, or takes; None where there was none."""
    latency_ms: float | None
    """From the request to the end; None while it runs."""

    chunks: int
    tokens: int
    tokens_source: NumberSource
    thinking_tokens: int
    """How many of ``tokens`` were thinking: estimated."""

    rate_now_tps: float | None
    """Over the last 3 s, or the last 8 gaps where those took longer; None where it went stale."""
    decode_tps: float | None
    decode_source: NumberSource
    runtime_decode_tps: float | None
    """The rate that the server reported, for comparison."""
    is_rate_disputed: bool
    """Our rate and the server's differ by more than 30 %, or the count and the gaps by 10 %."""
    is_buffered: bool
    """The tokens came all at once: something held them back, and times between them say nothing."""
    rate_history_tps: tuple[float, ...]
    """The rate over the whole answer, oldest first, in bins of ``rate_history_bin_s``."""
    rate_history_bin_s: float

    itl_p50_ms: float | None
    """Of all gaps between chunks; None where there are none, where a chunk is not a token, and
    where the chunks came in bursts."""
    itl_p90_ms: float | None
    itl_p99_ms: float | None
    itl_max_ms: float | None

    prefill_ms: float | None
    prefill_tps: float | None
    prefill_source: NumberSource

    max_tokens: int | None
    eta_s: float | None
    """Until ``max_tokens`` or a full context at the present rate: an upper bound, estimated."""
    prompt_tokens: int | None
    context_used: int | None
    """Tokens of the prompt and the answer."""
    context_tokens: int | None
    context_source: NumberSource

    ttft_source: NumberSource
    """measured; estimated where the first tokens came in a burst: the first one is older."""
    is_at_limit: bool
    """The answer ended at the token limit, not at its own end."""
    unread_events: int
    """Events of the stream that could not be understood."""
    tokens_hidden: int | None
    """Reasoning tokens that the server counted and did not send; not in ``tokens``."""
    silent_s: float | None
    """Seconds without a token, once that is far longer than usual in this answer; else None."""
    is_marked: bool
    """Our own loop was late by more than 20 ms while the answer ran: its times are less certain."""
    max_lag_ms: float


class Meter:
    """Takes one mark per chunk at O(1), answers with a :class:`TurnStats` on demand.

    ``prompt_tokens`` is an estimate of the prompt's size. ``is_prompt_new`` is false where a server
    may already hold a part of the prompt: then nothing is guessed from the time of the prefill.
    """

    def __init__(
        self,
        t0_ns: int,
        chunk_meaning: ChunkMeaning = "token",
        *,
        max_tokens: int | None = None,
        context_tokens: int | None = None,
        prompt_tokens: int | None = None,
        is_prompt_new: bool = True,
    ) -> None:
        self.t0_ns = t0_ns
        self.chunk_meaning = chunk_meaning
        self.max_tokens = max_tokens
        self.context_tokens = context_tokens
        self._prompt_tokens = prompt_tokens
        self._is_prompt_new = is_prompt_new
        self._stamps_ns: array[int] = array("q")
        self._gaps = GapQuantiles()
        self._arrivals = Arrivals()
        self._pace: Pace | None = None
        self._chars = 0
        self._weight = 0.0
        self._is_chunk_a_token = chunk_meaning != "character"
        self._thinking_chunks = 0
        self._undecided_chunks = 0
        self._undecided_ns: int | None = None
        self._first_thinking_ns: int | None = None
        self._first_text_ns: int | None = None
        self._accepted_ns: int | None = None
        self._end_ns: int | None = None
        self._reported = Reported()
        self._max_lag_ms = 0.0
        self.is_load_included = False
        """The server has to load the model first: the TTFT is not that of a prefill."""

    @property
    def chunks(self) -> int:
        """Chunks that carried text or thinking."""
        return len(self._stamps_ns)

    @property
    def tokens(self) -> int:
        """Tokens so far, by the best count there is."""
        return self._tokens()[0]

    @property
    def stamps_ns(self) -> tuple[int, ...]:
        """The time of every chunk, for a report."""
        return tuple(self._stamps_ns)

    def accepted(self, t_ns: int) -> None:
        """The server took the request."""
        if self._accepted_ns is None:
            self._accepted_ns = t_ns

    def mark(
        self, t_ns: int, kind: SegmentKind | None, n_chars: int, estimated_tokens: float
    ) -> None:
        """One chunk with text. ``kind`` None: not known yet, it takes that of the next mark."""
        if self._stamps_ns:
            last_ns = self._stamps_ns[-1]
            if t_ns < last_ns:
                t_ns = last_ns
            self._gaps.add(t_ns - last_ns)
        if self._pace is None:
            self._pace = Pace(t_ns)
        else:
            self._pace.add(t_ns)
        self._stamps_ns.append(t_ns)
        self._arrivals.add(t_ns, estimated_tokens)
        self._chars += n_chars
        self._weight += estimated_tokens
        if self._is_chunk_a_token and not self._is_count_plausible():
            self._is_chunk_a_token = False
        self._assign(t_ns, kind)

    def reclassify(self) -> None:
        """All that came so far was thinking, but for chunks whose kind is not known yet."""
        self._thinking_chunks = self.chunks - self._undecided_chunks
        self._first_text_ns = None
        self._first_thinking_ns = self._stamps_ns[0] if self._thinking_chunks else None

    def usage(self, usage: UsageDelta) -> None:
        """What the server reported. A later report replaces what it names and leaves the rest."""
        self._reported.add(usage)

    def note_lag(self, lag_ms: float) -> None:
        """Our own loop woke up this much too late."""
        self._max_lag_ms = max(self._max_lag_ms, lag_ms)

    def end(self, t_ns: int) -> None:
        """The answer is over, in whatever way."""
        if self._end_ns is None:
            self._end_ns = t_ns

    def stats(self, now_ns: int, phase: Phase) -> TurnStats:
        """All numbers as of ``now_ns``."""
        tokens, tokens_source = self._tokens()
        tokens_per_chunk = tokens / self.chunks if self.chunks else 1.0
        decode_tps, decode_source = self._decode(tokens, tokens_source)
        is_disputed = self._is_count_disputed(tokens, decode_tps)
        runtime_tps = self._reported.decode_tps(self._fewest()) if self.chunks else None
        end_ns = now_ns if self._end_ns is None else self._end_ns
        elapsed_ms = max(end_ns - self.t0_ns, 0) / 1e6
        if decode_tps is None and runtime_tps is not None and self._reported.fits(elapsed_ms):
            decode_tps, decode_source = runtime_tps, self._reported.source
        is_disputed = is_disputed or (
            decode_tps is not None
            and runtime_tps is not None
            and abs(runtime_tps / decode_tps - 1) > DISPUTE_SHARE
        )
        rate_now_tps = None if phase.is_over else self._rate_now(now_ns, tokens_per_chunk)
        prompt_tokens, prompt_source = self._prompt()
        is_buffered = self._is_buffered(tokens)
        has_first = not is_buffered and not self._arrivals.is_first_burst
        prefill_ms, prefill_tps, prefill_source = self._prefill(prompt_tokens, has_first)
        context_used = None if prompt_tokens is None else prompt_tokens + tokens
        is_context_real = prompt_source == tokens_source == "runtime"
        itl_ms = self._gaps.summary() if self._has_token_gaps(tokens) else GapSummary()
        first_ns = self._first_token_ns()
        pace = self._pace
        return TurnStats(
            phase=phase,
            elapsed_s=elapsed_ms / 1e3,
            headers_ms=self._since_t0_ms(self._accepted_ns),
            ttft_ms=self._since_t0_ms(first_ns),
            ttfot_ms=self._since_t0_ms(
                None if self._first_text_ns is None else max(self._first_text_ns, first_ns or 0)
            ),
            thinking_s=self._thinking_s(end_ns),
            latency_ms=self._since_t0_ms(self._end_ns),
            chunks=self.chunks,
            tokens=tokens,
            tokens_source=tokens_source,
            thinking_tokens=round(self._thinking_chunks * tokens_per_chunk),
            rate_now_tps=rate_now_tps,
            decode_tps=decode_tps,
            decode_source=decode_source,
            runtime_decode_tps=runtime_tps,
            is_rate_disputed=is_disputed,
            is_buffered=is_buffered,
            rate_history_tps=()
            if pace is None
            else tuple(rate * tokens_per_chunk for rate in pace.rates()),
            rate_history_bin_s=0.0 if pace is None else pace.bin_ns / 1e9,
            itl_p50_ms=itl_ms.p50,
            itl_p90_ms=itl_ms.p90,
            itl_p99_ms=itl_ms.p99,
            itl_max_ms=itl_ms.max,
            prefill_ms=prefill_ms,
            prefill_tps=prefill_tps,
            prefill_source=prefill_source,
            max_tokens=self.max_tokens,
            eta_s=None
            if phase.is_over
            else self._eta_s(tokens, context_used, rate_now_tps or decode_tps),
            prompt_tokens=prompt_tokens,
            context_used=context_used,
            context_tokens=self.context_tokens,
            context_source="unknown"
            if context_used is None
            else ("runtime" if is_context_real else "estimated"),
            ttft_source="unknown"
            if first_ns is None
            else ("measured" if has_first else "estimated"),
            is_at_limit=False,
            unread_events=0,
            tokens_hidden=self._reported.tokens_hidden,
            silent_s=None if phase.is_over else self._silent_s(now_ns),
            is_marked=self._max_lag_ms > LAG_LIMIT_MS,
            max_lag_ms=self._max_lag_ms,
        )

    def _assign(self, t_ns: int, kind: SegmentKind | None) -> None:
        """Counts the chunk under its kind, and with it those that waited for one."""
        if self._undecided_ns is None:
            self._undecided_ns = t_ns
        self._undecided_chunks += 1
        if kind is None:
            return
        if kind == "thinking":
            self._thinking_chunks += self._undecided_chunks
            if self._first_thinking_ns is None:
                self._first_thinking_ns = self._undecided_ns
        elif self._first_text_ns is None:
            self._first_text_ns = self._undecided_ns
        self._undecided_chunks = 0
        self._undecided_ns = None

    def _is_count_plausible(self) -> bool:
        """Whether the chunks so far can be tokens.

        More than 12 characters a chunk over a whole answer are not tokens: something joins them.
        One letter in every chunk, on a server that we do not know, are no tokens either; one sign,
        digit or ideograph may well be.
        """
        chunks = len(self._stamps_ns)
        if self._chars > _CHARS_PER_TOKEN_LIMIT * chunks + _LONG_CHUNK_ALLOWANCE:
            return False
        is_in_letters = (
            chunks >= _CHARACTER_CHUNKS
            and self._chars <= chunks
            and self._weight < _LETTERS_WEIGHT * chunks
        )
        return not (self.chunk_meaning == "unknown" and is_in_letters)

    def _tokens(self) -> tuple[int, NumberSource]:
        if not self._stamps_ns:
            return 0, "unknown"
        count = self._reported.tokens_out(self._fewest())
        if count is not None:
            return count, self._reported.source
        if self._is_chunk_a_token:
            return self.chunks, "estimated"
        return max(round(self._weight), 1), "estimated"

    def _fewest(self) -> int:
        """The least number of tokens that what arrived can be.

        A chunk holds at least one, where chunks are tokens. A count below that is of another answer
        or no count of tokens.
        """
        return self.chunks - self._n_leftover if self._is_chunk_a_token else 1

    def _decode(self, tokens: int, source: NumberSource) -> tuple[float | None, NumberSource]:
        """The rate after the first arrival, and how sure it is."""
        arrivals, chunks = self._arrivals, self.chunks - self._n_leftover
        if tokens < MIN_DECODE_TOKENS or arrivals.count < 2 + self._n_leftover:
            return None, "unknown"
        start_ns = self._first_token_ns() or 0
        span_ns = arrivals.last_ns - start_ns
        if span_ns < MIN_DECODE_NS:
            return None, "unknown"
        first_tokens = 1.0 if self._n_leftover else self._tokens_of_first_arrival(tokens)
        rate_tps = max(tokens - first_tokens, 0.0) * 1e9 / span_ns
        is_count_sure = source in ("runtime", "measured")
        if tokens == chunks or (tokens - 1) * COUNT_SLACK <= chunks - 1 <= tokens - 1:
            return rate_tps, "measured" if is_count_sure else "estimated"
        gap_tps = self._gap_rate(tokens)
        low_tps, high_tps = (chunks - 1) * 1e9 / span_ns, (tokens - 1) * 1e9 / span_ns
        if gap_tps is not None and low_tps * COUNT_SLACK <= gap_tps * 1.0001 <= high_tps * 1.001:
            # Tokens that were never sent, or sent with others, took their time all the same.
            rate_tps = gap_tps
        return (rate_tps or None), ("estimated" if rate_tps else "unknown")

    def _tokens_of_first_arrival(self, tokens: int) -> float:
        """By its chunks; by the length of its text where chunks are of very different sizes."""
        arrivals = self._arrivals
        share = arrivals.first_chunks / self.chunks
        if self._is_uneven:
            share = arrivals.first_weight / self._weight
        return max(tokens * share, 1.0)

    @property
    def _is_uneven(self) -> bool:
        """Whether one chunk is far larger than the others."""
        return self._arrivals.most_weight * self.chunks > UNEVEN * self._weight > 0

    def _has_token_gaps(self, tokens: int) -> bool:
        """Whether the gaps between chunks are gaps between tokens."""
        if not self._is_chunk_a_token or self._arrivals.count < 2:
            return False
        if self.chunks > BURST_CHUNKS and self._arrivals.count < SINGLE_SHARE * self.chunks:
            return False
        return tokens <= MOST_TOKENS_A_CHUNK * self.chunks

    def _gap_rate(self, tokens: int) -> float | None:
        """Tokens per second by the usual gap, where chunks came one by one."""
        if self._arrivals.count < max(SINGLE_SHARE * self.chunks, MIN_DECODE_TOKENS):
            return None
        if self.chunks > tokens or not self._is_chunk_a_token or self._is_uneven:
            return None
        gap_ns = self._gaps.quantile_ns(0.5)
        if not gap_ns:
            return None
        by_weight = max(min(tokens, self._weight) / self.chunks, 1.0)
        return (1.0 if by_weight < SEVERAL_TOKENS else tokens / self.chunks) * 1e9 / gap_ns

    def _is_count_disputed(self, tokens: int, decode_tps: float | None) -> bool:
        gap_tps = None if tokens == self.chunks else self._gap_rate(tokens)
        if gap_tps is None or decode_tps is None:
            return False
        return abs(gap_tps / decode_tps - 1) > COUNT_DISPUTE_SHARE

    @property
    def _n_leftover(self) -> int:
        """1 where the first chunk is the end of the answer before: nothing is that fast.

        It came within 20 ms, and the next one after a time that is that of a prefill.
        """
        arrivals = self._arrivals
        if arrivals.first_chunks != 1 or arrivals.second_ns is None:
            return 0
        first_ns, gap_ns = arrivals.first_ns - self.t0_ns, arrivals.second_ns - arrivals.first_ns
        usual_ns = self._gaps.quantile_ns(0.5) or gap_ns
        is_leftover = (
            self.chunks >= MIN_DECODE_TOKENS
            and first_ns < LEFTOVER_NS
            and gap_ns > LEFTOVER_FACTOR * max(first_ns, LEFTOVER_FLOOR_NS, usual_ns)
        )
        return 1 if is_leftover else 0

    def _first_token_ns(self) -> int | None:
        if not self._stamps_ns:
            return None
        return self._stamps_ns[self._n_leftover]

    def _rate_now(self, now_ns: int, tokens_per_chunk: float) -> float | None:
        count = self.chunks
        if count < 3:
            return None
        last_ns = self._stamps_ns[-1]
        first = min(count - 1 - WINDOW_GAPS, bisect_left(self._stamps_ns, last_ns - WINDOW_NS))
        first = max(first, 0)
        gaps = count - 1 - first
        span_ns = last_ns - self._stamps_ns[first]
        if span_ns < MIN_WINDOW_NS:
            return None
        if now_ns - last_ns > max(WINDOW_NS, 5 * span_ns // gaps):
            return None
        return gaps * tokens_per_chunk * 1e9 / span_ns

    def _silent_s(self, now_ns: int) -> float | None:
        """How long nothing has come, if that is more than 3 s and 8 of the answer's own p99."""
        if not self._stamps_ns:
            return None
        silent_ns = now_ns - self._stamps_ns[-1]
        if silent_ns <= SILENT_NS:
            return None
        usual_ns = self._gaps.quantile_ns(0.99) or 0.0
        return silent_ns / 1e9 if silent_ns > SILENT_GAPS * usual_ns else None

    def _is_buffered(self, tokens: int) -> bool:
        """Everything that has come came at one moment."""
        if max(tokens, self.chunks) < MIN_DECODE_TOKENS:
            return False
        span_ns = self._stamps_ns[-1] - self._stamps_ns[0]
        return self._arrivals.count == 1 or span_ns < self.chunks * BUFFERED_GAP_NS

    def _prompt(self) -> tuple[int | None, NumberSource]:
        count = self._reported.tokens_in(self._prompt_tokens)
        if count is not None:
            return count, self._reported.source
        if self._prompt_tokens is None:
            return None, "unknown"
        return self._prompt_tokens, "estimated"

    def _prefill(
        self, prompt_tokens: int | None, has_first: bool
    ) -> tuple[float | None, float | None, NumberSource]:
        """Time and rate of the prefill: the server's, if it fits our clock; else from the TTFT.

        Tokens that came together, came after decoding: no estimate then. Nor from a prompt of
        which only a rest was processed.
        """
        first_ns = self._first_token_ns()
        if first_ns is None:
            return None, None, "unknown"
        ttft_ms = (first_ns - self.t0_ns) / 1e6
        told = self._reported.prefill(ttft_ms)
        if told is not None:
            return (*told, self._reported.source)
        if not has_first or not prompt_tokens or not self._is_prompt_new or ttft_ms < 1:
            return None, None, "unknown"
        reported = self._reported
        if self.is_load_included or reported.tokens_cached or reported.tokens_hidden:
            return None, None, "unknown"
        return ttft_ms, prompt_tokens * 1e3 / ttft_ms, "estimated"

    def _eta_s(self, tokens: int, context_used: int | None, rate_tps: float | None) -> float | None:
        room = []
        if self.max_tokens is not None:
            room.append(self.max_tokens - tokens)
        if self.context_tokens is not None and context_used is not None:
            room.append(self.context_tokens - context_used)
        if not room or not rate_tps:
            return None
        return max(min(room), 0) / rate_tps

    def _thinking_s(self, end_ns: int) -> float | None:
        if self._first_thinking_ns is None:
            return None
        until_ns = end_ns if self._first_text_ns is None else self._first_text_ns
        return max(until_ns - self._first_thinking_ns, 0) / 1e9

    def _since_t0_ms(self, t_ns: int | None) -> float | None:
        return None if t_ns is None else (t_ns - self.t0_ns) / 1e6
