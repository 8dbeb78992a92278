"""Reads one client's bytes with the kernel's time of their arrival.

asyncio hands out no control messages, so its transport is told to read nothing, and the same
connection is read through a second descriptor; writing stays with the transport.
"""

from __future__ import annotations

import asyncio
import os
import socket
from time import perf_counter_ns

from tui.core.kernel_clock import ANCILLARY_BYTES, ArrivalClock, enable


class StampedReader:
    """Belongs to the running event loop; :meth:`close` gives the second descriptor back.

    The first read has to be the first step of a task that was made in the callback of the new
    connection: the transport begins to read in that turn of the loop, and is stopped in the next
    one before it has looked.
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
        """The next bytes, none at the end, and when they arrived. Raises OSError."""
        if not self._is_ours:
            if isinstance(self._transport, asyncio.ReadTransport):
                self._transport.pause_reading()
            self._is_ours = True
        while (arrived := self._taken(max_bytes)) is None:
            await self._ready()
        return arrived

    def _taken(self, max_bytes: int) -> tuple[bytes, int] | None:
        """What has arrived; None where nothing has."""
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
