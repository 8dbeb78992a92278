"""Messages from the forwarder to the observer: copies of bytes, and connection events.

Each message is one packet of a Unix socket (SOCK_SEQPACKET): a header and the bytes. The sender
never waits: what the socket does not take is kept up to a limit, and beyond it a connection's
copies are dropped until there is room again, which is told by ``LOST``.
"""

from __future__ import annotations

import socket
import struct
from collections import deque
from dataclasses import dataclass
from enum import IntEnum

_HEADER = struct.Struct("=BBxxxxxxQQQ")
MAX_PAYLOAD = 1 << 16
MAX_BACKLOG_BYTES = 16 << 20
"""Bytes kept for a busy observer: a hundred answers of 100 kB."""
BUFFER_BYTES = 4 << 20


class Event(IntEnum):
    """What happened to a connection. ``UP`` is from the client to the server."""

    OPENED = 1
    """Payload: ``host port`` of the client."""
    UP = 2
    DOWN = 3
    UP_END = 4
    """The client sends no more."""
    DOWN_END = 5
    UP_BROKEN = 6
    """The connection to the client broke."""
    DOWN_BROKEN = 7
    CLOSED = 8
    LOST = 9
    """Copies of this connection were dropped from here on."""
    UNREACHABLE = 10
    """The server took no connection. Payload: why."""
    FLUSHED = 11
    """Bytes of the client that had to wait have all been handed on."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One message. Times are those of ``perf_counter_ns``.

    ``t_ns`` is when the bytes arrived, by the kernel's clock where ``is_kernel``; ``passed_ns``
    when they had been handed on, 0 where they had to wait for it.
    """

    event: Event
    connection: int
    t_ns: int
    passed_ns: int = 0
    is_kernel: bool = False
    payload: bytes = b""


def packed(copy: Copy) -> bytes:
    """A message as bytes."""
    head = _HEADER.pack(copy.event, copy.is_kernel, copy.connection, copy.t_ns, copy.passed_ns)
    return head + copy.payload


def unpacked(packet: bytes) -> Copy:
    """Parses a message. Raises ValueError where the bytes are not one."""
    try:
        event, is_kernel, connection, t_ns, passed_ns = _HEADER.unpack_from(packet)
        return Copy(
            Event(event), connection, t_ns, passed_ns, bool(is_kernel), packet[_HEADER.size :]
        )
    except struct.error as error:
        raise ValueError("no message of the tap") from error


def socket_pair(buffer_bytes: int = BUFFER_BYTES) -> tuple[socket.socket, socket.socket]:
    """(the sender's end, the reader's end); the first one never blocks."""
    sender, reader = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sender.setblocking(False)
    # As much as the system allows: 200 kB by default.
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)
    return sender, reader


class CopySender:
    """The forwarder's side. Never blocks, never raises."""

    def __init__(self, sock: socket.socket, max_backlog_bytes: int = MAX_BACKLOG_BYTES) -> None:
        self.sock = sock
        self._max_backlog_bytes = max_backlog_bytes
        self._backlog: deque[bytes] = deque()
        self._backlog_bytes = 0
        self._lost: set[int] = set()
        self.is_reader_gone = False

    @property
    def has_backlog(self) -> bool:
        """Whether :meth:`flush` should be called once the socket takes bytes."""
        return bool(self._backlog)

    def send(
        self,
        event: Event,
        connection: int,
        t_ns: int,
        passed_ns: int = 0,
        is_kernel: bool = False,
        payload: bytes | memoryview = b"",
    ) -> None:
        """Hands a message over, or keeps it, or drops it."""
        if self.is_reader_gone:
            return
        head = _HEADER.pack(event, is_kernel, connection, t_ns, passed_ns)
        if not self._backlog and connection not in self._lost:
            try:
                self.sock.send(b"".join((head, payload)))
                return
            except BlockingIOError:
                pass
            except OSError:
                self._reader_left()
                return
        self._keep(event, connection, t_ns, head, bytes(payload))

    def flush(self) -> None:
        """Hands over what was kept, as far as the socket takes it."""
        while self._backlog:
            try:
                self.sock.send(self._backlog[0])
            except BlockingIOError:
                return
            except OSError:
                self._reader_left()
                return
            self._backlog_bytes -= len(self._backlog.popleft())
        self._lost.clear()

    def _keep(self, event: Event, connection: int, t_ns: int, head: bytes, payload: bytes) -> None:
        is_data = event in (Event.UP, Event.DOWN)
        if is_data and connection in self._lost:
            return
        packet = head + payload
        if is_data and self._backlog_bytes + len(packet) > self._max_backlog_bytes:
            self._lost.add(connection)
            packet = _HEADER.pack(Event.LOST, False, connection, t_ns, 0)
        self._backlog.append(packet)
        self._backlog_bytes += len(packet)

    def _reader_left(self) -> None:
        self.is_reader_gone = True
        self._backlog.clear()
        self._lost.clear()


def receive(sock: socket.socket) -> Copy | None:
    """The next message; None once the forwarder has ended. Raises BlockingIOError where none has
    arrived yet.
    """
    packet = sock.recv(_HEADER.size + MAX_PAYLOAD)
    return unpacked(packet) if packet else None
