"""An httpx transport whose reads are stamped by the kernel (:mod:`tui.core.kernel_clock`).

httpcore's network backend is its public seam for that; httpx has no parameter for it, so the pool
is built here. Only for ``http:`` addresses: what TLS reads cannot be stamped so.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Any, TypeVar

import httpcore
import httpx

from tui.core.kernel_clock import (
    ANCILLARY_BYTES,
    Arrival,
    ArrivalClock,
    DepartureClock,
    enable,
    sent_realtime_ns,
)

SocketOption = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)
ARRIVAL, DEPARTURE = "npulse_arrival", "npulse_departure_ns"
"""What :func:`arrival_of` and :func:`departure_ns_of` ask a stream for."""

T = TypeVar("T")


class StampedStream(httpcore.AsyncNetworkStream):
    """One TCP connection of the running event loop."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._clock = ArrivalClock()
        self._has_stamps = enable(sock, has_departures=True)
        self._departure = DepartureClock()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _errors_as(httpcore.ReadTimeout, httpcore.ReadError):
            return await _within(timeout, self._read(max_bytes))

    async def _read(self, max_bytes: int) -> bytes:
        while True:
            try:
                if self._has_stamps:
                    data, ancillary, _, _ = self._sock.recvmsg(max_bytes, ANCILLARY_BYTES)
                else:
                    data, ancillary = self._sock.recv(max_bytes), []
            except BlockingIOError:
                self._note_departure()
                await self._ready(self._loop.add_reader, self._loop.remove_reader)
                continue
            self._clock.read(ancillary)
            return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with _errors_as(httpcore.WriteTimeout, httpcore.WriteError):
            await _within(timeout, self._write(buffer))

    async def _write(self, buffer: bytes) -> None:
        rest = memoryview(buffer)
        while rest:
            before_ns = perf_counter_ns()
            try:
                rest = rest[self._sock.send(rest) :]
            except BlockingIOError:
                self._note_departure()
                await self._ready(self._loop.add_writer, self._loop.remove_writer)
                continue
            self._departure.wrote(before_ns)
            self._note_departure()

    def _note_departure(self) -> None:
        if self._has_stamps:
            self._departure.stamped(sent_realtime_ns(self._sock))

    async def _ready(self, add: Any, remove: Any) -> None:
        ready = self._loop.create_future()
        number = self._sock.fileno()
        if number < 0:
            raise OSError("the connection was closed")
        add(number, _resolve, ready)
        try:
            await ready
        finally:
            remove(number)

    async def aclose(self) -> None:
        self._sock.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("TLS goes through httpx's own transport")

    def get_extra_info(self, info: str) -> Any:
        if info == ARRIVAL:
            return self._clock.last
        if info == DEPARTURE:
            self._note_departure()  # a device may have told it late
            return self._departure.last_ns
        return self._sock if info == "socket" else None


class StampedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections that stamp what they read."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        with _errors_as(httpcore.ConnectTimeout, httpcore.ConnectError):
            return StampedStream(await _within(timeout, _connected(host, port)))

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _connected(host: str, port: int) -> socket.socket:
    """A socket to the first of the host's addresses that takes a connection. Raises OSError."""
    loop = asyncio.get_running_loop()
    failure: OSError = OSError(f"no address of {host}")
    for family, kind, protocol, _, address in await loop.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


class StampedTransport(httpx.AsyncBaseTransport):
    """What :class:`httpx.AsyncHTTPTransport` is for ``http:``, over :class:`StampedBackend`."""

    def __init__(self) -> None:
        # Every request has a connection of its own: see :class:`tui.servers.client.Client`.
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=None, max_keepalive_connections=0, network_backend=StampedBackend()
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        with _httpx_errors():
            response = await self._pool.handle_async_request(
                httpcore.Request(
                    method=request.method,
                    url=url,
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response.stream),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, parts: Any) -> None:
        self._parts: AsyncIterable[bytes] = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _httpx_errors():
            async for part in self._parts:
                yield part

    async def aclose(self) -> None:
        close = getattr(self._parts, "aclose", None)
        if close is not None:
            await close()


def arrival_of(response: httpx.Response) -> Arrival:
    """When the bytes that were handed out last arrived; call it right after getting them."""
    stream = response.extensions.get("network_stream")
    arrival = None if stream is None else stream.get_extra_info(ARRIVAL)
    return arrival if isinstance(arrival, Arrival) else Arrival(perf_counter_ns(), is_kernel=False)


def departure_ns_of(response: httpx.Response) -> int | None:
    """When the last byte of the request left; None where it is not known."""
    stream = response.extensions.get("network_stream")
    sent_ns = None if stream is None else stream.get_extra_info(DEPARTURE)
    return sent_ns if isinstance(sent_ns, int) else None


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def _within(timeout_s: float | None, work: Awaitable[T]) -> T:
    return await (work if timeout_s is None else asyncio.wait_for(work, timeout_s))


@contextmanager
def _errors_as(too_slow: type[Exception], failed: type[Exception]) -> Iterator[None]:
    """The socket's errors as httpcore's."""
    try:
        yield
    except (TimeoutError, asyncio.TimeoutError) as error:
        raise too_slow(str(error) or "timed out") from error
    except OSError as error:
        raise failed(str(error)) from error


@contextmanager
def _httpx_errors() -> Iterator[None]:
    """httpcore's errors as httpx's of the same name."""
    try:
        yield
    except Exception as error:
        kind = getattr(httpx, type(error).__name__, None)
        if type(error).__module__.partition(".")[0] == "httpcore" and kind is not None:
            raise kind(str(error)) from error
        raise
