"""Metrics of one answer from its chunk times and token counts: TTFT, decode rate, gaps, prefill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from tui.bench.analysis.statistics import percentile
from tui.bench.model.metrics import finite, ratio
from tui.bench.model.records import Gaps, RuntimeTimes, Source, Tokens
from tui.core.turn.arrivals import ARRIVAL_NS, Arrivals, arrivals_of, arrive_in_bursts
from tui.core.turn.order_statistics import quantile
from tui.core.types import TtftPart

MIN_TOKENS = 8
MIN_SPAN_NS = 200_000_000
STALL_FACTOR = 3
MIN_DECAY_GAPS = 20
OVERHEAD_WARN_MS = 250.0
OVERHEAD_WARN_SHARE = 0.20
DELTA_WARN_PCT = 3.0
COUNT_WARN_SHARE = 0.02
COUNT_SLACK = 0.99
BIN_TOKENS = 16
BUFFERED_SHARE = 0.02
MIN_BUFFERED_CHUNKS = 4


@dataclass(frozen=True, slots=True)
class Trace:
    """Times (monotonic, ns) and token counts of one answer; None: unknown.
    :class:`tui.bench.model.records.Times` defines t0, th, tc and te."""

    t0_ns: int
    stamps_ns: tuple[int, ...] = ()
    """Arrival of each chunk with text or thinking, in order."""
    th_ns: int | None = None
    tc_ns: int | None = None
    te_ns: int | None = None
    is_token_per_chunk: bool = True
    tokens_out: int | None = None
    out_source: Source = "unknown"
    reasoning: int | None = None
    server_out: int | None = None
    tokens_in: int | None = None
    in_source: Source = "unknown"
    tokens_cached: int | None = None
    runtime: RuntimeTimes = field(default_factory=RuntimeTimes)
    estimated_tps: float | None = None
    """The decode rate that was estimated while the answer streamed, in tok/s."""
    cap: int | None = None
    is_buffered: bool = False
    ttft_includes: tuple[TtftPart, ...] = ()
    """What TTFT includes beside prefill."""

    @property
    def span_ns(self) -> int | None:
        """Time from the first chunk to the last, tN - t1; None without chunks."""
        return self.stamps_ns[-1] - self.stamps_ns[0] if self.stamps_ns else None

    @property
    def arrivals(self) -> Arrivals:
        """The chunks grouped by time of arrival."""
        return arrivals_of(self.stamps_ns)

    @property
    def is_ttft_estimated(self) -> bool:
        """Whether the first tokens came in a burst, so that the first one was made earlier."""
        return self.arrivals.is_first_burst

    @property
    def is_rate_measured(self) -> bool:
        """Whether the arrival of every counted token was observed, to within 1 %. Else the time of
        some tokens is unknown, and the rate is an estimate."""
        tokens, chunks = self.tokens_out or 0, len(self.stamps_ns)
        if self.arrivals.is_spread:
            return False
        if self.out_source not in ("runtime", "client"):
            return False
        return tokens == chunks or (tokens - 1) * COUNT_SLACK <= chunks - 1 <= tokens - 1


@dataclass(slots=True)
class Measured:
    """The metrics ``m``, the reasons ``why`` for those that are None, gaps, token counts,
    warnings."""

    m: dict[str, float | None] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    gaps: Gaps = field(default_factory=Gaps)
    tokens: Tokens = field(default_factory=Tokens)
    warnings: list[str] = field(default_factory=list)

    def put(self, metric_id: str, value: float | None, why: str) -> None:
        """Set a metric; ``why`` is the reason if the value is None or not finite."""
        kept = finite(value)
        self.m[metric_id] = kept
        if kept is None:
            self.why[metric_id] = why


def looks_buffered(t0_ns: int, stamps_ns: Sequence[int]) -> bool:
    """Whether the server buffers its stream: all chunks arrive together at the end.

    True if there are at least four chunks, the time from first to last is less than 2 % of the time
    from the request to the first, and the chunks come faster than a model makes tokens: a short
    answer after a long prompt, or after a wait for another client, is short beside that too.
    """
    if len(stamps_ns) < MIN_BUFFERED_CHUNKS:
        return False
    span_ns = stamps_ns[-1] - stamps_ns[0]
    is_short = span_ns < BUFFERED_SHARE * (stamps_ns[0] - t0_ns)
    return is_short and span_ns < ARRIVAL_NS * (len(stamps_ns) - 1)


def measure(trace: Trace) -> Measured:
    """Compute all metrics that follow from a request's own times and counts."""
    out = Measured()
    out.tokens = Tokens(
        input=trace.tokens_in,
        in_cached=trace.tokens_cached,
        in_source=trace.in_source,
        out=trace.tokens_out,
        reasoning=trace.reasoning,
        source=trace.out_source,
        chunks=len(trace.stamps_ns),
        server_out=trace.server_out,
        cap=trace.cap,
    )
    _first_token(trace, out)
    _prefill(trace, out)
    _decode(trace, out)
    _gaps(trace, out)
    _whole(trace, out)
    _odd_counts(trace, out)
    return out


