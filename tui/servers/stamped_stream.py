"""A TCP connection whose reads are stamped by the kernel (:mod:`tui.core.kernel_clock`)."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import deque
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

from tui.core.kernel_clock import (
    ANCILLARY_BYTES,
    Arrival,
    ArrivalClock,
    DepartureClock,
    enable,
    sent_realtime_ns,
)

READ_BYTES = 65_536
MAX_WAITING = 64
"""Pieces that are read ahead of whoever takes them; then the kernel keeps what comes."""


class StampedStream:
    """One connection of the running event loop.

    The loop watches it from the first :meth:`read` on, and reads as soon as something is there:
    that is one system call for a token, beside the one that waits for it.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.arrival = Arrival(0, is_kernel=False)
        """When the bytes came that :meth:`read` gave last."""
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._clock = ArrivalClock()
        self._has_stamps = enable(sock, has_departures=True)
        self._departure = DepartureClock()
        self._waiting: deque[tuple[bytes, Arrival]] = deque()
        self._is_watched = False
        self._is_over = False
        self._failure: OSError | None = None
        self._reader: asyncio.Future[None] | None = None
        self._every_s: Callable[[], float] = lambda: 0.0
        self._given_s = 0.0
        """When whoever reads was woken last."""
        self._gathering: asyncio.TimerHandle | None = None

    @property
    def has_waiting(self) -> bool:
        """Whether the next :meth:`read` gives at once what came together with the last."""
        return bool(self._waiting)

    @property
    def departure_ns(self) -> int | None:
        """When the last byte that was written left; None before that."""
        self._note_departure()  # a device may have told it late
        return self._departure.last_ns

    def gather(self, every_s: Callable[[], float]) -> None:
        """From now on, give pieces at most this often, several at once where they come faster:
        apart they cost three times as much. Each keeps its own stamp; the first one is given at
        once."""
        self._every_s, self._given_s = every_s, 0.0

    async def read(self) -> bytes:
        """What came next; empty at the end. Raises OSError."""
        while not self._waiting:
            if self._failure is not None:
                raise self._failure
            if self._is_over:
                return b""
            self._watch()
            self._reader = self._loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        data, self.arrival = self._waiting.popleft()
        return data

    async def write(self, data: bytes) -> None:
        """Write all of it. Raises OSError."""
        rest = memoryview(data)
        while rest:
            before_ns = perf_counter_ns()
            try:
                rest = rest[self._sock.send(rest) :]
            except BlockingIOError:
                self._note_departure()
                await self._writable()
                continue
            self._departure.wrote(before_ns)
            self._note_departure()

    def close(self) -> None:
        """Give the connection up; more than once is no harm."""
        self._unwatch()
        if self._gathering is not None:
            self._gathering.cancel()
        self._is_over = True
        self._sock.close()

    def _watch(self) -> None:
        if self._sock.fileno() < 0:
            raise OSError("the connection was closed")
        if not self._is_watched:
            self._loop.add_reader(self._sock, self._take)
            self._is_watched = True

    def _unwatch(self) -> None:
        if self._is_watched:
            self._loop.remove_reader(self._sock)
            self._is_watched = False

    def _take(self) -> None:
        """Called by the loop when there is something to read."""
        ancillary: list[Any] = []
        try:
            if self._has_stamps:
                data, ancillary, _, _ = self._sock.recvmsg(READ_BYTES, ANCILLARY_BYTES)
            else:
                data = self._sock.recv(READ_BYTES)
        except BlockingIOError:
            self._note_departure()  # which was what woke the loop
            return
        except OSError as error:
            self._failure = error
        else:
            self._waiting.append((data, self._clock.read(ancillary)))
            self._is_over = not data
        if self._is_over or self._failure is not None or len(self._waiting) >= MAX_WAITING:
            self._unwatch()
            self._give()
        elif self._gathering is None and self._reader is not None:
            due_s = self._given_s + self._every_s()
            if self._loop.time() >= due_s:
                self._give()
            else:
                self._gathering = self._loop.call_at(due_s, self._give)

    def _give(self) -> None:
        """Wake whoever reads."""
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        if self._reader is not None and not self._reader.done():
            self._given_s = self._loop.time()
            self._reader.set_result(None)

    def _note_departure(self) -> None:
        if self._has_stamps and self._sock.fileno() >= 0:
            self._departure.stamped(sent_realtime_ns(self._sock))

    async def _writable(self) -> None:
        ready = self._loop.create_future()
        self._loop.add_writer(self._sock, _resolve, ready)
        try:
            await ready
        finally:
            self._loop.remove_writer(self._sock)


async def connected(host: str, port: int) -> StampedStream:
    """A connection to the first of the host's addresses that takes one. Raises OSError."""
    loop = asyncio.get_running_loop()
    failure: OSError = OSError(f"no address of {host}")
    for family, kind, protocol, _, address in _given(host, port) or await loop.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return StampedStream(sock)
    raise failure


def _given(host: str, port: int) -> list[tuple[Any, ...]]:
    """What getaddrinfo gives for a plain address, without its thread and the tables of IDNA."""
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        return []
    if version == 4:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, port))]
    # A zone (fe80::1%eth0) is a number only getaddrinfo knows.
    return [] if "%" in host else [(socket.AF_INET6, socket.SOCK_STREAM, 0, "", (host, port, 0, 0))]


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
