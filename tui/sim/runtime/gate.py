"""Blocks all requests while a model is being loaded.

The real server loads a model inside its event loop. Until that is done it reads no request,
answers no health check and passes on no token; new connections wait in the kernel's backlog. Here
the loop goes on, so that signals and deadlines work, and everything that touches a client's socket
waits at this gate.
"""

from __future__ import annotations

import asyncio


class Gate:
    """Open or shut; who comes to it while it is shut waits."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    @property
    def is_shut(self) -> bool:
        return not self._open.is_set()

    def shut(self) -> None:
        """From now on everybody waits."""
        self._open.clear()

    def open(self) -> None:
        """Let everybody through."""
        self._open.set()

    async def passed(self) -> None:
        """Return once the gate is open; who was let through before may have shut it again."""
        while self.is_shut:
            await self._open.wait()
