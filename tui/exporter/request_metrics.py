"""Counters and histograms of ended requests.

Every rate and time has a label ``source``: who took it (:data:`tui.core.types.NumberSource`). An
estimate is in a series of its own, so that nobody takes it for a measurement.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tui.core.text.sanitize import clean_line
from tui.history.ended_requests import EndedRequest
from tui.history.records import Origin

RATE_BUCKETS_TPS = (
    *(1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0),
)
"""Decode rates of 0.5B to 14B models on an RK3588."""
PREFILL_BUCKETS_TPS = (5.0, 10.0, 20.0, 30.0, 40.0, 60.0, 80.0, 120.0, 200.0, 400.0, 800.0)
TTFT_BUCKETS_S = (
    *(0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0),
)
"""From a short prompt answered at once to 16,384 tokens at 10 tok/s behind a queue."""
DURATION_BUCKETS_S = (1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 2400.0, 3600.0)
EMBEDDING_BUCKETS_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
# Each bound is one of tui.history.chunk_gaps.EDGES_NS, or counts would land in other buckets.
GAP_BUCKETS_S = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0)
MAX_LABEL_CHARS = 120
UNKNOWN_MODEL = "unknown"


def model_label(origin: Origin) -> str:
    """The model's name; marked where it belongs to the simulated board."""
    name = clean_line(origin.model, MAX_LABEL_CHARS) or UNKNOWN_MODEL
    return f"{name} (simulated)" if origin.is_simulated else name


class RequestMetrics:
    """The series of all answers that ended since the start, registered in ``registry``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def histogram(name: str, said: str, buckets: tuple[float, ...], *more: str) -> Histogram:
            labels = ("model", "server", *more)
            return Histogram(name, said, labels, buckets=buckets, registry=registry)

        def counter(name: str, said: str, *more: str) -> Counter:
            return Counter(name, said, ("model", "server", *more), registry=registry)

        self._requests = counter("npulse_requests", "Answers that ended, by how.", "status")
        self._output = counter("npulse_output_tokens", "Tokens of the answers.", "source")
        self._prompt = counter("npulse_prompt_tokens", "Tokens of the prompts.", "source")
        self._rate = histogram(
            "npulse_decode_rate_tokens_per_second",
            "Decode rate of an answer.",
            RATE_BUCKETS_TPS,
            "source",
        )
        self._prefill = histogram(
            "npulse_prefill_rate_tokens_per_second",
            "Prefill rate of a prompt.",
            PREFILL_BUCKETS_TPS,
            "source",
        )
        self._ttft = histogram(
            "npulse_time_to_first_token_seconds",
            "From the request to the first token.",
            TTFT_BUCKETS_S,
            "source",
        )
        self._gap = histogram(
            "npulse_inter_token_seconds",
            "Between two tokens, where each came alone.",
            GAP_BUCKETS_S,
        )
        self._duration = histogram(
            "npulse_request_duration_seconds",
            "From the request to the end of its answer.",
            DURATION_BUCKETS_S,
        )
        self._queue = histogram(
            "npulse_request_queue_seconds",
            "How long a prompt waited for a busy server before it was sent.",
            TTFT_BUCKETS_S,
        )
        self._embeddings = counter(
            "npulse_embeddings", "Requests for embeddings that ended, by how.", "status"
        )
        self._embedding_duration = histogram(
            "npulse_embedding_duration_seconds",
            "From a request for embeddings to their end.",
            EMBEDDING_BUCKETS_S,
        )
        self._running = Gauge(
            "npulse_requests_running", "Answers that npulse receives now.", registry=registry
        )

    def set_running(self, count: int) -> None:
        """How many answers run now."""
        self._running.set(count)

    def observe(self, request: EndedRequest) -> None:
        """Count an answer that has ended."""
        numbers = request.numbers
        labels = {"model": model_label(request.origin), "server": request.origin.kind or "unknown"}
        prompt, source = number(numbers, "prompt_tokens"), _source(numbers, "context_source")
        if prompt and source:
            self._prompt.labels(**labels, source=source).inc(prompt)
        if request.is_embedding:
            self._embeddings.labels(**labels, status=request.status).inc()
            duration_ms = number(numbers, "latency_ms")
            if duration_ms is not None:
                self._embedding_duration.labels(**labels).observe(duration_ms / 1000)
            return
        self._requests.labels(**labels, status=request.status).inc()
        tokens, source = number(numbers, "tokens_out"), _source(numbers, "tokens_source")
        if tokens and source:
            self._output.labels(**labels, source=source).inc(tokens)
        for histogram, name, factor, source_name in (
            (self._rate, "decode_tps", 1.0, "decode_source"),
            (self._prefill, "prefill_tps", 1.0, "prefill_source"),
            (self._ttft, "ttft_ms", 0.001, "ttft_source"),
        ):
            value, source = number(numbers, name), _source(numbers, source_name)
            if value is not None and source:
                histogram.labels(**labels, source=source).observe(value * factor)
        for histogram, name in ((self._duration, "latency_ms"), (self._queue, "queue_ms")):
            value = number(numbers, name)
            if value is not None:
                histogram.labels(**labels).observe(value / 1000)
        if has_token_gaps(request):
            series = self._gap.labels(**labels)
            for count, mean_ns in request.gaps:
                for _ in range(count):
                    series.observe(mean_ns / 1e9)


def has_token_gaps(request: EndedRequest) -> bool:
    """Whether the gaps between its chunks are those between its tokens, and there are any."""
    gaps = request.numbers.get("itl_ms")
    return bool(request.gaps) and isinstance(gaps, Mapping) and gaps.get("p50") is not None


def number(numbers: Mapping[str, object], name: str) -> float | None:
    """A number of an answer where it is one; never negative."""
    value = numbers.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None


def _source(numbers: Mapping[str, object], name: str) -> str | None:
    source = numbers.get(name)
    return source if isinstance(source, str) and source != "unknown" else None
