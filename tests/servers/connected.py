"""A connection that looks for servers quickly, and the wait for what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from tests import waiting
from tui.servers.access import Access
from tui.servers.address import CandidateUrls
from tui.servers.client import PhaseTimeouts
from tui.servers.connection import Connection
from tui.servers.connection_state import ConnectionState
from tui.servers.remembered_servers import NOTHING_REMEMBERED, RememberedServers

QUICK = PhaseTimeouts(connect_s=1.0, query_s=0.4)


@asynccontextmanager
async def connected(
    *urls: str,
    is_explicit: bool = True,
    model: str = "",
    remembered: RememberedServers = NOTHING_REMEMBERED,
    others: Sequence[str] = (),
    access: Access | None = None,
) -> AsyncIterator[Connection]:
    """A connection that runs; ``is_explicit``: the addresses were named by somebody;
    ``others`` are offered beside them."""
    connection = Connection(
        urls if is_explicit else CandidateUrls(urls),
        QUICK,
        search_every_s=0.05,
        check_every_s=0.1,
        probe_timeouts=QUICK,
        model=model,
        remembered=remembered,
        other_urls=others,
        access=access,
    )
    running = asyncio.create_task(connection.run())
    try:
        yield connection
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def until(
    connection: Connection, condition: Callable[[ConnectionState], object]
) -> ConnectionState:
    """The state in which the condition holds."""
    await waiting.until(lambda: condition(connection.state), shown=lambda: connection.state)
    return connection.state
