"""Board sampling during a run; without a board, the reason why there is none."""

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
    """Takes samples in a worker thread. Without a board every method says so with nothing."""

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
        """The board, where it is another machine that is read."""
        self._server = server
        self._sampler: Sampler | None = None
        port = local_port(server.url)
        is_elsewhere = (
            not reads_board or elsewhere is not None or (root is None and not is_local(server.url))
        )
        has_log = not is_elsewhere and root is None and not server.is_simulated and port is not None
        self.runtime_log = RuntimeLog(Files(), port) if has_log and port else None
        """The runtime's own numbers; None for a server that is not on this machine."""
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
        """Whether the files that are read are those of the system that npulse runs on."""
        return self._sampler is not None and self.root is None

    @property
    def shown_url(self) -> str:
        """The server's address without secrets, as it is on its own board."""
        shown = shown_url(self._server.url)
        return shown if self.elsewhere is None else self.elsewhere.url_there(shown)

    @property
    def server_label(self) -> str:
        """The server's name, and which it is of several."""
        if self.elsewhere is None:
            return self._server.label
        return f"{self._server.name} {urlsplit(self.shown_url).netloc}"

    @property
    def note(self) -> str | None:
        """How the board is read, where that is another machine."""
        if self.elsewhere is None:
            return None
        latency_ms = self.elsewhere.latency_ms
        said = "" if latency_ms is None else f", {latency_ms:.0f} ms away"
        return f"the board {self.elsewhere.name} is read over ssh{said}"

    async def sample(self) -> Snapshot | None:
        """One snapshot, also kept in the log; None without a board."""
        source = self._sampler or self.elsewhere
        if source is None:
            return None
        snapshot = await asyncio.to_thread(source.sample)
        self.log.add(snapshot.t_ns, reduced(snapshot))
        return snapshot

    async def idle_snapshots(self, count: int, every_s: float) -> list[Snapshot]:
        """A few snapshots of the board at rest, for the gates; the first one only warms up."""
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
        """By the last sample; None where the load is not known."""
        load = self.npu_load_pct()
        return None if load is None else load <= IDLE_PCT

    def npu_load_pct(self) -> float | None:
        """Of the last sample; None where it is not known."""
        latest = self.log.latest
        return None if latest is None else npu_load(latest.values)

    def temperature(self) -> float | None:
        """The hottest zone of the last sample."""
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
