"""All boards of the config: each is read over ssh in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tui.core.board.reading import Snapshot
from tui.core.screen.fleet import BoardRow, by_what_is_wrong
from tui.core.screen.server_facts import NpuPhase, npu_work
from tui.core.text import format as fmt
from tui.core.text.sanitize import clean_line
from tui.core.types import ModelInfo, NumberSource
from tui.remote.address import BoardAddress
from tui.remote.board import RemoteBoard, RemoteLink
from tui.remote.ssh import SYSTEM_SSH, SshError, SshOptions
from tui.servers.access import Access
from tui.servers.address import CandidateUrls
from tui.servers.client import PhaseTimeouts
from tui.servers.connection_state import Server
from tui.servers.counters import server_counters
from tui.servers.dialects.counters import ROUTES
from tui.servers.locate import look
from tui.servers.survey import shown_servers, survey

SERVER_EVERY_S = 30.0
"""Interval of detecting a board's server and model."""
COUNTERS_EVERY_S = 10.0
"""Interval of reading a server's counters, and of searching a server that does not answer."""
TIMEOUTS = PhaseTimeouts(query_s=5.0)
MAX_CHARS = 160
RATE, RUNNING, WAITING = "tok/s, average", "requests answered now", "requests that wait"
"""Labels of a server's counters for its present state."""
TAP_PHASES: dict[str, NpuPhase] = {
    "prefill": "prefill",
    "thinking": "decode",
    "answering": "decode",
}


@dataclass(frozen=True, slots=True)
class _Served:
    """Last state of a board's server."""

    server: str = ""
    model: str = ""
    is_busy: bool = False
    rate: str = ""
    queue: int | None = None
    problem: str = ""
    found: Server | None = None


class Fleet:
    """Reads the boards from :meth:`start` to :meth:`close`. ``ports`` are tried on a board without
    a server URL in the config."""

    def __init__(
        self,
        boards: Sequence[BoardAddress],
        ports: Sequence[int],
        options: SshOptions = SYSTEM_SSH,
        *,
        interval_s: float = 1.0,
    ) -> None:
        self._interval_s = interval_s
        self._watched = [
            _WatchedBoard(RemoteBoard(one, options, interval_s=interval_s), tuple(ports))
            for one in boards
        ]
        self._is_over = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start reading. Logins need keys, as no password can be typed."""
        for number, watched in enumerate(self._watched):
            thread = threading.Thread(
                # Start the threads at different times, so that many boards do not cause load peaks.
                target=watched.run,
                args=(self._is_over, self._interval_s, number / max(len(self._watched), 1)),
                name=f"npulse-board-{watched.name}",
                daemon=True,
            )
            thread.start()
            self._threads.append(thread)

    def rows(self) -> tuple[BoardRow, ...]:
        """The boards' present rows, those with problems first. May be called from any thread."""
        return by_what_is_wrong(watched.row for watched in self._watched)

    def close(self) -> None:
        """End all connections."""
        self._is_over.set()
        for watched in self._watched:
            watched.close()
        for thread in self._threads:
            thread.join(2)


