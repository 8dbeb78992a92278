"""Every simulated server answers like the recorded real one, but for what it says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from functools import cache

import pytest

from tests.servers.recordings import Recorded, recorded
from tests.sim.simulator import FAST, dechunked, exchange, raw_request
from tui.commands.sim import parse
from tui.servers.detect import KINDS
from tui.sim.profiles import SimOptions
from tui.sim.server.dialects.rows import DIALECTS
from tui.sim.server.spawn import Simulator, spawn

RECORDED = {
    "rkllama": "rkllama",
    "orkllm": "orkllm",
    "rkllm-api-server": "gatekeeper",
    "rkllm-demo": "flask",
    "rkllm-chat": "flask123",
}
CASES = ("01-identify", "02-models", "04-chat-stream", "06-think-stream", "11-bad-request")
ELSEWHERE = ("/metrics", "/v1/lora", "/api/ps", "/current_model", "/ready")
"""Routes that are not simulated, or show what was loaded at that moment."""
OTHER_BUILD = (("orkllm", "/"), ("rkllm-api-server", "/api/tags"))
BLANKS: tuple[tuple[bytes, bytes], ...] = (
    (rb'"id": ?"[^"]*"', b'"id":"?"'),
    (rb'"created": ?\d+', b'"created":0'),
    (rb'"model": ?"[^"]*"', b'"model":"?"'),
    (rb'"(?:content|reasoning_content)": ?"(?:[^"\\]|\\.)+"', b'"content":"?"'),
    (rb'"message": ?"[^"]*"', b'"message":"?"'),
    (rb'": ?-?\d+(\.\d+)?(e-?\d+)?', b'":0'),
)


@cache
def _exchanges(dialect: str) -> dict[str, Recorded]:
    folder = RECORDED[dialect]
    found = {}
    for case in CASES:
        try:
            exchanges = recorded(folder, case)
        except FileNotFoundError:
            continue
        for number, one in enumerate(exchanges):
            is_elsewhere = one.path.startswith(ELSEWHERE) or (dialect, one.path) in OTHER_BUILD
            if not is_elsewhere:
                found[f"{dialect}-{case}-{number}"] = one
    return found


ALL = [(dialect, name) for dialect in RECORDED for name in _exchanges(dialect)]


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    running: dict[str, Simulator] = {}
    try:
        for dialect in RECORDED:
            running[dialect] = spawn([*FAST, "--tokens", "6", "--dialect", dialect])
        yield {name: simulator.url for name, simulator in running.items()}
    finally:
        for simulator in running.values():
            simulator.stop()


def _replay(url: str, dialect: str, one: Recorded) -> tuple[list[str], bytes]:
    """The lines of the head and the body, dechunked, of the same request to the simulator."""
    words = shlex.split(one.command)
    body = words[words.index("-d") + 1] if "-d" in words else ""
    for theirs, ours in MODELS[dialect].items():
        body = body.replace(theirs, ours)
    kind = "application/json" if body else None
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    path = one.path
    for theirs, ours in MODELS[dialect].items():
        path = path.replace(theirs, ours)
    raw = exchange(url, raw_request(method, path, body.encode(), kind))
    head, _, rest = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    is_chunked = any("chunked" in line for line in lines)
    return lines, b"".join(dechunked(rest)) if is_chunked else rest


_STEM = "Qwen3-4B-Instruct-2507-rk3588-w8a8-opt-0-hybrid-ratio-0.0-16k"
_OURS = "Qwen3-4B-rk3588-w8a8-opt-0-hybrid-ratio-0.0-16k"
MODELS: dict[str, dict[str, str]] = {
    "rkllama": {"qwen3-4b-2507": "qwen3-4b"},
    "orkllm": {_STEM: _OURS},
    "rkllm-api-server": {},
    "rkllm-demo": {_STEM: _OURS},
    "rkllm-chat": {_STEM: _OURS},
}


def _blanked(text: bytes) -> bytes:
    for pattern, blank in BLANKS:
        text = re.sub(pattern, blank, text)
    return text


def _skeleton(value: object) -> object:
    """Keys and the kinds of the values; a missing value has any kind."""
    if isinstance(value, dict):
        return {key: _skeleton(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_skeleton(inner) for inner in value[:1]]
    return type(value).__name__.replace("int", "float")


@pytest.mark.parametrize(("dialect", "name"), ALL)
def test_exchange(urls: dict[str, str], dialect: str, name: str) -> None:
    one = _exchanges(dialect)[name]
    lines, body = _replay(urls[dialect], dialect, one)
    if dialect == "orkllm" and one.status == 404 and "-X" not in one.command:
        # Recorded from a build without its web page, which every unknown GET is otherwise.
        assert lines[0].split()[1] == "200"
        assert b"<html" in body
        return
    assert lines[0].split(" ", 2)[1] == str(one.status)
    headers = {line.partition(":")[0].lower(): line.partition(": ")[2] for line in lines[1:]}
    headers.pop("x-npulse-simulated")
    assert headers["content-type"] == one.headers["content-type"]
    if dialect != "orkllm":
        assert set(headers) - {"connection"} == set(one.headers) - {"connection"}
        assert headers.get("server") == one.headers.get("server")
    if one.headers["content-type"].startswith("text/html"):
        assert body == one.body
    elif "application/json" not in one.headers["content-type"]:
        _compare_events(dialect, body, one.body)
    elif one.status >= 400:
        assert json.loads(body) == json.loads(one.body)
    else:
        ours, theirs = json.loads(body), json.loads(one.body)
        if one.path == "/health":
            assert set(ours) == set(theirs)
        else:
            assert _skeleton(ours) == _skeleton(theirs)


def _compare_events(dialect: str, ours: bytes, theirs: bytes) -> None:
    events = [{_blanked(event.strip()) for event in body.split(b"\n\n")} for body in (ours, theirs)]
    if dialect == "rkllm-chat":
        # Each line has all those before it.
        lines = [sorted(kind, key=len) for kind in events]
        assert lines[0][:5] == lines[1][:5]
    elif events[1] != {b""}:
        assert events[0] == events[1]


def test_every_known_server_can_be_simulated() -> None:
    assert set(DIALECTS) == set(KINDS)
    assert next(iter(DIALECTS)) == SimOptions(profile=parse([]).profile).dialect


@pytest.mark.slow
def test_an_unknown_dialect_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--dialect", "olama"])
    assert "no dialect 'olama'; did you mean ollama?" in capsys.readouterr().err
