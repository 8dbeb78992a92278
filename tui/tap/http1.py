"""Incremental parser of HTTP/1 messages (RFC 9112) without a socket: heads, bodies, ends.

It also accepts what real clients and servers send against the RFC: bare line feeds, a missing
length, both kinds of framing at once. It never fails: at data that cannot be parsed it reports
:class:`Opaque` once and ignores the rest of that direction.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

MAX_HEAD_BYTES = 256 << 10
MAX_LINE_BYTES = 8 << 10
"""Limit for the line with a chunk's size and extensions."""


@dataclass(frozen=True, slots=True)
class RequestHead:
    """``headers``: lower-case names; of repeated headers the last value."""

    method: str
    target: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """As :class:`RequestHead`. Interim responses (1xx) are skipped."""

    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Body:
    """A piece of a body without chunk framing, still encoded by its ``content-encoding``."""

    data: bytes


@dataclass(frozen=True, slots=True)
class End:
    """The end of a message. ``is_cut``: the connection ended before it was complete."""

    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Opaque:
    """The rest of the connection is not parsed. ``reason`` is a noun phrase such as "HTTP/2"."""

    reason: str


HttpEvent = RequestHead | ResponseHead | Body | End | Opaque
_State = Literal["head", "length", "chunk size", "chunk", "chunk end", "trailer", "close", "opaque"]


