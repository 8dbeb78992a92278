"""A server over a raw socket that does exactly what a script says, bytes and pauses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Any

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
)
OPENAI_MODELS = {"object": "list", "data": [{"id": "scripted-1b-w8a8", "owned_by": "test"}]}


@dataclass
class Exchange:
    """One request and the way to answer it."""

    number: int
    body: dict[str, Any]
    writer: asyncio.StreamWriter
    sent_ns: list[int] = field(default_factory=list)
    """When each text was written."""
    begun_ns: int = field(default_factory=perf_counter_ns)
    """When its request had been read."""

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def chunk(self, data: bytes) -> None:
        """One HTTP chunk."""
        await self.raw(b"%x\r\n%s\r\n" % (len(data), data))

    async def event(self, value: object, end: bytes = b"\n\n") -> None:
        await self.chunk(b"data: " + json.dumps(value).encode() + end)

    async def text(self, text: str, kind: str = "content") -> None:
        self.sent_ns.append(perf_counter_ns())
        await self.event({"choices": [{"index": 0, "delta": {kind: text}}]})

    async def finish(self, usage: dict[str, int] | None = None, *, done: bool = True) -> None:
        last: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        await self.event(last)
        if usage is not None:
            await self.event({"choices": [], "usage": usage})
        if done:
            await self.chunk(b"data: [DONE]\n\n")
        await self.raw(b"0\r\n\r\n")

    @property
    def prompt(self) -> str:
        return str(self.body["messages"][-1]["content"])

    @property
    def max_tokens(self) -> int:
        return int(self.body["max_tokens"])


Script = Callable[[Exchange], Awaitable[None]]


@dataclass
class Scripted:
    """Where it listens and what it was asked."""

    url: str
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def asked(self) -> list[dict[str, Any]]:
        return [exchange.body for exchange in self.exchanges]


async def words(
    exchange: Exchange, count: int, gap_s: float = 0.02, *, prefill_s: float = 0.05
) -> None:
    """So many one-word tokens, evenly."""
    await exchange.raw(HEAD)
    await asyncio.sleep(prefill_s)
    for number in range(count):
        if number:
            await asyncio.sleep(gap_s)
        await exchange.text(f" w{number}")


async def plain(exchange: Exchange) -> None:
    """An honest answer that heeds its cap."""
    count = min(exchange.max_tokens, 12)
    await words(exchange, count)
    await exchange.finish()


@asynccontextmanager
async def scripted(
    script: Script, *, root: object = None, models: object = None
) -> AsyncIterator[Scripted]:
    """Runs a server whose chat answers come from ``script``.

    ``root`` is the JSON of ``GET /``: with RockchipLlama's it is taken for one.
    """
    tasks: set[asyncio.Task[None]] = set()
    state = Scripted("")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await _serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, path, _ = head.split(" ", 2)
        length = next(
            (
                int(line.split(":")[1])
                for line in head.split("\r\n")
                if line.lower().startswith("content-length")
            ),
            0,
        )
        data = await reader.readexactly(length)
        if method == "POST" and path.endswith("/chat/completions"):
            exchange = Exchange(len(state.exchanges) + 1, json.loads(data), writer)
            state.exchanges.append(exchange)
            await script(exchange)
            return
        answers = {"/v1/models": models or OPENAI_MODELS, "/": root}
        value = answers.get(path)
        status = "404 Not Found" if value is None else "200 OK"
        text = json.dumps(value if value is not None else {"detail": "Not Found"}).encode()
        writer.write(
            f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(text)}\r\nconnection: close\r\n\r\n".encode()
            + text
        )
        await writer.drain()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    state.url = f"http://127.0.0.1:{port}"
    try:
        yield state
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


ROCKCHIPLLAMA = {"name": "RockchipLlama API", "version": "0.1.0", "status": "running"}
