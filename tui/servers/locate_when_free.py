"""Finding a server that is too busy to say what it is.

Rockchip's demo serves one connection at a time: while it answers somebody, even the list of its
models waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from time import perf_counter_ns

from tui.servers.access import Access
from tui.servers.address import is_explicit
from tui.servers.backoff import Backoff
from tui.servers.connection_state import Server
from tui.servers.detect import PROBE_TIMEOUTS
from tui.servers.locate import NoServerError, look, server_of

GUESSED_LIMIT_S = 60.0
"""What takes connections on a port that nobody named need not be a server."""


async def locate_when_free(
    urls: Sequence[str] | None,
    access: Access | None = None,
    *,
    remembered_url: str = "",
    must_be_certain: bool = False,
    limit_s: float,
    on_note: Callable[[str], None] = lambda _: None,
    on_wait: Callable[[str], None] = lambda _: None,
) -> Server:
    """:func:`tui.servers.locate.locate`, after waiting for a server that is there and does not
    answer.

    ``on_wait`` gets a clause before each pause. Raises NoServerError, at once where nothing is
    there, else after ``limit_s`` seconds; and ValueError for a bad address.
    """
    backoff = Backoff()
    limit_s = limit_s if is_explicit(urls) else min(limit_s, GUESSED_LIMIT_S)
    start_ns = perf_counter_ns()
    n_tries = 0
    while True:
        found = await look(urls, PROBE_TIMEOUTS, access, remembered_url)
        if found.server is not None:
            return server_of(found, on_note=on_note, must_be_certain=must_be_certain)
        left_s = limit_s - (perf_counter_ns() - start_ns) / 1e9
        if not found.is_busy or left_s <= 0:
            raise NoServerError(found.absence, is_busy=found.is_busy)
        n_tries += 1
        on_wait(found.absence.removesuffix("."))
        await asyncio.sleep(min(backoff.pause_s(n_tries), left_s))
