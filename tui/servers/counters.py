"""Requests the counters of a server."""

from __future__ import annotations

from contextlib import suppress

import httpx

from tui.core.screen.server_facts import ServerCounter
from tui.servers.client import Client, PhaseTimeouts
from tui.servers.connection_state import Server
from tui.servers.dialects.counters import ROUTES, parsed

TIMEOUTS = PhaseTimeouts(connect_s=1.0, query_s=1.0)


async def server_counters(server: Server) -> tuple[ServerCounter, ...]:
    """The server's present counters; empty where it has no such route, or does not answer at
    once.
    """
    routes = ROUTES.get(server.dialect.name, ())
    if not routes:
        return ()
    found: list[ServerCounter] = []
    async with Client(server.url, server.dialect, TIMEOUTS, server.access) as client:
        for route in routes:
            with suppress(httpx.HTTPError, OSError):
                found += parsed(route, await client.get(route.path))
    return tuple(found)
