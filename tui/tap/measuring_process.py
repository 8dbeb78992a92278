"""The measuring process of a tap: reads the forwarder's copies until the forwarder ends.

It ends when the forwarder's end of the socket pair is closed. So all forwarded requests are stored
even if the forwarder is killed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from threading import Event as Flag
from threading import Thread
from time import perf_counter_ns

from tui.core.text.sanitize import clean_line
from tui.history.request_records import ClientName, ClientRequest
from tui.servers.access import Access
from tui.servers.connection_state import Server
from tui.servers.locate import look
from tui.tap.client_names import ClientNames
from tui.tap.copy_ring import CopyReader
from tui.tap.delays import Delays
from tui.tap.exchange import Exchange
from tui.tap.observer import Observer
from tui.tap.request_store import RequestStore
from tui.tap.seen_server import SeenServer

PAUSE_S = 0.1
"""Seconds between two polls: one wake-up handles many chunks, which carry their own times."""
LIVE_S = 1.0
"""Seconds between two updates of running answers in the history."""
MAX_BATCH = 512
"""Copies handled before the clock is checked."""
LOOK_EVERY_S = 10.0
"""Seconds between two tries to recognise an unknown server."""


def seen(server: Server | None, url: str) -> SeenServer:
    """The server as it is known at the start; None if it was not recognised."""
    if server is None:
        return SeenServer(url)
    return SeenServer(url, server.dialect, server.name, server.version, server.is_simulated)


class TrafficReader:
    """Reads copies and stores requests. ``has_text``: with prompts and answers."""

    def __init__(
        self,
        reader: CopyReader,
        server: SeenServer,
        store: RequestStore,
        on_note: Callable[[str], None],
        *,
        has_text: bool = False,
    ) -> None:
        self._reader = reader
        self._store = store
        self._on_note = on_note
        self._has_text = has_text
        self.on_live: Callable[[list[ClientRequest]], None] = lambda running: None
        """Called once a second with the running requests."""
        self._has_noted_server = False
        self.n_over = 0
        self.observer = Observer(
            server, self._changed, ClientNames().name, on_unreachable=self._unreachable
        )

    @property
    def delays(self) -> Delays:
        return self.observer.delays

    def run(self) -> None:
        """Runs until the forwarder has ended."""
        live_s = time.monotonic() + LIVE_S
        is_open = has_more = True
        while is_open or has_more:
            if not has_more:
                is_open = self._reader.wait(PAUSE_S, LIVE_S)
            copies = self._reader.arrived(MAX_BATCH)
            has_more = len(copies) == MAX_BATCH
            for copy in copies:
                self.observer.take(copy)
            if time.monotonic() > live_s:
                live_s = time.monotonic() + LIVE_S
                self._live()
        self.observer.finish(perf_counter_ns())

    def _live(self) -> None:
        """Stores the progress of running answers."""
        running = self.observer.running
        for exchange in running:
            self._note(exchange)
        now_ns = perf_counter_ns()
        self.on_live([exchange.record(now_ns) for exchange in running])

    def _changed(self, exchange: Exchange) -> None:
        self._note(exchange)
        self.n_over += exchange.is_over

    def _note(self, exchange: Exchange) -> None:
        self._store.note(exchange, exchange.record(perf_counter_ns(), has_text=self._has_text))

    def _unreachable(self, client: ClientName, why: str) -> None:
        if not self._has_noted_server:
            self._on_note(
                f"{clean_line(self.observer.server.url)} accepts no connection ({why}): "
                "clients are refused until it does"
            )
        self._has_noted_server = True


class ServerRecogniser:
    """Tries to recognise the server in a thread, until it succeeds."""

    def __init__(self, server: SeenServer, access: Access) -> None:
        self._server = server
        self._access = access
        self._is_over = Flag()
        self._thread = Thread(target=self._run, name="npulse-tap-server", daemon=True)

    def start(self) -> None:
        if self._server.name is None:
            self._thread.start()

    def stop(self) -> None:
        self._is_over.set()

    def _run(self) -> None:
        while not self._is_over.wait(LOOK_EVERY_S):
            found = asyncio.run(look((self._server.url,), access=self._access)).server
            if found is not None:
                recognise(self._server, found)
                return


def recognise(seen_server: SeenServer, found: Server) -> None:
    """Copies the properties of the recognised server."""
    seen_server.dialect = found.dialect
    seen_server.version = found.version
    seen_server.is_simulated = found.is_simulated
    seen_server.name = found.name
