"""Ended requests as Prometheus' series: what is not measured is not there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest

from tests.exporter.exporting import Samples, samples, value
from tests.history.test_client_requests import OVER
from tui.exporter.request_metrics import RequestMetrics
from tui.history.ended_requests import of_client
from tui.history.request_records import ClientRequest

GAPS = [[2, 320_000_000], [1, 700_000_000]]
STREAMED = replace(OVER, numbers={**OVER.numbers, "chunk_gaps": GAPS, "latency_ms": 3000.0})


def told(*requests: ClientRequest) -> Samples:
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    metrics = RequestMetrics(registry)
    for request in requests:
        metrics.observe(of_client(request))
    return samples(generate_latest(registry).decode())


def test_gaps_of_the_tap_are_a_histogram() -> None:
    found = told(STREAMED)
    assert value(found, "npulse_inter_token_seconds_count") == 3
    assert value(found, "npulse_inter_token_seconds_sum") == pytest.approx(1.34)
    assert value(found, "npulse_inter_token_seconds_bucket", le="0.4") == 2
    assert value(found, "npulse_inter_token_seconds_bucket", le="0.75") == 3


def test_gaps_that_are_none_between_tokens_are_no_series() -> None:
    joined = replace(STREAMED, numbers={"chunk_gaps": GAPS})
    assert not [name for name, _ in told(OVER, joined) if name.startswith("npulse_inter_token")]


def test_embeddings_are_counted_apart_from_answers() -> None:
    numbers = {"operation": "embeddings", "latency_ms": 250.0}
    found = told(replace(OVER, tokens_out=None, ttft_ms=None, decode_tps=None, numbers=numbers))
    assert value(found, "npulse_embeddings_total", status="complete") == 1
    assert value(found, "npulse_embedding_duration_seconds_sum") == 0.25
    assert value(found, "npulse_prompt_tokens_total", source="runtime") == 12
    assert value(found, "npulse_requests_total") is None
    assert value(found, "npulse_request_duration_seconds_count") is None
