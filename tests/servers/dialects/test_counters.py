"""Counters of servers, in the formats that they give them in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.servers.dialects import llama_cpp, rkllama, rkllm_api_server
from tui.servers.dialects.counters import ROUTES, parsed, samples
from tui.servers.dialects.dialect import Answer

METRICS = """\
# HELP rkllm_active_requests Requests in flight
# TYPE rkllm_active_requests gauge
rkllm_active_requests 1.0
rkllm_tokens_generated_total{model="a"} 300.0
rkllm_tokens_generated_total{model="b"} 12
rkllm_queue_wait_seconds_bucket{le="1.0"} 2
rkllm_queue_wait_seconds_sum 12.5
rkllm_queue_wait_seconds_count 5
rkllm_decode_duration_seconds_count 0
broken line
rkllm_power nonsense
"""
PS = {"models": [{"name": "qwen3", "last_call": "2026-11-27 10:00:00.123456"}, {"name": "gemma"}]}


def told(dialect: str, path: str, text: str, status: int = 200) -> dict[str, str]:
    route = next(route for route in ROUTES[dialect] if route.path == path)
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    answer = Answer(status, {}, body, text)
    return {counter.label: counter.value for counter in parsed(route, answer)}


def test_prometheus_text_is_summed_over_labels() -> None:
    assert told(rkllm_api_server.NAME, "/metrics", METRICS) == {
        "requests answered now (may be too high)": "1",
        "tokens so far": "312",
        "wait in the queue": "2.50 s mean of 5",
    }


@pytest.mark.parametrize(
    ("dialect", "path", "body", "label", "value"),
    [
        (llama_cpp.NAME, "/slots", [{"is_processing": True}, {"is_processing": False}],
         "slots in use", "1 of 2"),
        (rkllama.NAME, "/api/ps", {"models": PS["models"][:1]},
         "loaded model", "qwen3, last asked 2026-11-27 10:00:00"),
    ],
)  # fmt: skip
def test_routes_of_json(dialect: str, path: str, body: object, label: str, value: str) -> None:
    assert told(dialect, path, json.dumps(body)) == {label: value}
    assert told(dialect, path, json.dumps(body), status=501) == {}
    assert told(dialect, path, "null") == {}


@given(st.text(max_size=200))
def test_any_text_is_no_failure(text: str) -> None:
    assert len(samples(text)) <= len(text.splitlines())
    for dialect, routes in ROUTES.items():
        for route in routes:
            assert all("\n" not in value for value in told(dialect, route.path, text).values())
