"""Taps for tests: a forwarder in a thread of this process, or ``npulse tap`` as a process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from tests.app.npulse import environment
from tests.waiting import wait_until
from tui.history import client_requests
from tui.history.database import reading_from
from tui.history.failures import HistoryError
from tui.history.request_records import ClientRequest
from tui.tap.copy_messages import CopyMessage
from tui.tap.copy_ring import RING_BYTES, CopyReader, CopyRing, CopyWriter
from tui.tap.forwarder import Forwarder

CHAT = "/v1/chat/completions"


@dataclass
class Forwarding:
    """A forwarder to ``server``, a listening socket that the test accepts from."""

    server: socket.socket
    port: int
    forwarder: Forwarder
    reader: CopyReader
    notes: list[str] = field(default_factory=list)

    def connect(self) -> tuple[socket.socket, socket.socket]:
        """A client's socket and the one that the server got for it."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        served, _ = self.server.accept()
        served.settimeout(60)
        return client, served

    def copies(self) -> list[CopyMessage]:
        """What the observer would have got so far."""
        found: list[CopyMessage] = []
        while copies := self.reader.arrived(1000):
            found += copies
        return found


@contextmanager
def forwarding(
    target: tuple[str, int] | None = None, ring_bytes: int = RING_BYTES
) -> Iterator[Forwarding]:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=2048) as server,
        socket.create_server(("127.0.0.1", 0), backlog=2048) as listener,
    ):
        server.settimeout(60)
        ring = CopyRing(ring_bytes)
        writer, reader = CopyWriter(ring), CopyReader(ring)
        notes: list[str] = []
        forwarder = Forwarder(
            [listener],
            [(socket.AF_INET, target or server.getsockname())],
            writer,
            notes.append,
        )
        port = listener.getsockname()[1]
        thread = Thread(target=forwarder.run)
        thread.start()
        try:
            yield Forwarding(server, port, forwarder, reader, notes)
        finally:
            forwarder.stop()
            thread.join(60)
            writer.close()
            reader.close()
            assert not thread.is_alive()


def read_all(sock: socket.socket) -> bytes:
    """Until the end of the stream, in good order or not."""
    found = bytearray()
    with suppress(ConnectionError):
        while data := sock.recv(1 << 16):
            found += data
    return bytes(found)


class Tap:
    """``npulse tap`` in a home of its own."""

    def __init__(self, home: Path, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.port = int(url.rpartition(":")[2])
        self.history = home / "data" / "npulse" / "history" / "history.db"

    def requests(self) -> list[ClientRequest]:
        """What is in the history, oldest first, running ones included."""
        if not self.history.exists():
            return []
        with suppress(HistoryError), reading_from(self.history) as connection:
            return client_requests.after(connection, 0)
        return []  # it is being made

    def over(self, count: int) -> list[ClientRequest]:
        """Waits until so many are over."""

        def are_there() -> bool:
            return sum(request.is_over for request in self.requests()) >= count

        wait_until(are_there, shown=self.requests)
        return [request for request in self.requests() if request.is_over]

    def end(self, number: int = signal.SIGTERM) -> tuple[int, list[Any], str]:
        """(exit code, JSON lines of stdout, stderr) after this signal."""
        self.process.send_signal(number)
        said, noted = self.process.communicate(timeout=60)
        lines = [json.loads(line) for line in said.splitlines()]
        return self.process.returncode, lines, noted


def start(home: Path, to: str, *arguments: str) -> subprocess.Popen[str]:
    variables = {k: v for k, v in environment(home).items() if v is not None}
    return subprocess.Popen(
        [sys.executable, "-m", "tui", "tap", "--to", to, "--listen", "127.0.0.1:0", *arguments],
        env={**os.environ, **variables},
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def tap(home: Path, to: str, *arguments: str) -> Iterator[Tap]:
    process = start(home, to, "--json", *arguments)
    assert process.stderr is not None
    said: list[str] = []
    try:
        while "listening on" not in "".join(said[-1:]):
            line = process.stderr.readline()
            assert line, said
            said.append(line)
        yield Tap(home, process, said[-1].split("listening on ")[1].split(",")[0])
    finally:
        if process.poll() is None:
            process.kill()
        with suppress(ValueError):
            process.communicate(timeout=60)


def curl(url: str, *arguments: str, timeout_s: float = 20) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["curl", "-sN", "--noproxy", "*", *arguments, url],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def question(prompt: str, **more: object) -> str:
    message = {"role": "user", "content": prompt}
    usage = {"stream_options": {"include_usage": True}}
    asked = {"model": "qwen3-4b", "messages": [message], "stream": True, **usage, **more}
    return json.dumps(asked)


def post(url: str, body: str, *arguments: str) -> Sequence[str]:
    """The arguments of curl for a request with this body."""
    return ("-H", "content-type: application/json", "-d", body, *arguments, url)
