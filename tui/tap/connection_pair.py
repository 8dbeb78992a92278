"""A client's connection and the connection to the server that belongs to it."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress

from tui.core.kernel_clock import enable
from tui.tap.copy_messages import Event
from tui.tap.copy_ring import tag_of

_ABORT = struct.pack("ii", 1, 0)
"""``SO_LINGER`` that makes a close send RST."""

Address = tuple[socket.AddressFamily, tuple[object, ...]]
"""(family, address for ``connect`` and ``bind``)."""


class Side:
    """One of the two sockets of a connection."""

    __slots__ = ("event", "is_over", "is_shut", "mask", "other", "pair", "pending", "receive",
                 "send", "sock", "tag", "waiting_tag")  # fmt: skip

    def __init__(self, sock: socket.socket, pair: ConnectionPair, event: Event) -> None:
        self.sock = sock
        self.pair = pair
        self.event = event
        """``UP`` or ``DOWN``: the direction of the bytes read from this socket."""
        self.tag = tag_of(event, pair.id, is_passed=True)
        self.waiting_tag = tag_of(event, pair.id, is_passed=False)
        """Tag of bytes that the other side did not take at once."""
        self.receive, self.send = sock.recvmsg_into, sock.send
        self.other: Side | None = None
        enable(sock)
        self.pending = b""
        """Bytes that have to be written to this socket before the other side is read again."""
        self.mask = 0
        self.is_over = False
        """Whether FIN was received from it."""
        self.is_shut = False
        """Whether FIN was sent to it."""


class ConnectionPair:
    """A client's connection and the one to the server."""

    __slots__ = ("addresses", "client", "id", "is_connected", "is_open", "server")

    def __init__(self, id: int, addresses: list[Address]) -> None:
        self.id = id
        self.addresses = addresses
        """Addresses of the server that were not tried yet."""
        self.client: Side | None = None
        self.server: Side | None = None
        self.is_connected = False
        self.is_open = True


def prepare(sock: socket.socket) -> None:
    """Sets the options of every socket of a pair."""
    sock.setblocking(False)
    with suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A client without power sends no FIN; its connection is closed by failed keep-alives.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def reset_at_close(sock: socket.socket) -> None:
    """Makes the next close send RST, so that the other end sees an error."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
