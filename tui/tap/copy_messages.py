"""Messages from the forwarder to the measuring process: copies of bytes, connection events."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Event(IntEnum):
    """An event of a connection. ``UP`` is from the client to the server, ``DOWN`` back."""

    OPENED = 1
    """Payload: ``host port`` of the client."""
    UP = 2
    DOWN = 3
    UP_END = 4
    """The client closed its direction (FIN)."""
    DOWN_END = 5
    UP_BROKEN = 6
    """The connection to the client broke."""
    DOWN_BROKEN = 7
    CLOSED = 8
    LOST = 9
    """Copies of this connection were dropped from here on."""
    UNREACHABLE = 10
    """The server accepted no connection. Payload: the reason."""
    FLUSHED = 11
    """All delayed bytes of the client have been forwarded."""


@dataclass(frozen=True, slots=True)
class CopyMessage:
    """One message. Times are in ``perf_counter_ns``.

    ``t_ns``: when the bytes arrived; ``is_kernel``: taken from the kernel's timestamp.
    ``passed_ns``: when they had been forwarded; 0 if the receiver did not take all of them at once.
    """

    event: Event
    connection: int
    t_ns: int
    passed_ns: int = 0
    is_kernel: bool = False
    payload: bytes = b""
