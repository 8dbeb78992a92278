"""Whatever a client sends to a simulated server, in any dialect, it gets an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sim.simulator import exchange, raw_request
from tests.sim.test_requests import JSON
from tui.sim.server.dialects.rows import DIALECTS
from tui.sim.server.spawn import Simulator, spawn

POSTS = (
    "/v1/chat/completions", "/chat/completions", "/rkllm_chat", "/api/chat", "/api/generate",
    "/api/show", "/load_model", "/unload_model", "/unload_models", "/v1/models/select",
    "/v1/models/unload", "/nowhere",
)  # fmt: skip
GETS = (
    "/", "/v1/models", "/v1/models/x", "/api/tags", "/api/ps", "/api/version", "/health", "/ready",
    "/metrics", "/slots", "/props", "/rkllm_chat", "/v1/chat/completions", "/models",
    "/api/admin/auth-status", "/api/admin/status", "/nowhere",
)  # fmt: skip
MODELS = ("qwen3-4b", "qwen3:4b", "absent")
FIELDS = (
    "stream", "options", "think", "max_tokens", "max_completion_tokens", "tools", "tool_choice",
    "stream_options", "enable_thinking", "chat_template_kwargs", "keep_alive", "temperature",
    "reasoning_effort", "conversation_id", "num_predict", "prompt",
)  # fmt: skip
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "system", "assistant"]) | JSON},
        optional={"content": st.text(max_size=5) | JSON},
    ),
    max_size=3,
)
BODIES = JSON | st.builds(
    lambda messages, model, name, more: {
        "messages": messages,
        "model": model,
        "model_name": model,
        **more,
    },
    MESSAGES | JSON,
    st.sampled_from(MODELS) | JSON,
    JSON,
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4),
)


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    fast = ("--speed", "5000", "--tokens", "2")
    running: dict[str, Simulator] = {}
    try:
        for name in DIALECTS:
            if name != "rockchipllama":  # loading over a loaded model is meant to hang it
                running[name] = spawn([*fast, "--dialect", name])
        yield {name: simulator.url for name, simulator in running.items()}
    finally:
        for simulator in running.values():
            simulator.stop()


@pytest.mark.slow
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES, path=st.sampled_from(POSTS))
def test_any_body(urls: dict[str, str], body: object, path: str) -> None:
    data = json.dumps(body).encode()
    for name, url in urls.items():
        raw = exchange(url, raw_request("POST", path, data, "application/json"))
        assert raw.startswith(b"HTTP/1."), (name, path)


@pytest.mark.parametrize(
    "value", [[1], "x", 0, -1, 1.5, {"a": []}, True, [{"function": {"name": 3}}], 1e300], ids=str
)
def test_fields_of_the_wrong_kind(urls: dict[str, str], value: object) -> None:
    messages = [{"role": "user", "content": "hi"}]
    body = {"messages": messages, "model": "qwen3-4b", **dict.fromkeys(FIELDS, value)}
    for name, url in urls.items():
        for path in ("/v1/chat/completions", "/rkllm_chat", "/api/chat", "/api/generate"):
            for one in (body, {**body, "stream": True}, {**body, "prompt": "hi"}):
                data = json.dumps(one).encode()
                raw = exchange(url, raw_request("POST", path, data, "application/json"))
                assert raw.startswith(b"HTTP/1."), (name, path, one)


@pytest.mark.slow
def test_any_path_by_get_and_head(urls: dict[str, str]) -> None:
    for name, url in urls.items():
        for path in GETS:
            got = exchange(url, raw_request("GET", path))
            assert got.startswith(b"HTTP/1."), (name, path)
            head = exchange(url, raw_request("HEAD", path))
            assert head.startswith(b"HTTP/1."), (name, path)
            assert head.endswith(b"\r\n\r\n"), (name, path)
