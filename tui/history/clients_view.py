"""Record of the clients screen (F9), and the protocol that provides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tui.core.screen.server_facts import NPU_UNKNOWN, NpuWork, SeenConnection, ServerCounter
from tui.history.request_records import ClientRequest, ClientTotals


@dataclass(frozen=True, slots=True)
class ClientsView:
    """One moment. ``running`` and ``newest`` are requests that went through a tap of this user."""

    running: tuple[ClientRequest, ...] = ()
    """Oldest first: those that answer, then those that wait."""
    newest: tuple[ClientRequest, ...] = ()
    totals: tuple[ClientTotals, ...] = ()
    """Of the last day."""
    tap_pid: int | None = None
    """The process of a tap that runs; None where none does."""
    server: str = ""
    """Name and place of the server that the dashboard is connected to; empty without one."""
    connections: tuple[SeenConnection, ...] | None = None
    """To the port of that server; None where they cannot be seen: it is another machine's."""
    npu: NpuWork = NPU_UNKNOWN
    counters: tuple[ServerCounter, ...] = ()
    problem: str | None = None
    """Why the history cannot be read, in one sentence."""
    is_read: bool = True
    """Whether anything was looked at yet."""


class Clients(Protocol):
    """:mod:`tui.app.clients_watch` is the real one: a Protocol, for what draws reads no files."""

    def look(self) -> ClientsView:
        """Looks anew. May block for a moment: not in the app's thread."""
