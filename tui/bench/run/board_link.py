"""Samples the server's board during a run; without a board, gives the reason."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from tui.bench.analysis.hardware import HardwareLog, npu_load, reduced, targets
from tui.board.readers.files import Files
from tui.board.runtime_log.reader import RuntimeLog
from tui.board.sampler import Sampler
from tui.core.board.reading import Snapshot
from tui.core.board.remote_board import BoardElsewhere
from tui.servers.address import is_local, local_port, shown_url
from tui.servers.connection_state import Server

IDLE_PCT = 2.0


class BoardLink:
    """Samples in a worker thread. Without a board, the methods return None or an empty list."""

    def __init__(
        self,
        server: Server,
        root: Path | None,
        *,
        reads_board: bool = True,
        elsewhere: BoardElsewhere | None = None,
    ) -> None:
        self.log = HardwareLog()
        self.reason: str | None = None
        self.root = root
        self.elsewhere = elsewhere
        """Reader of the board if that is another machine."""
        self._server = server
        self._sampler: Sampler | None = None
        is_elsewhere = (
            not reads_board or elsewhere is not None or (root is None and not is_local(server.url))
        )
        log_port = server.port_on_this_machine if root is None and not is_elsewhere else None
        self.runtime_log = None if log_port is None else RuntimeLog(Files(), log_port)
        """Reader of the runtime's log; None if the server is not on this machine."""
        if elsewhere is not None:
            pass
        elif root is None and server.is_simulated:
            self.reason = "the simulated server has no board files; give its --root"
        elif is_elsewhere:
            self.reason = "the server runs on another machine"
        else:
            self._sampler = Sampler(root or Path("/"))
            self._sampler.watch_server(local_port(server.url))

    @property
    def is_there(self) -> bool:
        return self._sampler is not None or self.elsewhere is not None

    @property
    def is_this_machine(self) -> bool:
        """Whether the board's files are those of the system that npulse runs on."""
        return self._sampler is not None and self.root is None

    @property
    def shown_url(self) -> str:
        """The server's URL without credentials, as it is on the board itself."""
        shown = shown_url(self._server.url)
        return shown if self.elsewhere is None else self.elsewhere.url_there(shown)

    @property
    def server_label(self) -> str:
        """The server's name, with its address on another machine."""
        if self.elsewhere is None:
            return self._server.label
        return f"{self._server.name} {urlsplit(self.shown_url).netloc}"

    @property
    def note(self) -> str | None:
        """A sentence on how the board is read if it is another machine; else None."""
        if self.elsewhere is None:
            return None
        latency_ms = self.elsewhere.latency_ms
        said = "" if latency_ms is None else f", {latency_ms:.0f} ms away"
        return f"the board {self.elsewhere.name} is read over ssh{said}"

    async def sample(self) -> Snapshot | None:
        """Take a snapshot and add it to the log; None without a board."""
        source = self._sampler or self.elsewhere
        if source is None:
            return None
        snapshot = await asyncio.to_thread(source.sample)
        self.log.add(snapshot.t_ns, reduced(snapshot))
        return snapshot

    async def idle_snapshots(self, count: int, every_s: float) -> list[Snapshot]:
        """``count`` snapshots of the idle board, for the gates, without the first, which has no
        rates."""
        found: list[Snapshot] = []
        for _ in range(count):
            snapshot = await self.sample()
            if snapshot is None:
                return []
            found.append(snapshot)
            await asyncio.sleep(every_s)
        kept = found[1:] or found
        self.log.targets = targets(kept[-1])
        watts = [w for s in kept if (w := s.number("power.w")) is not None]
        self.log.idle_w = sorted(watts)[len(watts) // 2] if watts else None
        return kept

    def is_npu_idle(self) -> bool | None:
        """Whether the NPU is idle by the last sample; None if its load is unknown."""
        load = self.npu_load_pct()
        return None if load is None else load <= IDLE_PCT

    def npu_load_pct(self) -> float | None:
        """NPU load in the last sample; None if unknown."""
        latest = self.log.latest
        return None if latest is None else npu_load(latest.values)

    def temperature(self) -> float | None:
        """Temperature of the hottest zone in the last sample, in °C; None if unknown."""
        latest = self.log.latest
        value = None if latest is None else latest.values.get("temp.max")
        return value if isinstance(value, int | float) else None

    def server_pid(self) -> int | None:
        latest = self.log.latest
        value = None if latest is None else latest.values.get("server.pid")
        return int(value) if isinstance(value, int | float) else None

    def close(self) -> None:
        if self._sampler is not None:
            self._sampler.close()
