"""Every number of an answer at one moment, each with its source."""

from __future__ import annotations

from dataclasses import dataclass

from tui.core.types import NumberSource, Phase, TtftPart


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
    """Our own loop was late by more than 20 ms while the answer ran: its times are less certain.
    Never where the kernel stamped every read."""
    max_lag_ms: float
    ttft_includes: tuple[TtftPart, ...] = ()
    """What the TTFT holds beside the prefill."""
    queue_ms: float | None = None
    """How long the prompt waited for a busy server before it was sent, which is no part of any
    other time; None where it did not."""
    prompt_estimate: int | None = None
    """Our own estimate of the prompt's tokens, whatever was reported."""
    new_prompt_estimate: int | None = None
    """The same of its last message alone."""
    cached_tokens: int | None = None
    """Tokens of the prompt that the server did not process again, where it tells."""
