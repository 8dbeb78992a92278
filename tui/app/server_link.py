"""The connection to the server, as it is reached from the app's thread.

The connection itself belongs to the network's loop, which runs in a thread of its own
(:mod:`tui.servers.loop`). HTTP is imported there, when the first paint is over; until then there is
no connection, and nothing that is asked of it has an effect.
"""

from __future__ import annotations

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

    def use(self, connection: Connection) -> None:
        """Use this connection from now on; it belongs to the loop."""
        self._connection = connection

    @property
    def state(self) -> ConnectionState:
        """The moment of the connection."""
        return ConnectionState() if self._connection is None else self._connection.state

    def submit(self, work: Callable[[Connection], Coroutine[Any, Any, object]]) -> None:
        """Run a coroutine of the connection in the loop."""
        if self._connection is not None:
            self.loop.submit(work(self._connection))

    def call(self, function: Callable[[Connection], object]) -> None:
        """Call a plain function of the connection in the loop."""
        if self._connection is not None:
            self.loop.call(function, self._connection)
