"""Access to the server connection from the app's thread.

The connection itself belongs to the network's loop, which runs in a thread of its own
(:mod:`tui.servers.loop`). HTTP is imported there, when the first paint is over; until then there is
no connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from tui.servers.connection_state import ConnectionState
from tui.servers.loop import EventLoopThread

if TYPE_CHECKING:
    from tui.servers.connection import Connection


class ServerLink:
    """One connection and its loop. Methods return at once."""

    def __init__(self, loop: EventLoopThread) -> None:
        self.loop = loop
        self._connection: Connection | None = None
        self._is_there = asyncio.Event()

    def use(self, connection: Connection) -> None:
        """Use this connection from now on. Called in the loop, to which it belongs."""
        self._connection = connection
        self._is_there.set()

    @property
    def state(self) -> ConnectionState:
        """State of the connection."""
        return ConnectionState() if self._connection is None else self._connection.state

    def submit(self, work: Callable[[Connection], Coroutine[Any, Any, object]]) -> None:
        """Run a coroutine of the connection in the loop, as soon as there is one."""
        self.loop.submit(self._run(work))

    async def _run(self, work: Callable[[Connection], Coroutine[Any, Any, object]]) -> None:
        await self._is_there.wait()
        assert self._connection is not None
        await work(self._connection)

    def call(self, function: Callable[[Connection], object]) -> None:
        """Call a plain function of the connection in the loop; nothing where there is none yet."""
        if self._connection is not None:
            self.loop.call(function, self._connection)
