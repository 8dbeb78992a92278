"""Clients of the server: recorded by a tap, or found without one."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tui.board.readers.connections import TcpConnection, client_side, clients_of, owner_of
from tui.board.readers.files import Files
from tui.board.runtime_log.blocks import RuntimeBlock
from tui.board.runtime_log.recent_answers import RecentAnswers
from tui.core.board.reading import Snapshot
from tui.core.screen.server_facts import (
    NPU_UNKNOWN,
    NpuWork,
    SeenConnection,
    ServerCounter,
    npu_work,
)
from tui.core.text import format as fmt
from tui.core.text.sanitize import clean_line
from tui.history.clients_view import ClientsView
from tui.history.published_clients import PUBLISHED, published, published_in
from tui.history.request_records import ClientRequest, ClientTotals
from tui.servers.address import local_port
from tui.servers.connection_state import Server

if TYPE_CHECKING:
    from tui.history.database import Connection

NEWEST = 200
DAY_MS = 86_400_000
COUNTERS_EVERY_S = 5.0
TOTALS_EVERY_S = 5.0
MAX_CONNECTIONS = 100
UNTOLD = (
    "The tap on the board does not publish its requests; one with --publish does, such as the "
    "service of npulse setup-service."
)
ReadFile = Callable[[str], bytes | None]
"""A path on the board -> what is in that file; None where it cannot be read."""
LOGGED = 3
"""Answers of the runtime's log."""


