"""The simulated server answers like the recorded real one, byte for byte but for what it says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator

import pytest

from tests.servers.recordings import Recorded, recorded
from tests.sim.simulator import FAST, dechunked, exchange, raw_request, running

CASES = ("01-identify", "02-models", "04-chat-stream", "06-think-stream", "11-bad-request")
OURS = {"x-npulse-simulated"}
OWN_BODIES = {"/docs", "/openapi.json"}
"""Pages that are only there for a client that looks whether they are there."""


def _cases() -> Iterator[tuple[str, Recorded]]:
    for case in CASES:
        for number, one in enumerate(recorded("rockchipllama", case)):
            yield f"{case}-{number}", one


ALL = dict(_cases())


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(*FAST) as simulator:
        yield simulator.url


def _replay(url: str, one: Recorded) -> tuple[list[str], bytes]:
    """The head's lines and the raw body of the same request to the simulator."""
    words = shlex.split(one.command)
    body = words[words.index("-d") + 1].encode() if "-d" in words else b""
    kind = "application/json" if body else None
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    raw = exchange(url, raw_request(method, one.path, body, kind))
    head, _, rest = raw.partition(b"\r\n\r\n")
    return head.decode("latin-1").split("\r\n"), rest


def _blanked(event: bytes) -> bytes:
    """An event without what differs from answer to answer."""
    for pattern, blank in (
        (rb'"id":"chatcmpl-[0-9a-f]{12}"', b'"id":"?"'),
        (rb'"created":\d{10}', b'"created":0'),
        (rb'"content":"(?:[^"\\]|\\.)*"', b'"content":"?"'),
        (rb'"(prompt|completion|total)_tokens":\d+', rb'"\1_tokens":0'),
    ):
        event = re.sub(pattern, blank, event)
    return event


def _skeleton(value: object) -> object:
    """Keys in their order, and the kinds of the values."""
    if isinstance(value, dict):
        return [(key, _skeleton(inner)) for key, inner in value.items() if key != "simulated"]
    if isinstance(value, list):
        return [_skeleton(inner) for inner in value[:1]]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return "text" if isinstance(value, str) else str(value)


@pytest.mark.parametrize("name", ALL)
def test_head_is_that_of_the_real_server(url: str, name: str) -> None:
    one = ALL[name]
    lines, _ = _replay(url, one)
    names = [line.partition(":")[0] for line in lines[1:]]
    values = dict(line.split(": ", 1) for line in lines[1:])
    assert int(lines[0].split()[1]) == one.status
    # curl kept its connection open, this test does not.
    assert [name for name in names if name not in OURS | {"connection", "Connection"}] == list(
        one.headers
    )
    assert values["x-npulse-simulated"] == "1"
    for fixed in ("server", "content-type", "transfer-encoding", "allow"):
        assert values.get(fixed) == one.headers.get(fixed)


@pytest.mark.parametrize("name", [name for name, one in ALL.items() if one.status >= 400])
def test_refusals_are_byte_for_byte_the_same(url: str, name: str) -> None:
    assert _replay(url, ALL[name])[1] == ALL[name].body


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, one in ALL.items()
        if one.status == 200 and not one.is_stream and one.path not in OWN_BODIES
    ],
)
def test_answers_have_the_same_keys_in_the_same_order(url: str, name: str) -> None:
    one = ALL[name]
    ours = _skeleton(json.loads(_replay(url, one)[1]))
    theirs = _skeleton(json.loads(one.body))
    if one.path not in ("/", "/v1/health", "/v1/models/available", "/v1/models/loaded"):
        assert ours == theirs
        return
    # A model is loaded here and was not there.
    text = json.dumps(theirs)
    for key in ("loaded_model", "model_name", "model_path"):
        text = text.replace(f'["{key}", "None"]', f'["{key}", "text"]')
    for key in ("model_loaded", "loaded"):
        text = text.replace(f'["{key}", "False"]', f'["{key}", "True"]')
    assert json.dumps(ours).replace('["loaded", "False"]', '["loaded", "True"]') == text


@pytest.mark.parametrize("name", [name for name, one in ALL.items() if one.is_stream])
def test_events_are_those_of_the_real_server(url: str, name: str) -> None:
    one = ALL[name]
    chunks = dechunked(_replay(url, one)[1])
    assert all(chunk.startswith(b"data: ") and chunk.endswith(b"\n\n") for chunk in chunks)
    ours = [_blanked(chunk.strip()) for chunk in chunks]
    theirs = [_blanked(event.strip()) for event in one.body.split(b"\n\n") if event.strip()]
    assert ours[-2:] == theirs[-2:]
    assert set(ours[:-2]) == set(theirs[:-2])


def test_thinking_comes_in_the_same_pieces(url: str) -> None:
    one = recorded("rockchipllama", "06-think-stream")[0]
    for body in (b"".join(dechunked(_replay(url, one)[1])), one.body):
        content = [
            json.loads(event[6:])["choices"][0]["delta"].get("content")
            for event in body.split(b"\n\n")
            if event.startswith(b"data: {")
        ]
        end = content.index("</think>")
        assert content[:2] == ["<think>", "\n"]
        assert content[end - 1 : end + 2] == ["\n", "</think>", "\n\n"]


@pytest.mark.slow
def test_usage_counts_words_and_not_tokens(url: str) -> None:
    one = recorded("rockchipllama", "04-chat-stream")[0]
    body = b"".join(dechunked(_replay(url, one)[1]))
    events = [json.loads(event[6:]) for event in body.split(b"\n\n") if event[6:7] == b"{"]
    text = "".join(event["choices"][0]["delta"].get("content", "") for event in events)
    usage = events[-1]["usage"]
    assert usage["completion_tokens"] == len(text.split()) < len(events) - 1
    # The prompt of the recording, with its template, has the recorded number of words.
    assert f'"prompt_tokens":{usage["prompt_tokens"]},'.encode() in one.body
