"""A client's connection, and the one to the server that it is forwarded by."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress

from tui.core.kernel_clock import enable
from tui.tap.copies import Event
from tui.tap.copy_ring import tag_of

_ABORT = struct.pack("ii", 1, 0)
"""``SO_LINGER`` that makes a close send RST."""

Address = tuple[socket.AddressFamily, tuple[object, ...]]
"""A family and what ``connect`` takes."""


class Side:
    """One of the two sockets of a connection."""

    __slots__ = ("event", "is_over", "is_shut", "mask", "other", "pair", "pending", "receive",
                 "send", "sock", "tag", "waiting_tag")  # fmt: skip

    def __init__(self, sock: socket.socket, pair: Pair, event: Event) -> None:
        self.sock = sock
        self.pair = pair
        self.event = event
        """Of the bytes that are read here."""
        self.tag = tag_of(event, pair.id, is_passed=True)
        self.waiting_tag = tag_of(event, pair.id, is_passed=False)
        """Of bytes that the other side did not take at once."""
        self.receive, self.send = sock.recvmsg_into, sock.send
        self.other: Side | None = None
        enable(sock)
        self.pending = b""
        """What has to be written here before more is read from the other side."""
        self.mask = 0
        self.is_over = False
        """It sends no more."""
        self.is_shut = False
        """It was told that no more comes."""


class Pair:
    """A client's connection and the one to the server."""

    __slots__ = ("addresses", "client", "id", "is_connected", "is_open", "server")

    def __init__(self, id: int, addresses: list[Address]) -> None:
        self.id = id
        self.addresses = addresses
        """Of the server, which were not tried yet."""
        self.client: Side | None = None
        self.server: Side | None = None
        self.is_connected = False
        self.is_open = True


def prepare(sock: socket.socket) -> None:
    """Options of every socket of a pair."""
    sock.setblocking(False)
    with suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A client that was switched off says nothing: its connection must not stay for ever.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def reset_at_close(sock: socket.socket) -> None:
    """Closing it sends RST: the other end is not told that all went well."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