def _ms(start_ns: int | None, end_ns: int | None) -> float | None:
    return None if start_ns is None or end_ns is None else (end_ns - start_ns) / 1e6


def _first_token(trace: Trace, out: Measured) -> None:
    first = trace.stamps_ns[0] if trace.stamps_ns else None
    why = "the stream is buffered" if trace.is_buffered else "no token arrived"
    out.put("ttft_client_ms", None if trace.is_buffered else _ms(trace.t0_ns, first), why)
    why = "the stream is buffered" if trace.is_buffered else "no answer token arrived"
    out.put("ttfot_ms", None if trace.is_buffered else _ms(trace.t0_ns, trace.tc_ns), why)


def _prefill(trace: Trace, out: Measured) -> None:
    runtime, ttft = trace.runtime, out.m["ttft_client_ms"]
    unknown = "not reported by this server"
    out.put("prefill_ms", runtime.prefill_ms, unknown)
    out.put("prefill_tps", ratio(runtime.prefill_tokens, runtime.prefill_ms, 1000), unknown)
    if out.m["prefill_tps"] is None:
        fresh = trace.tokens_in if trace.tokens_cached is None else None
        is_other = bool(trace.ttft_includes) or trace.is_ttft_estimated
        known_ms = runtime.prefill_ms or (None if is_other else ttft)
        why = "no prompt count or no TTFT"
        if is_other and known_ms is None:
            why = "the time to first token includes more than prefill"
        out.put("prefill_tps_est", ratio(fresh, known_ms, 1000), why)
    overhead = None
    if ttft is not None and runtime.prefill_ms is not None:
        overhead = ttft - runtime.prefill_ms
        limit = max(OVERHEAD_WARN_MS, OVERHEAD_WARN_SHARE * runtime.prefill_ms)
        if overhead < 0:
            out.warnings.append("the reported prefill is longer than the time to first token")
        elif overhead > limit:
            out.warnings.append(f"{overhead:.0f} ms of the time to first token are not prefill")
    out.put("overhead_ttft_ms", overhead, unknown)


def _decode(trace: Trace, out: Measured) -> None:
    runtime = trace.runtime
    rate_rt = ratio(runtime.generate_tokens, runtime.generate_ms, 1000)
    if rate_rt is not None and (runtime.generate_tokens or 0) < MIN_TOKENS:
        rate_rt = None
    out.put("decode_tps_rt", rate_rt, "not reported by this server, or fewer than 8 tokens")
    rate, why = _client_rate(trace)
    if trace.is_rate_measured or rate is None:
        out.put("decode_tps_cl", rate, why)
    else:
        out.put("decode_tps_est", trace.estimated_tps or rate, why)
        out.put("decode_tps_cl", None, _uncertainty(trace))
    delta = None
    if rate_rt is not None and rate is not None and trace.is_rate_measured:
        delta = ratio(rate_rt - rate, rate, 100)
        if delta is not None and abs(delta) > DELTA_WARN_PCT:
            out.warnings.append(f"the runtime's rate differs from npulse's by {delta:+.1f} %")
    out.put("rt_cl_delta_pct", delta, "needs both rates")
    out.put("itl_mean_ms", ratio(1000.0, out.m["decode_tps_cl"]), "needs decode_tps_cl")


