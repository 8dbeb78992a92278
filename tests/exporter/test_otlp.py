"""What a real OTLP collector would get: the protocol's own messages, over HTTP on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from tui.exporter.otlp import OtlpSender, metrics_url
from tui.history.chunk_gaps import grouped_gaps
from tui.history.ended_requests import EndedRequest
from tui.history.records import Origin

MS = 1_000_000
ORIGIN = Origin("qwen3-4b", "RockchipLlama", "rockchipllama", url="http://127.0.0.1:8021")
COUNTED = EndedRequest(
    "complete",
    ORIGIN,
    {
        "ttft_ms": 1250.0,
        "latency_ms": 2500.0,
        "tokens_out": 4,
        "tokens_source": "runtime",
        "prompt_tokens": 20,
        "context_source": "runtime",
    },
    grouped_gaps((1250 * MS, 1570 * MS, 1890 * MS, 2210 * MS)),
)


@contextmanager
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    bodies: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", bodies
    finally:
        server.shutdown()
        server.server_close()


def sent(*requests: EndedRequest) -> dict[str, list[tuple[dict[str, object], int, float]]]:
    """Name of a metric -> its series: attributes, count and sum."""
    with collector() as (url, bodies):
        sender = OtlpSender(url)
        for request in requests:
            sender.observe(request)
        sender.close()
    assert bodies
    assert bodies[-1][0] == "/v1/metrics"
    message = ExportMetricsServiceRequest.FromString(bodies[-1][1])
    found: dict[str, list[tuple[dict[str, object], int, float]]] = {}
    for metric in message.resource_metrics[0].scope_metrics[0].metrics:
        for point in metric.histogram.data_points:
            attributes = {
                one.key: one.value.string_value or one.value.int_value for one in point.attributes
            }
            found.setdefault(metric.name, []).append((attributes, point.count, point.sum))
    return found


def test_an_answer_under_the_conventions_names() -> None:
    found = sent(COUNTED)
    common = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "rockchipllama",
        "gen_ai.request.model": "qwen3-4b",
        "server.address": "127.0.0.1",
        "server.port": 8021,
    }
    assert found["gen_ai.client.operation.time_to_first_chunk"] == [(common, 1, 1.25)]
    assert found["gen_ai.client.operation.duration"] == [(common, 1, 2.5)]
    ((attributes, count, total_s),) = found["gen_ai.client.operation.time_per_output_chunk"]
    assert (attributes, count, round(total_s, 6)) == (common, 3, 0.96)
    usage = {
        str(a["gen_ai.token.type"]): total for a, _, total in found["gen_ai.client.token.usage"]
    }
    assert usage == {"input": 20, "output": 4}


def test_counts_that_are_estimated_are_not_sent() -> None:
    guessed = EndedRequest("error", ORIGIN, {**COUNTED.numbers, "tokens_source": "estimated"})
    guessed = EndedRequest(
        "error", ORIGIN, {**guessed.numbers, "context_source": "estimated"}, guessed.gaps
    )
    found = sent(guessed)
    assert "gen_ai.client.token.usage" not in found
    ((attributes, _, _),) = found["gen_ai.client.operation.duration"]
    assert attributes["error.type"] == "error"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/metrics"),
        ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/metrics"),
        ("https://here/otlp/v1/metrics", "https://here/otlp/v1/metrics"),
    ],
)
def test_the_address_of_a_collector(given: str, used: str) -> None:
    assert metrics_url(given) == used


@pytest.mark.parametrize("wrong", ["", "localhost:4318", "ftp://here", "http://"])
def test_an_address_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="--otlp takes an address"):
        metrics_url(wrong)
