"""A server on a raw loopback socket that misbehaves exactly as told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import perf_counter_ns

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    t_ns: int

    @property
    def json(self) -> dict[str, object]:
        decoded = json.loads(self.body)
        assert isinstance(decoded, dict)
        return decoded


@dataclass
class Wire:
    """The open connection of one request, for a script to write to."""

    asked: Asked
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    sent_ns: list[int] = field(default_factory=list)

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> None:
        await self.raw(HEAD)

    async def part(self, data: bytes) -> None:
        """One piece of a chunked body."""
        await self.raw(b"%x\r\n%s\r\n" % (len(data), data))

    async def token(self, text: str) -> None:
        chunk = {"choices": [{"delta": {"content": text}, "finish_reason": None}], "usage": None}
        self.sent_ns.append(perf_counter_ns())
        await self.part(b"data: " + json.dumps(chunk).encode() + b"\n\n")

    async def finish(self) -> None:
        chunk = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
        await self.part(b"data: " + json.dumps(chunk).encode() + b"\n\n")

    async def done(self) -> None:
        """Finish chunk, end mark, and the end of the body."""
        await self.finish()
        await self.part(b"data: [DONE]\n\n")
        await self.raw(b"0\r\n\r\n")

    async def reply(
        self, status: int, body: bytes, content_type: str = "application/json", **headers: str
    ) -> None:
        extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\n{extra}"
        await self.raw(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)

    async def json(self, value: object, status: int = 200, **headers: str) -> None:
        await self.reply(status, json.dumps(value).encode(), **headers)

    async def until_closed(self) -> None:
        """Returns when the client has closed its side."""
        with suppress(ConnectionError):
            while await self.reader.read(4096):
                pass

    def reset(self) -> None:
        """Closes at once, without an orderly end."""
        self.writer.transport.abort()


Script = Callable[[Wire], Awaitable[None]]


@dataclass
class RawServer:
    """``asked`` holds every request, ``open_now`` how many connections are being served."""

    script: Script
    url: str = ""
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    open_now: int = 0
    most_open: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
            method, path, _ = first.split(" ")
            headers = {}
            for line in lines:
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            asked = Asked(method, path, headers, body, perf_counter_ns())
            self.asked.append(asked)
            self.open_now += 1
            self.most_open = max(self.most_open, self.open_now)
            try:
                await self.script(Wire(asked, reader, writer))
            finally:
                self.open_now -= 1
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            with suppress(ConnectionError):
                writer.close()


@asynccontextmanager
async def raw_server(script: Script, port: int = 0) -> AsyncIterator[RawServer]:
    """Serves ``script`` once per connection on a free port of the loopback."""
    served = RawServer(script)
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(served.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    served.port = server.sockets[0].getsockname()[1]
    served.url = f"http://127.0.0.1:{served.port}"
    try:
        yield served
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def free_port() -> int:
    """A port on which nothing listens."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
