"""HTTP/1.1 over connections whose reads are stamped by the kernel, as a transport of httpx.

The protocol is h11's. httpx's own transport has no place for the stamps, and between a read and
the one who waits for it there are a pool, locks and a second event library, which cost more than
all that npulse makes of a token. Only for ``http:`` addresses: what TLS reads cannot be stamped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Any, TypeVar, cast

import h11
import httpx

from tui.core.kernel_clock import Arrival
from tui.servers.stamped_stream import StampedStream, connected

MAX_HEAD_BYTES = 100 * 1024
STREAM = "network_stream"
"""What :func:`arrival_of` and :func:`departure_ns_of` find in a response's extensions."""
BODY = "npulse_body"
"""What :func:`pieces_of` finds there."""
SENDING = "http11.send_request_headers.started"
"""What httpx's ``trace`` is told before the first byte is written."""

T = TypeVar("T")


class StampedTransport(httpx.AsyncBaseTransport):
    """What :class:`httpx.AsyncHTTPTransport` is for ``http:``. Every request has a connection of
    its own: see :class:`tui.servers.client.Client`."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        limits: Mapping[str, float | None] = request.extensions.get("timeout", {})
        host, port = request.url.raw_host.decode("ascii"), request.url.port or 80
        with _errors_as(httpx.ConnectTimeout, httpx.ConnectError):
            stream = await _within(limits.get("connect"), connected(host, port))
        exchange = _Exchange(stream, limits)
        try:
            await exchange.send(request)
            head = await exchange.head()
        except BaseException:
            stream.close()
            raise
        return httpx.Response(
            status_code=head.status_code,
            headers=head.headers.raw_items(),
            stream=_Body(exchange),
            extensions={
                STREAM: stream,
                BODY: exchange,
                "http_version": b"HTTP/" + head.http_version,
                "reason_phrase": head.reason,
            },
        )


class _Exchange:
    """One request and its response."""

    def __init__(self, stream: StampedStream, limits: Mapping[str, float | None]) -> None:
        self.stream = stream
        self._limits = limits
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)

    async def send(self, request: httpx.Request) -> None:
        """Raises httpx.WriteTimeout and httpx.LocalProtocolError."""
        trace = request.extensions.get("trace")
        with _own_mistakes():
            head = h11.Request(
                method=request.method, target=request.url.raw_path, headers=request.headers.raw
            )
        if trace is not None:
            await trace(SENDING, {})
        try:
            await self._write(head)
            assert isinstance(request.stream, httpx.AsyncByteStream)
            async for part in request.stream:
                await self._write(h11.Data(data=part))
            await self._write(h11.EndOfMessage())
        except httpx.WriteError:
            # A server may refuse a request before it has read all of it.
            pass

    async def head(self) -> h11.Response:
        """Raises httpx.TransportError."""
        while True:
            event = await self._event()
            if isinstance(event, h11.Response):
                return event
            if isinstance(event, h11.InformationalResponse) and event.status_code == 101:
                raise httpx.RemoteProtocolError("the server switched to another protocol")

    async def body(self) -> AsyncGenerator[bytes, None]:
        """The pieces as they come. Raises httpx.TransportError."""
        while True:
            event = await self._event()
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            else:
                return

    async def _write(self, event: Any) -> None:
        with _own_mistakes():
            data = self._http.send(event)
        if data:
            with _errors_as(httpx.WriteTimeout, httpx.WriteError):
                await _within(self._limits.get("write"), self.stream.write(data))

    async def _event(self) -> object:
        http, stream, limit_s = self._http, self.stream, self._limits.get("read")
        while True:
            try:
                event = http.next_event()
            except h11.RemoteProtocolError as error:
                raise httpx.RemoteProtocolError(str(error)) from error
            if event is not h11.NEED_DATA:
                return event
            with _errors_as(httpx.ReadTimeout, httpx.ReadError):
                data = await _within(limit_s, stream.read())
            if not data and http.their_state == h11.SEND_RESPONSE:
                raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
            http.receive_data(data)


class _Body(httpx.AsyncByteStream):
    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._exchange.body()

    async def aclose(self) -> None:
        self._exchange.stream.close()


def pieces_of(
    response: httpx.Response, every_s: Callable[[], float] = lambda: 0.0
) -> AsyncGenerator[bytes, None]:
    """The pieces of a body as they come, once. Raises httpx.TransportError.

    ``every_s`` is how often somebody looks at them: pieces that come faster are given together,
    where they are stamped (see :meth:`StampedStream.gather`).

    What httpx makes of them on their way (:meth:`httpx.Response.aiter_raw`) takes longer than
    reading them.
    """
    exchange = response.extensions.get(BODY)
    if isinstance(exchange, _Exchange):
        exchange.stream.gather(every_s)
        return exchange.body()
    # Declared as an iterator, it is a generator, which has to be closed.
    return cast("AsyncGenerator[bytes, None]", response.aiter_raw())


def arrival_of(response: httpx.Response) -> Arrival:
    """When the bytes that were handed out last arrived; call it right after getting them."""
    stream = response.extensions.get(STREAM)
    if isinstance(stream, StampedStream):
        return stream.arrival
    return Arrival(perf_counter_ns(), is_kernel=False)


def has_more(response: httpx.Response) -> bool:
    """Whether more bytes were read together with those that were handed out last."""
    stream = response.extensions.get(STREAM)
    return isinstance(stream, StampedStream) and stream.has_waiting


def departure_ns_of(response: httpx.Response) -> int | None:
    """When the last byte of the request left; None where it is not known."""
    stream = response.extensions.get(STREAM)
    return stream.departure_ns if isinstance(stream, StampedStream) else None


async def _within(limit_s: float | None, work: Awaitable[T]) -> T:
    return await (work if limit_s is None else asyncio.wait_for(work, limit_s))


@contextmanager
def _own_mistakes() -> Iterator[None]:
    """What h11 does not send, as a header with a line break in it."""
    try:
        yield
    except h11.LocalProtocolError as error:
        raise httpx.LocalProtocolError(str(error)) from error


@contextmanager
def _errors_as(too_slow: type[Exception], failed: type[Exception]) -> Iterator[None]:
    """The socket's errors as httpx's."""
    try:
        yield
    except (TimeoutError, asyncio.TimeoutError) as error:
        raise too_slow(str(error) or "timed out") from error
    except OSError as error:
        raise failed(str(error)) from error
