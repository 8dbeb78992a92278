"""Blocks all requests while a model is loaded.

The real server loads a model inside its event loop. Meanwhile it reads no request, answers no
health check and sends no token; new connections wait in the kernel's backlog. The simulator's loop
goes on, so that signals and deadlines work, and everything that uses a client's socket waits at
this gate.
"""

from __future__ import annotations

import asyncio


class LoadGate:
    """An open or shut gate for coroutines."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    @property
    def is_shut(self) -> bool:
        return not self._open.is_set()

    def shut(self) -> None:
        """Make every caller of :meth:`passed` wait from now on."""
        self._open.clear()

    def open(self) -> None:
        """Let the waiting callers continue."""
        self._open.set()

    async def passed(self) -> None:
        """Return once the gate is open. Checks again, as another waiter may have shut it."""
        while self.is_shut:
            await self._open.wait()
