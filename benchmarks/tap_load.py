"""Load for the tap: clients that read streams at the same time, and a server that sends them.

The simulated board answers one request at a time, but a forwarder has to be measured with several
too. So this is another small server: each stream has a schedule, and the sending time of each chunk
is recorded. Its arrival at the client is the kernel's timestamp.
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from threading import Event, Thread

from tui.core.kernel_clock import ANCILLARY_BYTES, ArrivalClock, enable

TIMEOUT_S = 60.0
SETTLE_S = 0.2
"""Pause in seconds before and after the chunks, so that work on heads and copies is not counted."""
_TOKEN = b'"content"'
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
    b"Connection: close\r\n\r\n"
)
_MODELS = b'{"object":"list","data":[{"id":"qwen3-4b","object":"model"}]}'


@dataclass(frozen=True, slots=True)
class Load:
    """``clients`` streams at once, each with ``chunks`` chunks at ``rate_tps``."""

    clients: int
    rate_tps: float
    chunks: int

    @property
    def scenario(self) -> str:
        """Name of the scenario: ``tap-200`` for one client, ``tap-10x20`` for ten."""
        several = "" if self.clients == 1 else f"{self.clients}x"
        return f"tap-{several}{self.rate_tps:g}"


class ChunkServer:
    """An OpenAI-compatible server on loopback that holds its answers back until :meth:`go`."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        self.begin(Load(1, 1, 0))
        Thread(target=self._accept, daemon=True).start()

    def begin(self, load: Load) -> None:
        """Sets the load for the next requests."""
        self._load = load
        self._go, self._finish = Event(), Event()
        self.sent_ns: list[list[int]] = []
        """Sending times of the chunks, for each stream."""

    def go(self) -> None:
        """Starts the streams."""
        self._go.set()

    def finish(self) -> None:
        """Ends the streams."""
        self._finish.set()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with closing(sock):
            try:
                if _request(sock).startswith(b"POST"):
                    self._stream(sock)
                else:
                    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    rest = b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(_MODELS)
                    sock.sendall(head + rest + _MODELS)
            except OSError:
                return

    def _stream(self, sock: socket.socket) -> None:
        load, go, finish = self._load, self._go, self._finish
        sent_ns: list[int] = []
        number = len(self.sent_ns)
        self.sent_ns.append(sent_ns)
        sock.sendall(_HEAD)
        go.wait(TIMEOUT_S)
        # Ten streams of 20 a second do not all send in the same moment.
        begin_s = time.perf_counter() + number / load.clients / load.rate_tps
        for index in range(load.chunks):
            chunk = _chunk(index)
            time.sleep(max(0.0, begin_s + index / load.rate_tps - time.perf_counter()))
            sent_ns.append(time.perf_counter_ns())
            sock.sendall(chunk)
        finish.wait(TIMEOUT_S)
        sock.sendall(b"0\r\n\r\n")


def _request(sock: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and (more := sock.recv(1 << 16)):
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            missing = int(line.split(b":")[1]) - len(body)
            while missing > 0 and (more := sock.recv(1 << 16)):
                missing -= len(more)
    return head


def _chunk(index: int) -> bytes:
    delta = {"index": 0, "delta": {"content": f" word{index % 100}"}, "finish_reason": None}
    event = {
        "id": "chatcmpl-0123456789",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "qwen3-4b",
        "choices": [delta],
    }
    data = b"data: %s\n\n" % json.dumps(event).encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


def lags_ms(
    server: ChunkServer,
    port: int,
    load: Load,
    on_begin: Callable[[], None] = lambda: None,
    on_end: Callable[[], None] = lambda: None,
) -> list[float]:
    """The delay of each chunk from the server to its client, which connects to ``port``.

    ``on_begin`` and ``on_end`` are called right before the first chunk and after the last.
    Raises RuntimeError if chunks are missing.
    """
    server.begin(load)
    arrived: list[list[int]] = []
    socks: list[socket.socket] = []
    for _ in range(load.clients):
        sock = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        enable(sock)
        sock.sendall(_post(port))
        # Its head is here before the next one connects: so streams and clients have one order.
        if not sock.recv(1 << 16).startswith(b"HTTP/1.1 200"):
            raise RuntimeError("no answer through the forwarder")
        socks.append(sock)
        arrived.append([])
    time.sleep(SETTLE_S)
    on_begin()
    server.go()
    _read(socks, arrived, load)
    time.sleep(SETTLE_S)
    on_end()
    server.finish()
    for sock in socks:
        while sock.recv(1 << 16):
            pass
        sock.close()
    return [
        (got - sent) / 1e6
        for stream, stamps in zip(server.sent_ns, arrived, strict=True)
        for sent, got in zip(stream, stamps, strict=True)
    ]


def _read(socks: list[socket.socket], arrived: list[list[int]], load: Load) -> None:
    clocks = [ArrivalClock() for _ in socks]
    poll = select.epoll()
    indices = {sock.fileno(): index for index, sock in enumerate(socks)}
    for number in indices:
        poll.register(number, select.EPOLLIN)
    missing = load.clients * load.chunks
    while missing > 0:
        events = poll.poll(TIMEOUT_S)
        for number, _ in events:
            index = indices[number]
            data, ancillary, _, _ = socks[index].recvmsg(1 << 16, ANCILLARY_BYTES)
            stamp = clocks[index].read(ancillary)
            arrived[index] += [stamp.t_ns] * data.count(_TOKEN)
            missing -= data.count(_TOKEN)
            if not data:
                raise RuntimeError("a stream ended early")
        if not events:
            raise RuntimeError("a stream stopped")
    poll.close()


def _post(port: int) -> bytes:
    message = {"role": "user", "content": "words"}
    body = json.dumps({"model": "qwen3-4b", "messages": [message], "stream": True}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