def _uncertainty(trace: Trace) -> str:
    """Why the rate is an estimate, with its bounds if they are known."""
    chunks, tokens, span_ns = len(trace.stamps_ns), trace.tokens_out, trace.span_ns
    if trace.out_source == "estimated" or tokens is None or not span_ns:
        return "the token count is only estimated"
    low, high = sorted((count - 1) * 1e9 / span_ns for count in (chunks, tokens))
    return f"{chunks} chunks for {tokens} tokens: between {low:.2f} and {high:.2f} tok/s"


def _client_rate(trace: Trace) -> tuple[float | None, str]:
    tokens, span_ns = trace.tokens_out, trace.span_ns
    if trace.is_buffered:
        return None, "the stream is buffered"
    if tokens is None or span_ns is None:
        return None, "no token count" if tokens is None else "no token arrived"
    if tokens < MIN_TOKENS:
        return None, f"fewer than {MIN_TOKENS} tokens"
    if span_ns < MIN_SPAN_NS:
        return None, "all tokens within 200 ms"
    arrivals = trace.arrivals
    first = max(tokens * arrivals.first_chunks / len(trace.stamps_ns), 1.0)
    return ratio(tokens - first, arrivals.span_ns, 1e9), "all tokens came at once"


def gaps_ms(trace: Trace) -> list[float]:
    """Inter-token times in ms; empty if chunks are not tokens, arrive in bursts, or are
    buffered."""
    if trace.is_buffered or not trace.is_token_per_chunk or arrive_in_bursts(trace.stamps_ns):
        return []
    stamps = trace.stamps_ns
    return [(after - before) / 1e6 for before, after in pairwise(stamps)]


def _gaps(trace: Trace, out: Measured) -> None:
    gaps = gaps_ms(trace)
    reason = "fewer than two tokens"
    if trace.is_buffered:
        reason = "the stream is buffered"
    elif arrive_in_bursts(trace.stamps_ns):
        reason = "the tokens came in bursts"
    elif not trace.is_token_per_chunk:
        reason = "a chunk of this server is not a token"
    out.put("itl_p50_ms", quantile(gaps, 0.5), reason)
    out.put("itl_p99_ms", percentile(gaps, 0.99), reason if not gaps else f"n={len(gaps)}")
    rate = None
    if len(gaps) >= MIN_DECAY_GAPS:
        fifth = len(gaps) // 5
        rate = ratio(sum(gaps[:fifth]), sum(gaps[-fifth:]))
    out.put("last_vs_first", rate, reason if not gaps else f"fewer than {MIN_DECAY_GAPS} gaps")
    if gaps:
        middle = median(gaps)
        out.gaps = Gaps(
            n=len(gaps),
            p50=middle,
            p90=percentile(gaps, 0.9),
            p99=percentile(gaps, 0.99),
            max=max(gaps),
            stalls=sum(gap > STALL_FACTOR * middle for gap in gaps),
        )


def _whole(trace: Trace, out: Measured) -> None:
    latency = _ms(trace.t0_ns, trace.te_ns)
    out.put("latency_ms", latency, "the answer did not end")
    out.put("e2e_tps", ratio(trace.tokens_out, latency, 1000), "no token count")
    chunks = len(trace.stamps_ns) or None
    is_estimated = trace.out_source == "estimated"
    why = "the token count is only estimated" if is_estimated else "no token count"
    out.put("chunk_ratio", None if is_estimated else ratio(chunks, trace.tokens_out), why)
    out.put("runtime_mb", trace.runtime.memory_mb, "not reported by this server")


def _odd_counts(trace: Trace, out: Measured) -> None:
    told, seen = trace.server_out, trace.tokens_out
    if told is None or not seen:
        return
    if abs(told - seen) > max(1.0, COUNT_WARN_SHARE * seen):
        out.warnings.append(f"the server counts {told} tokens, but {seen} arrived")


def decay_bins(trace: Trace) -> list[tuple[float, float]]:
    """(context in tokens, ms per token) of each complete bin of 16 gaps, for the fit over
    context."""
    gaps = gaps_ms(trace)
    start = trace.tokens_in or 0
    return [
        (start + at + BIN_TOKENS / 2, sum(gaps[at : at + BIN_TOKENS]) / BIN_TOKENS)
        for at in range(0, len(gaps) - BIN_TOKENS + 1, BIN_TOKENS)
    ]
