"""TTFT, decode rate, inter-token latency and ETA of one answer, from the times of its chunks.

With t0 the time at which the request was sent, t1 and tN those of the first and the last chunk
that carried text or thinking, te the end, and N the number of tokens:

- ``ttft_ms = t1 - t0``, ``ttfot_ms`` the same for the first token that is not thinking
- ``decode_tps = (N - n1) / (tN - t1)``, n1 of N tokens having come with the first arrival (see
  :mod:`tui.core.turn.arrivals`); None where N < 8 or tN - t1 < 200 ms: too little to divide
- ``itl_ms`` over the gaps between chunks, where a chunk is a token and comes by itself; quantiles
  of type 7
- ``latency_ms = te - t0``

N is what the server reported, where that was checked and can be true; else what the model's
tokenizer counts in the text, where the user named one; else the number of chunks,
where a chunk is a token (fragments never exceed tokens, see :mod:`tui.core.turn.chunk_log`); else a
guess from the length of the text. The last two are estimated. A rate is measured only where N is
reported and equals the number of chunks: else tokens may have been made in a time that nobody saw,
and the rate lies between (C - 1) and (N - 1) for C chunks.
"""

from __future__ import annotations

from array import array

from tui.core.turn.chunk_log import MIN_DECODE_TOKENS, ChunkLog, ChunkMeaning
from tui.core.turn.gaps import GapSummary
from tui.core.turn.last_usage import LastUsage
from tui.core.turn.reported_usage import Reported
from tui.core.turn.turn_stats import TurnStats
from tui.core.types import NumberSource, Phase, SegmentKind, TtftPart, UsageDelta

LAG_LIMIT_MS = 20.0
MIN_DECODE_NS = 200_000_000
WHOLE_CHUNKS, WHOLE_WEIGHT = 2, 4
"""An answer that is over and came in no more pieces, of more than so many tokens each by their
length, is counted by its length."""
DISPUTE_SHARE = 0.30
COUNT_DISPUTE_SHARE = 0.10
COUNT_SLACK = 0.99
"""Counts of tokens and chunks within 1 % give the same rate."""