class MessageReader:
    """One direction of one connection. Bytes in, events out; never raises."""

    def __init__(self, *, is_response: bool) -> None:
        self._is_response = is_response
        self._state: _State = "head"
        self._rest = bytearray()
        self._left = 0
        self._methods: deque[str] = deque()
        self._is_first = True

    def expect(self, method: str) -> None:
        """A request with this method was sent, so its response follows. For responses only."""
        self._methods.append(method)

    def expect_opaque(self) -> None:
        """From now on, bytes are ignored as they are not HTTP."""
        self._state = "opaque"
        self._rest.clear()

    @property
    def is_between(self) -> bool:
        """Whether the reader is between two messages."""
        return self._state == "opaque" or (self._state == "head" and not self._rest.strip())

    def feed(self, data: bytes) -> list[HttpEvent]:
        """Parses bytes; returns the completed events."""
        events: list[HttpEvent] = []
        if self._state == "opaque":
            return events
        self._rest += data
        while self._step(events):
            pass
        return events

    def close(self) -> list[HttpEvent]:
        """The connection's direction has ended; returns the last events."""
        if self._state == "close":
            self._state = "head"
            return [End()]
        if self.is_between:
            return []
        was_head = self._state == "head"
        self._state = "head"
        self._rest.clear()
        return [] if was_head else [End(is_cut=True)]

    def _step(self, events: list[HttpEvent]) -> bool:
        """One parsing step. False if more bytes are needed or parsing has stopped."""
        if self._state == "opaque":
            return False
        if self._state == "head":
            return self._head(events)
        if self._state in ("length", "chunk"):
            return self._counted(events)
        if self._state == "close":
            return self._until_close(events)
        return self._framing(events)

    # -- heads ---------------------------------------------------------------------------------

    def _head(self, events: list[HttpEvent]) -> bool:
        rest = self._rest
        while rest.startswith((b"\r", b"\n")):
            del rest[:1]
        if not rest:
            return False
        if self._is_first and not _may_be_http(rest, is_response=self._is_response):
            return self._give_up(events, _what_it_is(rest))
        end, size = _end_of_head(rest)
        if end < 0:
            if len(rest) > MAX_HEAD_BYTES:
                return self._give_up(events, "a head without an end")
            return False
        lines = bytes(rest[:end]).decode("latin-1").replace("\r\n", "\n").split("\n")
        del rest[: end + size]
        self._is_first = False
        headers = _headers(lines[1:])
        if self._is_response:
            return self._response(lines[0], headers, events)
        return self._request(lines[0], headers, events)

    def _request(self, line: str, headers: dict[str, str], events: list[HttpEvent]) -> bool:
        words = line.split()
        if len(words) != 3 or not words[2].upper().startswith("HTTP/"):
            return self._give_up(events, "no HTTP")
        if words[0] == "PRI":
            return self._give_up(events, "HTTP/2")
        events.append(RequestHead(words[0].upper(), words[1], headers))
        self._frame(headers, events, is_close_meant=False)
        return True

    def _response(self, line: str, headers: dict[str, str], events: list[HttpEvent]) -> bool:
        words = line.split(maxsplit=2)
        if len(words) < 2 or not words[0].upper().startswith("HTTP/") or not words[1].isdecimal():
            return self._give_up(events, "no HTTP")
        status = int(words[1][:3])
        if 100 <= status < 200 and status != 101:
            return True
        method = self._methods.popleft() if self._methods else ""
        events.append(ResponseHead(status, headers))
        if status == 101 or (method == "CONNECT" and 200 <= status < 300):
            self._give_up(events, headers.get("upgrade", "").lower() or "a tunnel")
            return False
        if method == "HEAD" or status in (204, 304):
            events.append(End())
            return True
        self._frame(headers, events, is_close_meant=True)
        return True

    def _frame(
        self, headers: Mapping[str, str], events: list[HttpEvent], *, is_close_meant: bool
    ) -> None:
        """Finds how the body is delimited (RFC 9112, section 6.3)."""
        length = headers.get("content-length", "").partition(",")[0].strip()
        if "chunked" in headers.get("transfer-encoding", "").lower():
            self._state = "chunk size"
        elif length.isdecimal() and len(length) < 19:
            self._left = int(length)
            self._state = "length"
            if not self._left:
                self._over(events)
        elif is_close_meant:
            self._state = "close"
        else:
            self._over(events)

    # -- bodies --------------------------------------------------------------------------------

    def _counted(self, events: list[HttpEvent]) -> bool:
        if not self._rest:
            return False
        data = bytes(self._rest[: self._left])
        del self._rest[: self._left]
        self._left -= len(data)
        events.append(Body(data))
        if not self._left:
            if self._state == "chunk":
                self._state = "chunk end"
            else:
                self._over(events)
        return True

    def _until_close(self, events: list[HttpEvent]) -> bool:
        if not self._rest:
            return False
        events.append(Body(bytes(self._rest)))
        self._rest.clear()
        return False

    def _framing(self, events: list[HttpEvent]) -> bool:
        """Parses a line of the chunked framing (RFC 9112, section 7.1)."""
        end = self._rest.find(b"\n")
        if end < 0:
            if len(self._rest) > MAX_LINE_BYTES:
                return self._give_up(events, "chunks without their sizes")
            return False
        line = bytes(self._rest[:end]).strip()
        del self._rest[: end + 1]
        if self._state == "chunk end":
            self._state = "chunk size"
            return True if not line else self._give_up(events, "chunks of another size")
        if self._state == "trailer":
            if not line:
                self._over(events)
            return True
        try:
            self._left = int(line.partition(b";")[0], 16)
        except ValueError:
            return self._give_up(events, "chunks without their sizes")
        if self._left < 0:
            return self._give_up(events, "chunks without their sizes")
        self._state = "chunk" if self._left else "trailer"
        return True

    def _over(self, events: list[HttpEvent]) -> None:
        self._state = "head"
        events.append(End())

    def _give_up(self, events: list[HttpEvent], reason: str) -> bool:
        events.append(Opaque(reason))
        self.expect_opaque()
        return False


def _end_of_head(data: bytearray) -> tuple[int, int]:
    """Offset and length of the blank line that ends a head; offset -1 without one."""
    strict, loose = data.find(b"\r\n\r\n"), data.find(b"\n\n")
    mixed = data.find(b"\n\r\n")
    found = [(at, size) for at, size in ((strict, 4), (loose, 2), (mixed, 3)) if at >= 0]
    return min(found, default=(-1, 0))


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon and name and not name[0].isspace():
            headers[name.strip().lower()] = value.strip()
    return headers


def _may_be_http(data: bytearray, *, is_response: bool) -> bool:
    """Whether a connection's first bytes can be HTTP/1."""
    if is_response:
        return b"HTTP/".startswith(bytes(data[:5]).upper()) or data[:5].upper() == b"HTTP/"
    word = bytes(data[:24]).split(b" ")[0]
    return word.replace(b"-", b"").isalpha() and word.isascii()


def _what_it_is(data: bytearray) -> str:
    return "TLS" if data.startswith(b"\x16") and data[1:2] != b"\x16" else "no HTTP"
