"""Copies of bytes, and connection events: what the process that measures is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


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