class _WatchedBoard:
    """One board. Its thread sets ``row``, which any thread may read."""

    def __init__(self, board: RemoteBoard, ports: Sequence[int]) -> None:
        self._board = board
        self._ports = ports
        self._served = _Served()
        self._urls: tuple[str, ...] = ()
        self._server_due_s = self._look_due_s = 0.0
        self.name = board.address.name
        self.row = BoardRow(self.name, board.address.shown)

    def run(self, is_over: threading.Event, interval_s: float, offset: float) -> None:
        """Read the board until ``is_over`` is set."""
        due_s = time.monotonic() + offset * interval_s
        while not is_over.wait(max(0.0, due_s - time.monotonic())):
            snapshot = self._board.sample()
            if self._board.link.state == "connected" and time.monotonic() >= self._server_due_s:
                self._look_at_server()
            self.row = self._row(snapshot)
            due_s = max(due_s + interval_s, time.monotonic())

    def close(self) -> None:
        self._board.close()

    def _look_at_server(self) -> None:
        """Detect the server again, or only read the counters of the one that was found."""
        now_s, found = time.monotonic(), self._served.found
        if found is None or now_s >= self._look_due_s:
            self._served = self._looked()
            self._look_due_s = now_s + SERVER_EVERY_S
        elif found.dialect.name in ROUTES:
            rate, queue = asyncio.run(_counted(found))
            self._served = replace(self._served, rate=rate, queue=queue)
        self._server_due_s = time.monotonic() + COUNTERS_EVERY_S

    def _looked(self) -> _Served:
        address = self._board.address
        there = address.server_urls(self._ports)
        try:
            if not self._urls:
                self._urls = tuple(self._board.forwarded(url) for url in there)
            return asyncio.run(_served(self._urls, is_named=address.server_url is not None))
        except (SshError, ValueError, OSError) as error:
            return _Served(problem=clean_line(str(error), MAX_CHARS))

    def _row(self, snapshot: Snapshot) -> BoardRow:
        link, served = self._board.link, self._served
        row = BoardRow(
            self.name,
            self._board.address.shown,
            state=link.state,
            latency_ms=link.latency_ms,
            way=_way(link),
            is_other_version=bool(link.note),
            problem=clean_line(link.problem or "", MAX_CHARS),
        )
        if link.state != "connected":
            return row
        load, tap_queue = snapshot.get("npu.load"), snapshot.number("tap.queue")
        loads = [value for value in snapshot.numbers("npu.load") if value is not None]
        work = npu_work(
            snapshot.numbers("npu.load"), load.source or "", snapshot.numbers("npu.activity")
        )
        return replace(
            row,
            board=clean_line(snapshot.text("board.model") or snapshot.text("board.soc") or "", 40),
            model=served.model,
            server=served.server,
            is_server_busy=served.is_busy,
            server_problem=served.problem,
            rate=_tap_rate(snapshot) or served.rate,
            queue=served.queue if tap_queue is None else round(tap_queue),
            npu_pct=sum(loads) / len(loads) if loads else None,
            npu_reason=load.reason or "",
            npu_phase=TAP_PHASES.get(snapshot.text("tap.state") or "", work.phase),
            ram_available_bytes=snapshot.number("ram.available"),
            temperature_c=snapshot.number("soc.temp"),
            throttle=snapshot.text("throttle") or "",
        )


async def _served(urls: Sequence[str], *, is_named: bool) -> _Served:
    found = await look(urls if is_named else CandidateUrls(urls), access=Access())
    if found.server is None:
        words = "" if found.busy_urls else "no server"
        return _Served(is_busy=bool(found.busy_urls), problem=words)
    (seen,) = shown_servers(await survey((found.server,), TIMEOUTS))
    rate, queue = await _counted(found.server)
    return _Served(
        server=clean_line(found.server.name, 40),
        model=_model(seen.models),
        rate=rate,
        queue=queue,
        problem=clean_line(seen.problem or "", MAX_CHARS),
        found=found.server,
    )


async def _counted(server: Server) -> tuple[str, int | None]:
    """(rate, waiting requests) by the server's own counters; empty and None without them."""
    told = {one.label: one.value for one in await server_counters(server)}
    is_running = told.get(RUNNING, "0") != "0"
    rate = f"~{clean_line(told[RATE], 8)}" if RATE in told and is_running else ""
    waiting = told.get(WAITING, "")
    return rate, int(waiting) if waiting.isdecimal() else None


def _way(link: RemoteLink) -> str:
    """How the board's files are read, in one sentence; empty without a connection."""
    if link.state != "connected":
        return ""
    if link.has_npulse:
        return "npulse is installed there and samples the board"
    return link.note or "npulse is not installed there: a shell loop reads its files"


def _tap_rate(snapshot: Snapshot) -> str:
    """The decode rate by a tap on the board, formatted; empty without one."""
    told = snapshot.get("tap.rate")
    source: NumberSource = "estimated" if "estimated" in told.flags else "measured"
    rate_tps = snapshot.number("tap.rate")
    return "" if rate_tps is None else fmt.marked(fmt.rate(rate_tps), source)


def _model(models: Sequence[ModelInfo]) -> str:
    """Name of the loaded or only model; empty if unknown."""
    loaded = [one for one in models if one.is_loaded] or (models if len(models) == 1 else [])
    return clean_line(loaded[0].name, 40) if loaded else ""