class ClientsWatch:
    """Looks when it is asked to, which is while the screen is open. ``file`` is the history; None
    where nothing is kept. ``service_file`` is what a tap publishes that is a service.
    ``elsewhere`` reads files of the board where that is another machine; ``words_there``
    names servers in a sentence by their places on the board."""

    def __init__(
        self,
        file: Callable[[], Path | None],
        server: Callable[[], Server | None],
        snapshot: Callable[[], Snapshot | None],
        root: Callable[[], Path | None],
        service_file: Path = PUBLISHED,
        elsewhere: Callable[[], ReadFile | None] = lambda: None,
        words_there: Callable[[str], str] = lambda sentence: sentence,
    ) -> None:
        self._words_there = words_there
        self._elsewhere = elsewhere
        self._published = service_file
        self._file = file
        self._server = server
        self._snapshot = snapshot
        self._root = root
        self._files: Files | None = None
        self._names: dict[tuple[str, int], tuple[str | None, int | None]] = {}
        self._counters: tuple[ServerCounter, ...] = ()
        self._counters_of = ""
        self._next_counters_s = 0.0
        self._over: dict[int, ClientRequest] = {}
        """What was read, newest first."""
        self._log: RecentAnswers | None = None
        self._totals: tuple[ClientTotals, ...] = ()
        self._next_totals_s = 0.0

    def look(self) -> ClientsView:
        """The present view. Called in a worker thread, one call at a time."""
        server = self._server()
        read = self._elsewhere()
        if read is not None:
            return self._look_elsewhere(read, server)
        running, newest, tap_pid, problem = self._requests()
        totals = self._totals
        told = published(self._published) if tap_pid is None else None
        if told is not None and told.is_alive:
            # A tap that runs as a service keeps its history to itself.
            running, newest, totals, tap_pid = told.running, told.newest, told.totals, told.pid
        return ClientsView(
            running=running,
            newest=newest,
            totals=totals,
            tap_pid=tap_pid,
            server="" if server is None else self._words_there(server.label),
            connections=self._connections(server),
            npu=self._npu(),
            counters=(*self._counters_now(server), *self._logged(server)),
            problem=problem,
        )

    def _look_elsewhere(self, read: ReadFile, server: Server | None) -> ClientsView:
        """On another machine: this one's taps, logs and connections have nothing to do with it."""
        snapshot = self._snapshot()
        state = None if snapshot is None else snapshot.get("tap.state")
        told, problem = None, None
        if state is not None and state.value is not None and state.source:
            data = read(str(Path(state.source).with_name(PUBLISHED.name)))
            told = None if data is None else published_in(data)
            problem = None if told is not None else UNTOLD
        return ClientsView(
            running=() if told is None else told.running,
            newest=() if told is None else told.newest,
            totals=() if told is None else told.totals,
            tap_pid=None if told is None else told.pid,
            server="" if server is None else self._words_there(server.label),
            npu=self._npu(),
            counters=self._counters_now(server),
            problem=problem,
        )

    # -- the history ---------------------------------------------------------------------------

    def _requests(
        self,
    ) -> tuple[tuple[ClientRequest, ...], tuple[ClientRequest, ...], int | None, str | None]:
        """(running, newest, process of a tap, problem)."""
        file = self._file()
        if file is None or not file.exists():
            return (), (), None, None
        from tui.history import client_requests
        from tui.history.database import reading_from
        from tui.history.failures import HistoryError

        try:
            with reading_from(file) as connection:
                if time.monotonic() > self._next_totals_s:
                    self._next_totals_s = time.monotonic() + TOTALS_EVERY_S
                    since_ms = time.time_ns() // 1_000_000 - DAY_MS
                    self._totals = tuple(client_requests.totals(connection, since_ms))
                return (
                    tuple(client_requests.running(connection)),
                    self._newest(connection),
                    client_requests.tap_pid(connection),
                    None,
                )
        except HistoryError as error:
            return (), (), None, str(error)

    def _newest(self, connection: Connection) -> tuple[ClientRequest, ...]:
        """Finished requests; only new ones are read."""
        from tui.history import client_requests

        ids = client_requests.newest_ids(connection, NEWEST)
        new = client_requests.with_ids(connection, [id for id in ids if id not in self._over])
        known = {**self._over, **{request.id: request for request in new}}
        self._over = {id: known[id] for id in ids if id in known}
        return tuple(self._over.values())

    # -- without a tap -------------------------------------------------------------------------

    def _connections(self, server: Server | None) -> tuple[SeenConnection, ...] | None:
        port = None if server is None else local_port(server.url)
        if port is None or server is None:
            return None
        files = self._files_of(server)
        rows = clients_of(files, port)[:MAX_CONNECTIONS]
        seen = tuple(self._seen(files, row) for row in rows)
        places = {row.remote for row in rows}
        self._names = {place: name for place, name in self._names.items() if place in places}
        return seen

    def _files_of(self, server: Server) -> Files:
        """Sockets of the simulated board are those of this machine, not of its tree."""
        root = Path("/") if server.is_simulated else self._root() or Path("/")
        if self._files is None or self._files.root != root:
            self._files = Files(root)
        return self._files

    def _seen(self, files: Files, row: TcpConnection) -> SeenConnection:
        host, port = row.remote
        if row.remote not in self._names:
            self._names[row.remote] = self._process(files, host, port)
        name, pid = self._names[row.remote]
        return SeenConnection(clean_line(host, 60), name, pid, is_own=pid == os.getpid())

    def _process(self, files: Files, host: str, port: int) -> tuple[str | None, int | None]:
        side = client_side(files, host, port)
        own = os.geteuid()
        if side is None or own not in (0, side.uid):
            return None, None
        known = [pid for _, pid in self._names.values() if pid is not None]
        owner = owner_of(files, side.inode, [os.getpid(), *known])
        return (None, None) if owner is None else (clean_line(owner.name, 40), owner.pid)

    def _logged(self, server: Server | None) -> list[ServerCounter]:
        """The last answers of whoever asked, as the runtime has logged them."""
        port = None if server is None else local_port(server.url)
        if port is None or server is None:
            return []
        if self._log is None or self._log.port != port:
            self._log = RecentAnswers(self._files_of(server), port)
        return [logged(block) for block in self._log.look(LOGGED)]

    def _npu(self) -> NpuWork:
        snapshot = self._snapshot()
        if snapshot is None:
            return NPU_UNKNOWN
        load = snapshot.get("npu.load")
        return npu_work(
            snapshot.numbers("npu.load"), load.source or "", snapshot.numbers("npu.activity")
        )

    def _counters_now(self, server: Server | None) -> tuple[ServerCounter, ...]:
        if server is None:
            return ()
        if server.url != self._counters_of:
            self._counters, self._counters_of, self._next_counters_s = (), server.url, 0.0
        if time.monotonic() > self._next_counters_s:
            from tui.servers.counters import server_counters

            self._counters = asyncio.run(server_counters(server))
            self._next_counters_s = time.monotonic() + COUNTERS_EVERY_S
        return self._counters


def logged(block: RuntimeBlock) -> ServerCounter:
    """An answer of the runtime's log in one line."""
    when = ""
    if block.time_s is not None:
        when = time.strftime(" of %H:%M:%S", time.localtime(block.time_s))
    rates = f"prefill {fmt.rate(block.prefill_tps)}, {fmt.rate(block.decode_tps)} tok/s"
    counts = f"{block.prefill_tokens} + {block.decode_tokens} tokens"
    return ServerCounter(f"answer{when}", f"{counts}, {rates}", "the runtime's log")
