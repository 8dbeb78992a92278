"""One client's connection: HTTP/1.1 with h11 on asyncio streams, answering like uvicorn.

Bytes of a stream are made before they are due (:meth:`Connection.encode`) and then only written.
Nothing passes while the server is frozen: see :mod:`tui.sim.runtime.gate`.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from email.utils import formatdate

import h11

from tui.sim.runtime.gate import Gate

READ_BYTES = 65536
MAX_BODY_BYTES = 8 << 20
JSON_TYPE = b"application/json"
HTML_TYPE = b"text/html; charset=utf-8"
TEXT_TYPE = b"text/plain; charset=utf-8"
STREAM_TYPE = b"text/event-stream; charset=utf-8"

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Request:
    """A request that has arrived whole."""

    method: str
    path: str
    content_type: str | None
    body: bytes
    t_ns: int


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response."""

    status: int
    body: bytes
    content_type: bytes = JSON_TYPE
    headers: tuple[tuple[bytes, bytes], ...] = ()


def json_bytes(value: object) -> bytes:
    """JSON as the server writes it: compact, raw UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def json_response(value: object, status: int = 200) -> Response:
    """A response with a JSON body."""
    return Response(status, json_bytes(value))


class BadRequestError(Exception):
    """What the client sent is not HTTP."""


class Connection:
    """Requests in, responses out, and whether the client is still there."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: Gate
    ) -> None:
        self.gone = asyncio.Event()
        """Set when the client has closed its side, as a server sees a disconnect."""
        self._reader = reader
        self._writer = writer
        self._gate = gate
        self._h11 = h11.Connection(h11.SERVER)
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue(maxsize=256)
        self._held: list[bytes] = []
        self._pump = asyncio.create_task(self._receive())
        self._release: asyncio.Task[None] | None = None

    async def request(self) -> Request | None:
        """The next request; None when there will be none. Raises BadRequestError."""
        head: h11.Request | None = None
        body = bytearray()
        while True:
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                raise BadRequestError from error
            if event is h11.NEED_DATA:
                if self._h11.they_are_waiting_for_100_continue:
                    self.write(self._send(h11.InformationalResponse(status_code=100, headers=[])))
                self._h11.receive_data(await self._inbox.get())
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_BODY_BYTES:
                    raise BadRequestError
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                await self._gate.passed()
                return _request(head, bytes(body), time.perf_counter_ns())
            else:
                return None

    async def respond(self, response: Response) -> None:
        """Send a whole response."""
        await self._gate.passed()
        length = b"%d" % len(response.body)
        headers: Headers = [
            *response.headers,
            (b"content-length", length),
            (b"content-type", response.content_type),
        ]
        self.write(
            self._head(response.status, headers)
            + self._send(h11.Data(data=response.body))
            + self._send(h11.EndOfMessage())
        )
        await self._drain()

    async def refuse(self) -> None:
        """Answer what is not HTTP."""
        if self._h11.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = b"Invalid HTTP request received."
            await self.respond(Response(400, body, TEXT_TYPE, ((b"connection", b"close"),)))

    def open_stream(self) -> None:
        """Send the head of a stream of events."""
        headers: Headers = [(b"content-type", STREAM_TYPE), (b"transfer-encoding", b"chunked")]
        self.write(self._head(200, headers))

    def encode(self, data: bytes) -> bytes:
        """The bytes on the wire of one piece of a stream: one HTTP chunk."""
        return self._send(h11.Data(data=data))

    def end_stream(self) -> bytes:
        """The bytes that end a stream."""
        return self._send(h11.EndOfMessage())

    def write(self, data: bytes) -> None:
        """Send at once, or when the server is no longer frozen."""
        if self._held or self._gate.is_shut:
            self._held.append(data)
            if self._release is None:
                self._release = asyncio.create_task(self._write_held())
        elif not self._writer.transport.is_closing():
            self._writer.write(data)

    def next_cycle(self) -> bool:
        """Get ready for the next request; False when the connection ends here."""
        if self.gone.is_set() and self._inbox.empty():
            return False
        if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
            return False
        self._h11.start_next_cycle()
        return True

    async def close(self) -> None:
        """End the connection; what was written still goes out."""
        self._pump.cancel()
        if self._release is not None:
            self._release.cancel()
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            pass

    async def _receive(self) -> None:
        try:
            while data := await self._reader.read(READ_BYTES):
                await self._inbox.put(data)
        except OSError:
            pass
        self.gone.set()
        await self._inbox.put(b"")

    async def _write_held(self) -> None:
        await self._gate.passed()
        held, self._held, self._release = self._held, [], None
        self.write(b"".join(held))

    async def _drain(self) -> None:
        try:
            await self._writer.drain()
        except OSError:
            pass

    def _head(self, status: int, headers: Headers) -> bytes:
        common: Headers = [
            (b"date", formatdate(usegmt=True).encode()),
            (b"server", b"uvicorn"),
            (b"x-npulse-simulated", b"1"),
        ]
        reason = _REASONS.get(status, b"")
        response = h11.Response(status_code=status, headers=common + headers, reason=reason)
        # h11 writes the names that it sets itself with capitals, uvicorn does not.
        head = self._send(response)
        for name in (b"Transfer-Encoding", b"Connection"):
            head = head.replace(b"\r\n%s:" % name, b"\r\n%s:" % name.lower(), 1)
        return head

    def _send(self, event: h11.Event) -> bytes:
        return self._h11.send(event) or b""


_REASONS = {
    200: b"OK",
    400: b"Bad Request",
    404: b"Not Found",
    405: b"Method Not Allowed",
    422: b"Unprocessable Entity",
    500: b"Internal Server Error",
    503: b"Service Unavailable",
}


def _request(head: h11.Request, body: bytes, t_ns: int) -> Request:
    content_type = next((v for k, v in head.headers if k == b"content-type"), None)
    return Request(
        method=head.method.decode("ascii", "replace"),
        path=head.target.partition(b"?")[0].decode("latin-1"),
        content_type=content_type.decode("latin-1") if content_type is not None else None,
        body=body,
        t_ns=t_ns,
    )
