"""Starts real simulators and talks to them."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.waiting import wait_until
from tui.sim.server.spawn import Simulator, spawn

FAST = ("--decode-tps", "400", "--prefill-tps", "4000", "--speed", "4")
CHAT = "/v1/chat/completions"


@contextmanager
def running(*arguments: str, has_root: bool = False) -> Iterator[Simulator]:
    with spawn(arguments, has_root=has_root) as simulator:
        yield simulator


def truth(path: Path, event: str | None = None, request: int | None = None) -> list[dict[str, Any]]:
    """The events of a truth log, each line of which must be whole."""
    lines = path.read_text("utf-8").split("\n")
    assert lines.pop() == ""
    entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [
        entry
        for entry in entries
        if event in (None, entry["event"]) and request in (None, entry["request"])
    ]


def truth_so_far(path: Path) -> list[dict[str, Any]]:
    """The events of a truth log that is still written: its last line may be half there."""
    whole = path.read_text("utf-8").rpartition("\n")[0] if path.exists() else ""
    return [json.loads(line) for line in whole.split("\n") if line]


def wait_for_event(path: Path, event: str, request: int = 1, count: int = 1) -> None:
    def has_come() -> bool:
        kinds = [(one["event"], one["request"]) for one in truth_so_far(path)]
        return kinds.count((event, request)) >= count

    wait_until(has_come, shown=f"no {event} of request {request}")


@dataclass
class Answer:
    """What came out of one stream."""

    status: int = 0
    text: str = ""
    pieces: list[str] = field(default_factory=list)
    times_ns: list[int] = field(default_factory=list)
    finish: str | None = None
    usage: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    is_done: bool = False
    is_cut: bool = False


def body_of(prompt: str, **more: object) -> dict[str, object]:
    message = {"role": "user", "content": prompt}
    return {"model": "qwen3-4b", "messages": [message], "stream": True, **more}


def ask(url: str, prompt: str, *, timeout_s: float = 30.0, **more: object) -> Answer:
    """Ask for a stream and read it to its end."""
    answer = Answer()
    with (
        httpx.Client(timeout=timeout_s) as client,
        client.stream("POST", url + CHAT, json=body_of(prompt, **more)) as response,
    ):
        answer.status = response.status_code
        raw = b""
        try:
            for data in response.iter_raw():
                t_ns = time.perf_counter_ns()
                raw += data
                while b"\n\n" in raw:
                    event, _, raw = raw.partition(b"\n\n")
                    take(answer, event, t_ns)
        except httpx.RemoteProtocolError:
            answer.is_cut = True
    return answer


def take(answer: Answer, event: bytes, t_ns: int) -> None:
    """One event into the answer."""
    assert event.startswith(b"data: "), event
    if event == b"data: [DONE]":
        answer.is_done = True
        return
    value = json.loads(event[6:])
    if "error" in value:
        answer.error = value["error"]
        return
    choice = value["choices"][0]
    if choice["finish_reason"] is not None:
        answer.finish, answer.usage = choice["finish_reason"], value["usage"]
        return
    answer.pieces.append(choice["delta"]["content"])
    answer.times_ns.append(t_ns)
    answer.text = "".join(answer.pieces)


def exchange(url: str, request: bytes, timeout_s: float = 20.0) -> bytes:
    """Raw bytes there and back, until the server closes."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=timeout_s) as connection:
        connection.sendall(request)
        answer = b""
        while data := connection.recv(65536):
            answer += data
        return answer


def raw_request(
    method: str, path: str, body: bytes = b"", content_type: str | None = None
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: board", "Connection: close"]
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}")
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def dechunked(body: bytes) -> list[bytes]:
    """The chunks of a chunked body."""
    chunks: list[bytes] = []
    while True:
        size, _, body = body.partition(b"\r\n")
        count = int(size, 16)
        if not count:
            return chunks
        chunks.append(body[:count])
        assert body[count : count + 2] == b"\r\n"
        body = body[count + 2 :]
