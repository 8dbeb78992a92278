"""One client's connection: HTTP/1.1 with h11 on asyncio streams.

The bytes of a stream are made before they are due (:meth:`Connection.encode`), and only written at
their time. Nothing is sent or read while the gate is shut (:mod:`tui.sim.runtime.load_gate`).
:class:`HeadStyle` defines each server's response headers.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from email.utils import formatdate

import h11

from tui.sim.runtime.load_gate import LoadGate
from tui.sim.server.stamped_reader import StampedReader

READ_BYTES = 65536
MAX_BODY_BYTES = 8 << 20
JSON_TYPE = b"application/json"
HTML_TYPE = b"text/html; charset=utf-8"
TEXT_TYPE = b"text/plain; charset=utf-8"
STREAM_TYPE = b"text/event-stream; charset=utf-8"

Headers = list[tuple[bytes, bytes]]
DATE = b"@date"
"""Placeholder in a :class:`HeadStyle` for the present time."""
FRAMING = b"@framing"
"""Placeholder in a :class:`HeadStyle` for ``transfer-encoding: chunked`` of a stream."""


@dataclass(frozen=True, slots=True)
class HeadStyle:
    """The headers that a web server adds, in their order: before and after the response's own."""

    before: tuple[tuple[bytes, bytes], ...]
    after: tuple[tuple[bytes, bytes], ...] = ()
    has_capitals: bool = True
    """Whether reason phrases are in capitals: ``404 NOT FOUND``."""
    is_closing: bool = False
    """Whether the connection is closed after the response."""
    is_http_1_0: bool = False
    """With HTTP/1.0 a stream is not chunked; it ends with the connection."""

    def lines(self, headers: Headers) -> Headers:
        """All headers of a response, with placeholders replaced."""
        date = formatdate(usegmt=True).encode()
        ours = (b"x-npulse-simulated", b"1")
        framing = [(name, value) for name, value in headers if name.lower() == b"transfer-encoding"]
        others = [line for line in headers if line not in framing]
        lines: Headers = []
        for name, value in (*self.before, ours, *others, *self.after):
            if value == FRAMING:
                lines += framing
            else:
                lines.append((name, date if value == DATE else value))
        has_place = any(value == FRAMING for _, value in (*self.before, *self.after))
        return lines if has_place else [*lines, *framing]


UVICORN = HeadStyle(((b"date", DATE), (b"server", b"uvicorn")), has_capitals=False)


@dataclass(frozen=True, slots=True)
class Request:
    """A completely received request."""

    method: str
    path: str
    content_type: str | None
    body: bytes
    t_ns: int
    """Monotonic time at which its last byte arrived, or at which the gate opened if that is
    later."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response that is not streamed."""

    status: int
    body: bytes
    content_type: bytes = JSON_TYPE
    headers: tuple[tuple[bytes, bytes], ...] = ()


