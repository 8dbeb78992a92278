"""HTTP/1.1 over connections whose reads are stamped by the kernel.

The protocol is h11's. httpx has no place for the stamps; between a read and the one who waits for
it there are a pool, locks and a second event library, which cost more than all that npulse makes of
a token; and it takes 3 MB. Only for ``http:`` addresses: what TLS reads cannot be stamped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import h11

from tui.core.kernel_clock import Arrival
from tui.servers.stamped_stream import StampedStream, connected
from tui.servers.transport import (
    ConnectError,
    ConnectTimeoutError,
    Limits,
    ProtocolError,
    SilenceError,
    TransportError,
)

MAX_HEAD_BYTES = 100 * 1024
IN_PATHS = "/%:@!$&'()*+,;="
"""What a path may hold beside letters, digits and ``_.-~`` (RFC 3986, section 3.3), and the sign of
what is escaped already."""

T = TypeVar("T")


class _NotTakenError(TransportError):
    """The server takes no more of the request."""


class StampedTransport:
    """Requests to the ``http:`` address ``url``; see :class:`tui.servers.transport.Transport`."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port or 80
        self._base = address.path
        self._headers = {"host": address.netloc, "connection": "keep-alive", **headers}

    @asynccontextmanager
    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        limits: Limits,
        on_sending: Callable[[], None],
    ) -> AsyncIterator[StampedResponse]:
        length = {} if body is None else {"content-length": str(len(body))}
        with _own_mistakes():
            head = h11.Request(
                method=method,
                target=quote(self._base + path, safe=IN_PATHS),
                headers=list({**self._headers, **headers, **length}.items()),
            )
        with _errors_as(ConnectTimeoutError, ConnectError):
            stream = await _within(limits.connect_s, connected(self._host, self._port))
        try:
            response = StampedResponse(stream, limits.silence_s)
            on_sending()
            await response.send(head, body or b"")
            await response.take_head()
            yield response
        finally:
            stream.close()

    async def aclose(self) -> None:
        """Nothing: a connection ends with its request."""


class StampedResponse:
    """One request and its response; see :class:`tui.servers.transport.Response`."""

    def __init__(self, stream: StampedStream, silence_s: float | None) -> None:
        self._stream = stream
        self._silence_s = silence_s
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        self.status_code = 0
        self.headers: Mapping[str, str] = {}

    @property
    def departure_ns(self) -> int | None:
        return self._stream.departure_ns

    @property
    def arrival(self) -> Arrival:
        return self._stream.arrival

    async def send(self, head: h11.Request, body: bytes) -> None:
        """Raises SilenceError."""
        try:
            for event in (head, *([h11.Data(data=body)] if body else ()), h11.EndOfMessage()):
                await self._write(event)
        except _NotTakenError:
            # A server may refuse a request before it has read all of it.
            pass

    async def take_head(self) -> None:
        """Wait for the head of the response. Raises TransportError."""
        while not isinstance(event := await self._event(), h11.Response):
            if isinstance(event, h11.InformationalResponse) and event.status_code == 101:
                raise ProtocolError("the server switched to another protocol")
        self.status_code = event.status_code
        headers: dict[str, str] = {}
        for raw_name, raw_value in event.headers:
            name, value = raw_name.decode("latin-1"), _text(raw_value)
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        self.headers = headers

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        while isinstance(event := await self._event(), h11.Data):
            yield bytes(event.data)

    async def _write(self, event: Any) -> None:
        with _own_mistakes():
            data = self._http.send(event)
        if data:
            with _errors_as(SilenceError, _NotTakenError):
                await _within(self._silence_s, self._stream.write(data))

    async def _event(self) -> object:
        http, stream, limit_s = self._http, self._stream, self._silence_s
        while True:
            try:
                event = http.next_event()
            except h11.RemoteProtocolError as error:
                raise ProtocolError(str(error)) from error
            if event is not h11.NEED_DATA:
                return event
            with _errors_as(SilenceError, TransportError):
                data = await _within(limit_s, stream.read())
            if not data and http.their_state == h11.SEND_RESPONSE:
                raise ProtocolError("Server disconnected without sending a response.")
            http.receive_data(data)


def _text(value: bytes) -> str:
    """A field's value: UTF-8, as servers write it, or what HTTP says that it is."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def _within(limit_s: float | None, work: Awaitable[T]) -> T:
    return await (work if limit_s is None else asyncio.wait_for(work, limit_s))


@contextmanager
def _own_mistakes() -> Iterator[None]:
    """What h11 does not send, as a header with a line break in it."""
    try:
        yield
    except h11.LocalProtocolError as error:
        raise TransportError(str(error)) from error


@contextmanager
def _errors_as(too_slow: type[TransportError], failed: type[TransportError]) -> Iterator[None]:
    """The socket's errors as the transport's."""
    try:
        yield
    except (TimeoutError, asyncio.TimeoutError) as error:
        raise too_slow(str(error) or "timed out") from error
    except OSError as error:
        raise failed(str(error)) from error