class Meter:
    """Takes one mark per chunk at O(1), answers with a :class:`TurnStats` on demand.

    ``prompt_tokens`` is an estimate of the prompt's size, ``new_prompt_tokens`` of its last message
    alone. ``is_prompt_new`` is false where a server
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
        new_prompt_tokens: int | None = None,
        is_prompt_new: bool = True,
    ) -> None:
        self.t0_ns = t0_ns
        self.max_tokens = max_tokens
        self.context_tokens = context_tokens
        self._prompt_tokens = prompt_tokens
        self._prompt_estimates = prompt_tokens, new_prompt_tokens
        self._is_prompt_new = is_prompt_new
        self._log = ChunkLog(chunk_meaning)
        self._thinking_chunks = 0
        self._undecided_chunks = 0
        self._undecided_ns: int | None = None
        self._first_thinking_ns: int | None = None
        self._first_text_ns: int | None = None
        self._accepted_ns: int | None = None
        self._end_ns: int | None = None
        self._reported = Reported()
        self._max_lag_ms = 0.0
        self._counted: int | None = None
        self.queued_ns: int | None = None
        """How long the prompt waited for a busy server before it was sent; not in the TTFT."""
        self.ttft_includes: tuple[TtftPart, ...] = ()
        """What the server has to do before the prefill: then its rate is not guessed."""

    @property
    def chunks(self) -> int:
        """Chunks that carried text or thinking."""
        return len(self._log)

    @property
    def tokens(self) -> int:
        """Tokens so far, by the best count there is."""
        return self._tokens(self._fewest(self._log.n_leftover(self.t0_ns)))[0]

    @property
    def is_counted(self) -> bool:
        """Whether the model's tokenizer has counted the answer."""
        return self._counted is not None

    @property
    def stamps_ns(self) -> array[int]:
        """The time of every chunk, for a report: a copy."""
        return self._log.stamps_ns[:]

    def stamps_from(self, chunk: int) -> array[int]:
        """The times of the chunks from that one on."""
        return self._log.stamps_ns[chunk:]

    def accepted(self, t_ns: int) -> None:
        """The server took the request."""
        if self._accepted_ns is None:
            self._accepted_ns = t_ns

    def mark(
        self, t_ns: int, kind: SegmentKind | None, n_chars: int, estimated_tokens: float
    ) -> None:
        """One chunk with text. ``kind`` None: not known yet, it takes that of the next mark."""
        t_ns = self._log.add(t_ns, n_chars, estimated_tokens)
        self._assign(t_ns, kind)

    def reclassify(self) -> None:
        """All that came so far was thinking, but for chunks whose kind is not known yet."""
        self._thinking_chunks = self.chunks - self._undecided_chunks
        self._first_text_ns = None
        self._first_thinking_ns = self._log.stamps_ns[0] if self._thinking_chunks else None

    def usage(self, usage: UsageDelta) -> None:
        """What the server reported. A later report replaces what it names and leaves the rest."""
        self._reported.add(usage)

    def check_usage(self, last: LastUsage) -> bool:
        """At the end: drops a report that is the last one's, keeps any other in ``last``. True
        where it was dropped."""
        usage = self._reported.usage
        if usage is None:
            return False
        if last.is_stale(usage, self.chunks, self.max_tokens):
            self._reported.forget()
            return True
        last.accept(usage, self.chunks)
        return False

    def count(self, tokens: int, prompt_tokens: int) -> None:
        """What the model's tokenizer finds in the text of the answer, and in the prompt with a
        guess for its template."""
        self._counted = tokens
        self._prompt_tokens = prompt_tokens

    def note_lag(self, lag_ms: float) -> None:
        """Our own loop woke up this much too late."""
        self._max_lag_ms = max(self._max_lag_ms, lag_ms)

    def end(self, t_ns: int) -> None:
        """The answer is over, in whatever way."""
        if self._end_ns is None:
            self._end_ns = t_ns

    def stats(self, now_ns: int, phase: Phase) -> TurnStats:
        """All numbers as of ``now_ns``."""
        n_leftover = self._log.n_leftover(self.t0_ns)
        first_ns = self._log.stamps_ns[n_leftover] if self.chunks else None
        fewest = self._fewest(n_leftover)
        tokens, tokens_source = self._tokens(fewest)
        tokens_per_chunk = tokens / self.chunks if self.chunks else 1.0
        decode_tps, decode_source = self._decode(tokens, tokens_source, n_leftover)
        is_disputed = self._is_count_disputed(tokens, decode_tps)
        runtime_tps = self._reported.decode_tps(fewest) if self.chunks else None
        end_ns = now_ns if self._end_ns is None else self._end_ns
        elapsed_ms = max(end_ns - self.t0_ns, 0) / 1e6
        if decode_tps is None and runtime_tps is not None and self._reported.fits(elapsed_ms):
            decode_tps, decode_source = runtime_tps, self._reported.source
        is_disputed = is_disputed or (
            decode_tps is not None
            and runtime_tps is not None
            and abs(runtime_tps / decode_tps - 1) > DISPUTE_SHARE
        )
        rate_now_tps = None if phase.is_over else self._log.rate_now_tps(now_ns, tokens_per_chunk)
        prompt_tokens, prompt_source = self._prompt()
        is_buffered = self._log.is_buffered(tokens)
        has_first = not is_buffered and not self._log.is_first_burst
        prefill_ms, prefill_tps, prefill_source = self._prefill(first_ns, prompt_tokens, has_first)
        context_used = None if prompt_tokens is None else prompt_tokens + tokens
        is_context_real = prompt_source == tokens_source == "runtime"
        itl_ms = self._log.gaps.summary() if self._log.has_token_gaps(tokens) else GapSummary()
        pace = self._log.pace
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
            silent_s=None if phase.is_over else self._log.silent_s(now_ns),
            is_marked=self._max_lag_ms > LAG_LIMIT_MS,
            max_lag_ms=self._max_lag_ms,
            ttft_includes=self.ttft_includes,
            queue_ms=self.queued_ns / 1e6 if self.queued_ns else None,
            prompt_estimate=self._prompt_estimates[0],
            new_prompt_estimate=self._prompt_estimates[1],
            cached_tokens=self._reported.tokens_cached,
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

    def _tokens(self, fewest: int) -> tuple[int, NumberSource]:
        if not self.chunks:
            return 0, "unknown"
        count = self._reported.tokens_out(fewest)
        if count is not None:
            return count, self._reported.source
        if self._counted is not None and self._counted >= fewest:
            return self._counted, "tokenizer"
        is_whole = self._end_ns is not None and self.chunks <= WHOLE_CHUNKS
        is_long = is_whole and self._log.weight > WHOLE_WEIGHT * self.chunks
        if self._log.is_chunk_a_token and not is_long:
            return self.chunks, "estimated"
        return max(round(self._log.weight), 1), "estimated"

    def _fewest(self, n_leftover: int) -> int:
        """The least number of tokens that what arrived can be.

        A chunk holds at least one, where chunks are tokens. A count below that is of another answer
        or no count of tokens.
        """
        return self.chunks - n_leftover if self._log.is_chunk_a_token else 1

    def _decode(
        self, tokens: int, source: NumberSource, n_leftover: int
    ) -> tuple[float | None, NumberSource]:
        """The rate after the first arrival, and how sure it is."""
        arrivals, chunks = self._log.arrivals, self.chunks - n_leftover
        if tokens < MIN_DECODE_TOKENS or arrivals.count < 2 + n_leftover:
            return None, "unknown"
        span_ns = arrivals.last_ns - self._log.stamps_ns[n_leftover]
        if span_ns < MIN_DECODE_NS:
            return None, "unknown"
        first_tokens = 1.0 if n_leftover else self._log.tokens_of_first_arrival(tokens)
        rate_tps = max(tokens - first_tokens, 0.0) * 1e9 / span_ns
        is_count_sure = source in ("runtime", "measured", "tokenizer")
        if arrivals.is_spread:
            return (rate_tps or None), ("estimated" if rate_tps else "unknown")
        if tokens == chunks or (tokens - 1) * COUNT_SLACK <= chunks - 1 <= tokens - 1:
            return rate_tps, "measured" if is_count_sure else "estimated"
        gap_tps = self._log.gap_tps(tokens)
        low_tps, high_tps = (chunks - 1) * 1e9 / span_ns, (tokens - 1) * 1e9 / span_ns
        if gap_tps is not None and low_tps * COUNT_SLACK <= gap_tps * 1.0001 <= high_tps * 1.001:
            # Tokens that were never sent, or sent with others, took their time all the same.
            rate_tps = gap_tps
        return (rate_tps or None), ("estimated" if rate_tps else "unknown")

    def _is_count_disputed(self, tokens: int, decode_tps: float | None) -> bool:
        gap_tps = None if tokens == self.chunks else self._log.gap_tps(tokens)
        if gap_tps is None or decode_tps is None:
            return False
        return abs(gap_tps / decode_tps - 1) > COUNT_DISPUTE_SHARE

    def _prompt(self) -> tuple[int | None, NumberSource]:
        count = self._reported.tokens_in(self._prompt_tokens)
        if count is not None:
            return count, self._reported.source
        if self._prompt_tokens is None:
            return None, "unknown"
        return self._prompt_tokens, "estimated"

    def _prefill(
        self, first_ns: int | None, prompt_tokens: int | None, has_first: bool
    ) -> tuple[float | None, float | None, NumberSource]:
        """Time and rate of the prefill: the server's, if it fits our clock; else from the TTFT.

        Tokens that came together, came after decoding: no estimate then. Nor from a prompt of
        which only a rest was processed.
        """
        if first_ns is None:
            return None, None, "unknown"
        ttft_ms = (first_ns - self.t0_ns) / 1e6
        told = self._reported.prefill(ttft_ms)
        if told is not None:
            return (*told, self._reported.source)
        if not has_first or not prompt_tokens or not self._is_prompt_new or ttft_ms < 1:
            return None, None, "unknown"
        reported = self._reported
        if self.ttft_includes or reported.tokens_cached or reported.tokens_hidden:
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