def json_bytes(value: object) -> bytes:
    """Compact JSON, not escaped to ASCII."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def json_response(value: object, status: int = 200) -> Response:
    """A response with a JSON body."""
    return Response(status, json_bytes(value))


class BadRequestError(Exception):
    """The client sent invalid HTTP, or a body of more than 8 MiB."""


class Connection:
    """One client's connection: reads requests, writes responses, and detects its end."""

    def __init__(
        self,
        writer: asyncio.StreamWriter,
        gate: LoadGate,
        style: HeadStyle = UVICORN,
    ) -> None:
        self.gone = asyncio.Event()
        """Set when the client has closed the connection."""
        self._reader = StampedReader(writer)
        self._writer = writer
        self._gate = gate
        self._style = style
        self._is_head_only = False
        self._h11 = h11.Connection(h11.SERVER)
        self._inbox: asyncio.Queue[tuple[bytes, int]] = asyncio.Queue(maxsize=256)
        self._held: list[bytes] = []
        self._pump = asyncio.create_task(self._receive())
        self._release: asyncio.Task[None] | None = None

    async def request(self) -> Request | None:
        """The next request; None if the connection ended. Raises BadRequestError."""
        head: h11.Request | None = None
        body = bytearray()
        t_ns = time.perf_counter_ns()
        while True:
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                raise BadRequestError from error
            if event is h11.NEED_DATA:
                if self._h11.they_are_waiting_for_100_continue:
                    self.write(self._send(h11.InformationalResponse(status_code=100, headers=[])))
                data, t_ns = await self._inbox.get()
                self._h11.receive_data(data)
            elif isinstance(event, h11.Request):
                head = event
                self._is_head_only = event.method == b"HEAD"
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_BODY_BYTES:
                    raise BadRequestError
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                if self._gate.is_shut:
                    await self._gate.passed()
                    t_ns = time.perf_counter_ns()
                return _request(head, bytes(body), t_ns)
            else:
                return None

    async def respond(self, response: Response) -> None:
        """Send a response that is not streamed."""
        await self._gate.passed()
        length = b"%d" % len(response.body)
        headers: Headers = [
            *response.headers,
            (b"content-length", length),
            (b"content-type", response.content_type),
        ]
        head = self._head(response.status, headers)
        body = b"" if self._is_head_only else response.body
        self.write(head + self.encode(body) + self.end_stream())
        await self._drain()

    async def refuse(self) -> None:
        """Answer an invalid request with status 400."""
        if self._h11.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = b"Invalid HTTP request received."
            await self.respond(Response(400, body, TEXT_TYPE, ((b"connection", b"close"),)))

    def stream_head(self, headers: Headers) -> bytes:
        """The bytes of a stream's response head. Call it before :meth:`encode`."""
        return self._head(200, [*headers, (b"transfer-encoding", b"chunked")])

    def encode(self, data: bytes) -> bytes:
        """The bytes of one HTTP chunk with this data."""
        return data if self._style.is_http_1_0 else self._send(h11.Data(data=data))

    def end_stream(self) -> bytes:
        """The bytes of a stream's last chunk."""
        return b"" if self._style.is_http_1_0 else self._send(h11.EndOfMessage())

    def write(self, data: bytes) -> None:
        """Send at once, or when the gate opens."""
        if self._held or self._gate.is_shut:
            self._held.append(data)
            if self._release is None:
                self._release = asyncio.create_task(self._write_held())
        elif not self._writer.transport.is_closing():
            self._writer.write(data)

    def next_cycle(self) -> bool:
        """Prepare for the next request; False if the connection has to be closed."""
        if self._style.is_closing or (self.gone.is_set() and self._inbox.empty()):
            return False
        if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
            return False
        self._h11.start_next_cycle()
        return True

    async def close(self) -> None:
        """Close the connection after sending what was written."""
        self._pump.cancel()
        self._reader.close()
        if self._release is not None:
            self._release.cancel()
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            pass

    async def _receive(self) -> None:
        try:
            while True:
                data, t_ns = await self._reader.read(READ_BYTES)
                if not data:
                    break
                await self._inbox.put((data, t_ns))
        except OSError:
            pass
        self.gone.set()
        await self._inbox.put((b"", 0))

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
        style = self._style
        reason = _REASONS.get(status, b"")
        lines = style.lines(headers)
        reason = reason.upper() if style.has_capitals else reason
        if style.is_http_1_0:  # h11 writes HTTP/1.1 only
            rest = [b"%s: %s" % line for line in lines if line[0] != b"transfer-encoding"]
            return b"\r\n".join([b"HTTP/1.0 %d %s" % (status, reason), *rest, b"", b""])
        head = self._send(h11.Response(status_code=status, headers=lines, reason=reason))
        # h11 writes the names that it sets itself with capitals, uvicorn does not.
        for name in (b"Transfer-Encoding", b"Connection"):
            head = head.replace(b"\r\n%s:" % name, b"\r\n%s:" % name.lower(), 1)
        return head

    def _send(self, event: h11.Event) -> bytes:
        return self._h11.send(event) or b""


_REASONS = {
    200: b"OK",
    202: b"Accepted",
    400: b"Bad Request",
    401: b"Unauthorized",
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
