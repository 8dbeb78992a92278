"""The slot of a server, which answers one prompt at a time.

A server that does not notice a closed connection keeps its NPU busy with an answer that nobody
reads; until that run is over the place is taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

SlotStatus = Literal["free", "answering", "finishing"]


@dataclass(frozen=True, slots=True)
class SlotState:
    """``finishing``: stopped by the user, and the server runs on.

    ``since_ns`` is when this state began. ``n_discarded`` counts the pieces of text that arrived
    since the stop and were thrown away, ``heard_ns`` is when the last of them came, or else the
    stop.
    """

    status: SlotStatus = "free"
    n_discarded: int = 0
    since_ns: int | None = None
    heard_ns: int | None = None

    @property
    def is_free(self) -> bool:
        return self.status == "free"


class Slot:
    """Belongs to one event loop; ``state`` may be read from any thread."""

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self._state = SlotState()
        self._on_change = on_change
        self._free = asyncio.Event()
        self._free.set()
        self._close: Callable[[], None] | None = None
        self.model_lost_ns: int | None = None
        """When a connection was closed before its end at a server that loses its model by that;
        None once the server has noticed."""

    @property
    def state(self) -> SlotState:
        return self._state

    async def wait_until_free(self) -> None:
        """Returns when a new answer may begin."""
        await self._free.wait()

    def take(self, t_ns: int, close: Callable[[], None]) -> None:
        """An answer begins. ``close`` ends its connection, whatever the server does then.

        Raises RuntimeError where another one has the place: two streams never overlap.
        """
        if not self._state.is_free:
            raise RuntimeError(f"the server is still {self._state.status}")
        self._close = close
        self._free.clear()
        self._change(SlotState("answering", since_ns=t_ns))

    def finish(self, t_ns: int) -> None:
        """The user stopped the answer; the server goes on with it."""
        if self._state.status == "answering":
            self._change(SlotState("finishing", since_ns=t_ns, heard_ns=t_ns))

    def discard(self, n_chunks: int, t_ns: int) -> None:
        """Text that arrived after the stop, at ``t_ns``."""
        if n_chunks and self._state.status == "finishing":
            n_discarded = self._state.n_discarded + n_chunks
            self._change(replace(self._state, n_discarded=n_discarded, heard_ns=t_ns))

    def release(self) -> None:
        """The server is idle again, as far as we can know."""
        self._close = None
        if not self._state.is_free:
            self._change(SlotState())
        self._free.set()

    def abandon(self) -> None:
        """Do not wait for the rest of a stopped answer any more: something else shows that the
        server is idle. Does nothing while an answer is being read."""
        if self._state.status == "finishing" and self._close is not None:
            self._close()

    def _change(self, state: SlotState) -> None:
        self._state = state
        self._on_change()
