"""Ended requests over OTLP, under the names of OpenTelemetry's GenAI conventions.

Metrics and attributes as in https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/.
Token usage is sent only where the tokens were counted, not estimated.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from tui import __version__
from tui.exporter.request_metrics import TTFT_BUCKETS_S, model_label, number
from tui.history.ended_requests import EndedRequest
from tui.history.records import Origin

METRICS_PATH = "/v1/metrics"
"""Where OTLP over HTTP takes metrics (https://opentelemetry.io/docs/specs/otlp/#otlphttp)."""
EVERY_MS = 15_000
TIMEOUT_S = 10
TOKEN_BUCKETS = (*(1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304),)
"""Histogram buckets that the conventions advise for ``gen_ai.client.token.usage``."""
# Each bound is one of tui.history.chunk_gaps.EDGES_NS, or counts would land in other buckets.
CHUNK_BUCKETS_S = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
DURATION_BUCKETS_S = (*TTFT_BUCKETS_S, 3600.0)
COUNTED = ("measured", "runtime", "tokenizer")


class OtlpSender:
    """Sends observed answers to a collector, every 15 s and at the end."""

    def __init__(self, url: str) -> None:
        exporter = OTLPMetricExporter(endpoint=metrics_url(url), timeout=TIMEOUT_S)
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=EVERY_MS)
        resource = Resource.create({"service.name": "npulse", "service.version": __version__})
        self._provider = MeterProvider(
            metric_readers=[reader], resource=resource, shutdown_on_exit=False
        )
        meter = self._provider.get_meter("npulse", __version__)

        def histogram(name: str, unit: str, said: str, buckets: tuple[float, ...]):  # type: ignore[no-untyped-def]
            return meter.create_histogram(
                name, unit, said, explicit_bucket_boundaries_advisory=buckets
            )

        self._duration = histogram(
            "gen_ai.client.operation.duration", "s", "From request to end.", DURATION_BUCKETS_S
        )
        self._first = histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            "s",
            "From request to first chunk.",
            TTFT_BUCKETS_S,
        )
        self._chunk = histogram(
            "gen_ai.client.operation.time_per_output_chunk",
            "s",
            "Between two chunks.",
            CHUNK_BUCKETS_S,
        )
        self._tokens = histogram(
            "gen_ai.client.token.usage", "{token}", "Tokens that were counted.", TOKEN_BUCKETS
        )

    def observe(self, request: EndedRequest) -> None:
        """Count an answer that has ended."""
        numbers = request.numbers
        common = attributes(request.origin)
        duration_ms, ttft_ms = number(numbers, "latency_ms"), number(numbers, "ttft_ms")
        if request.is_embedding:
            common["gen_ai.operation.name"] = "embeddings"
        failed = {"error.type": request.status} if request.status in ("refused", "error") else {}
        if duration_ms is not None:
            self._duration.record(duration_ms / 1000, {**common, **failed})
        if ttft_ms is not None:
            self._first.record(ttft_ms / 1000, common)
        for count, mean_ns in request.gaps:
            for _ in range(count):
                self._chunk.record(mean_ns / 1e9, common)
        prompt, output = number(numbers, "prompt_tokens"), number(numbers, "tokens_out")
        if prompt and numbers.get("context_source") in COUNTED:
            self._tokens.record(prompt, {**common, "gen_ai.token.type": "input"})
        if output and numbers.get("tokens_source") in COUNTED:
            self._tokens.record(output, {**common, "gen_ai.token.type": "output"})

    def close(self) -> None:
        """Send what is left and end."""
        self._provider.shutdown()


def metrics_url(url: str) -> str:
    """Completes the address of a collector with the metrics path where it has none. Raises
    ValueError with one sentence for anything but http and https.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"--otlp takes an address such as http://127.0.0.1:4318, not {url}")
    return url if parts.path.strip("/") else f"{url.rstrip('/')}{METRICS_PATH}"


def attributes(origin: Origin) -> dict[str, str | int]:
    """Attributes of a request as the conventions name them."""
    known: dict[str, str | int] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": origin.kind or "unknown",
        "gen_ai.request.model": model_label(origin),
    }
    parts = urlsplit(origin.url or "")
    if parts.hostname:
        known["server.address"] = parts.hostname
        known["server.port"] = parts.port or (443 if parts.scheme == "https" else 80)
    return known
