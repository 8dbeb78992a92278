"""Nothing that a client sends brings the server down."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sim.simulator import CHAT, FAST, exchange, raw_request, running
from tui.sim.server.dialects.rockchipllama_schema import (
    InvalidError,
    parse_chat,
    parse_completion,
    parse_load,
    parse_ollama,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["model", "messages", "role", "content", "type", "text", "prompt", "options",
                 "temperature", "top_k", "max_tokens", "stream", "n", "num_predict", "user"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(*FAST, "--tokens", "3") as simulator:
        yield simulator.url


def _is_well_formed(detail: list[dict[str, object]]) -> bool:
    return bool(detail) and all({"type", "loc", "msg", "input"} <= entry.keys() for entry in detail)


PARSERS: tuple[Callable[[str | None, bytes], object], ...] = (
    parse_chat,
    parse_completion,
    parse_load,
    lambda kind, data: parse_ollama(kind, data, is_chat=True),
    lambda kind, data: parse_ollama(kind, data, is_chat=False),
)


@given(JSON, st.sampled_from(PARSERS))
def test_any_json_is_taken_or_refused_in_form(
    value: object, parse: Callable[[str | None, bytes], object]
) -> None:
    detail = None
    try:
        parse("application/json", json.dumps(value).encode())
    except InvalidError as error:
        detail = error.detail
    assert detail is None or _is_well_formed(detail)
    json.dumps(detail)


@given(st.binary(max_size=200), st.sampled_from([None, "application/json", "text/plain"]))
def test_any_bytes_are_taken_or_refused_in_form(body: bytes, kind: str | None) -> None:
    with pytest.raises(InvalidError) as caught:
        parse_chat(kind, body)
    assert _is_well_formed(caught.value.detail)


def _detail(url: str, **fields: object) -> list[tuple[str, list[object]]]:
    body = {"messages": [{"role": "user", "content": "hi"}], **fields}
    response = httpx.post(url + CHAT, json=body, timeout=60)
    assert response.status_code == 422
    return [(entry["type"], entry["loc"]) for entry in response.json()["detail"]]


def test_limits_are_those_of_the_real_server(url: str) -> None:
    for name, bad, kind in (
        ("temperature", -0.1, "greater_than_equal"),
        ("temperature", 2.1, "less_than_equal"),
        ("top_p", 1.1, "less_than_equal"),
        ("top_k", 0, "greater_than_equal"),
        ("top_k", 1.5, "int_from_float"),
        ("top_k", "x", "int_parsing"),
        ("repeat_penalty", 0.9, "greater_than_equal"),
        ("repeat_penalty", 2.1, "less_than_equal"),
        ("presence_penalty", -3, "greater_than_equal"),
        ("n", 2, "less_than_equal"),
        ("top_p", [], "float_type"),
        ("stream", "maybe", "bool_parsing"),
        ("enable_thinking", {}, "bool_type"),
    ):
        assert _detail(url, **{name: bad}) == [(kind, ["body", name])], name
    assert _detail(url, temperature=9, top_k=0) == [
        ("less_than_equal", ["body", "temperature"]),
        ("greater_than_equal", ["body", "top_k"]),
    ]
    assert [kind for kind, _ in _detail(url, messages=[{"role": "user", "content": None}])] == [
        "string_type",
        "list_type",
    ]


def test_null_numbers_and_further_keys_are_accepted(url: str) -> None:
    body = {
        "messages": [{"role": "tool", "content": "x"}, {"role": "user", "content": "hi"}],
        "temperature": None, "top_p": None, "max_tokens": None, "stream": None, "seed": 3,
        "stream_options": {"include_usage": True},
    }  # fmt: skip
    answer = httpx.post(url + CHAT, json=body, timeout=60)
    assert answer.status_code == 200
    assert answer.json()["model"] == "default"


def test_what_is_not_http_is_refused(url: str) -> None:
    raw = exchange(url, b"\x16\x03\x01 this is not HTTP\r\n\r\n")
    assert raw.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert raw.endswith(b"Invalid HTTP request received.")


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=120))
def test_it_survives_any_bytes(url: str, data: bytes) -> None:
    exchange(url, data + b"\r\n\r\n\x00\r\n\r\n")
    assert httpx.get(url + "/v1/health", timeout=60).status_code == 200


def test_one_connection_serves_many_requests(url: str) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        for _ in range(3):
            assert client.get("/v1/health").status_code == 200
            with client.stream(
                "POST",
                CHAT,
                json={"messages": [{"role": "user", "content": "x"}], "stream": True},
            ) as stream:
                assert "".join(stream.iter_text()).endswith("data: [DONE]\n\n")


def test_http_1_0_gets_its_answer_without_chunks(url: str) -> None:
    body = b'{"messages":[{"role":"user","content":"x"}],"stream":true}'
    request = raw_request("POST", CHAT, body, "application/json").replace(b"HTTP/1.1", b"HTTP/1.0")
    raw = exchange(url, request)
    assert b"chunked" not in raw
    assert raw.endswith(b"data: [DONE]\n\n")


def test_a_body_that_waits_to_be_asked_for(url: str) -> None:
    body = b'{"model":"qwen3-4b"}'
    request = raw_request("POST", "/v1/models/load", body, "application/json")
    raw = exchange(url, request.replace(b"Host: board", b"Host: board\r\nExpect: 100-continue"))
    assert b"200 OK" in raw
