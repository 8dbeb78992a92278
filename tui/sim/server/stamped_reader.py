"""Reads one client's bytes with the kernel's timestamps of their arrival.

asyncio gives no access to ancillary data, which has the timestamps. So its transport is paused for
reading, and the connection is read through a second descriptor. The transport still writes.
"""

from __future__ import annotations

import asyncio
import os
import socket
from time import perf_counter_ns

from tui.core.kernel_clock import ANCILLARY_BYTES, ArrivalClock, enable


class StampedReader:
    """Reads a connection in the running event loop. :meth:`close` closes the second descriptor.

    The first read must be the first step of a task created in the callback for the new connection:
    the transport starts to read in that iteration of the loop, and must be paused in the next one
    before it has read anything.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = writer.transport
        self._sock = socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno()))
        self._sock.setblocking(False)
        self._clock = ArrivalClock()
        self._has_stamps = enable(self._sock)
        self._is_ours = False

    async def read(self, max_bytes: int) -> tuple[bytes, int]:
        """The next bytes, empty at the end, and their monotonic time of arrival. Raises OSError."""
        if not self._is_ours:
            if isinstance(self._transport, asyncio.ReadTransport):
                self._transport.pause_reading()
            self._is_ours = True
        while (arrived := self._taken(max_bytes)) is None:
            await self._ready()
        return arrived

    def _taken(self, max_bytes: int) -> tuple[bytes, int] | None:
        """The bytes that have arrived; None if there are none."""
        try:
            if self._has_stamps:
                data, ancillary, _, _ = self._sock.recvmsg(max_bytes, ANCILLARY_BYTES)
                return data, self._clock.read(ancillary).t_ns
            return self._sock.recv(max_bytes), perf_counter_ns()
        except BlockingIOError:
            return None

    async def _ready(self) -> None:
        ready = self._loop.create_future()
        number = self._sock.fileno()
        self._loop.add_reader(number, _resolve, ready)
        try:
            await ready
        finally:
            self._loop.remove_reader(number)

    def close(self) -> None:
        self._sock.close()


def _resolve(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
