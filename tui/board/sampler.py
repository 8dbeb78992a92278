"""The sampler: runs every reader at its rate and hands out snapshots.

Fast things are read at every sample, slow ones every few seconds, and what does not change once.
A reading that was lost, or failed in a way that may pass, is tried again at the next sample. No
process is started and nothing is written. One sampler serves everybody; ``sample`` may be called
from a worker thread.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from tui.board.readers.cpu import CpuClocks, CpuLoad
from tui.board.readers.ddr import Ddr
from tui.board.readers.devfreq import Devices
from tui.board.readers.fan import Fan
from tui.board.readers.files import Files
from tui.board.readers.gpu import Gpu
from tui.board.readers.host import Host, has_proc
from tui.board.readers.identity import Identity
from tui.board.readers.memory import Memory, Pressure, Zram
from tui.board.readers.neighbours import Neighbour, Neighbours
from tui.board.readers.npu import Npu
from tui.board.readers.npu_activity import NpuActivity
from tui.board.readers.npu_load import NpuLoad
from tui.board.readers.power import Power
from tui.board.readers.process import ServerProcess
from tui.board.readers.reasons import is_transient
from tui.board.readers.runtime import Runtime
from tui.board.readers.sample_context import NS, SampleContext
from tui.board.readers.self_usage import SelfUsage
from tui.board.readers.tap_now import TapReader
from tui.board.readers.thermal import Thermal
from tui.board.readers.throttle import Throttle
from tui.core.board.reading import Reading, Snapshot

ReadPart = Callable[[SampleContext], dict[str, Reading]]

EVERY = 0
LOOK_S, SETUP_S, HARDWARE_S = 2, 5, 30
SLACK_NS = NS // 4
"""A sample that comes a little early still counts as the one that was due."""
GAP_NS = 10 * NS


class _Part:
    """One group of readings, its period, and what it read last."""

    __slots__ = ("_due_ns", "_has_lost", "_period_ns", "_read", "_seen", "found")

    def __init__(self, period_s: int, read: ReadPart) -> None:
        self._period_ns = period_s * NS
        self._read = read
        self._due_ns: int | None = None
        self._has_lost = False
        self._seen: set[str] = set()
        self.found: dict[str, Reading] = {}

    def update(self, context: SampleContext, is_forced: bool) -> None:
        """Read if it is due; either way the readings are part of this sample."""
        if is_forced or self._is_due(context.t_ns):
            self.found = self._read(context)
            self._due_ns = context.t_ns + self._period_ns
            if self._period_ns:
                self._note_lost()
        context.readings.update(self.found)

    def _note_lost(self) -> None:
        """Whether something is absent that was there before, or that may be there next time."""
        self._has_lost = False
        for name, reading in self.found.items():
            if reading.value is not None:
                self._seen.add(name)
            elif name in self._seen or is_transient(reading.reason):
                self._has_lost = True

    def _is_due(self, t_ns: int) -> bool:
        if not self._period_ns or self._due_ns is None or self._has_lost:
            return True
        # Also when the clock went back, which CLOCK_MONOTONIC does not do but an injected one may.
        return t_ns >= self._due_ns - SLACK_NS or t_ns < self._due_ns - self._period_ns


class Sampler:
    """Reads the board below ``root``.

    ``interval_s`` is how often the caller means to sample: differences over much more than that
    (a suspended board) are dropped. ``clock_ns`` and ``wall_s`` are CLOCK_MONOTONIC and wall time;
    tests pass their own. ``files`` replaces the access to ``root``.
    """

    def __init__(
        self,
        root: Path = Path("/"),
        *,
        interval_s: float = 1.0,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
        wall_s: Callable[[], float] = time.time,
        files: Files | None = None,
    ) -> None:
        self._files = files or Files(root)
        self._clock_ns = clock_ns
        self._wall_s = wall_s
        self._max_gap_ns = max(GAP_NS, int(2.5 * interval_s * NS))
        self._lock = threading.Lock()
        self._generation = 0
        self._is_closed = False
        self._last = Snapshot(0, 0.0)
        self._devices = Devices(self._files)
        self._server = ServerProcess(self._files)
        self._runtime = Runtime(self._files)
        self._neighbours = Neighbours(self._files)
        self._others: tuple[Neighbour, ...] = ()
        self._looked_ns: int | None = None
        self._parts = self._schedule()

    def sample(self) -> Snapshot:
        """One snapshot, now; the last one again after :meth:`close`. Never raises for anything that
        a board may do."""
        with self._lock:
            if self._is_closed:
                return self._last
            context = SampleContext(self._clock_ns(), self._wall_s(), self._max_gap_ns)
            self._devices.refresh(context)
            is_forced = self._generation != self._devices.generation
            self._generation = self._devices.generation
            for part in self._parts:
                part.update(context, is_forced)
            self._last = Snapshot(context.t_ns, context.wall_s, MappingProxyType(context.readings))
            return self._last

    def others(self) -> tuple[Neighbour, ...]:
        """The programs beside server and npulse that take most CPU time; empty the first time.

        Looks at all processes, at most every other second: for when somebody has to be named.
        """
        with self._lock:
            t_ns, before_ns = self._clock_ns(), self._looked_ns
            is_due = before_ns is None or t_ns - before_ns >= LOOK_S * NS - SLACK_NS
            if is_due and not self._is_closed:
                self._looked_ns = t_ns
                server = self._last.number("server.pid")
                known = {os.getpid(), -1 if server is None else int(server)}
                self._others = tuple(self._neighbours.busiest(t_ns, without=frozenset(known)))
            return self._others

    def watch_server(self, port: int | None, pid: int | None = None) -> None:
        """Tell which server is talked to: by its port on this machine, or by its process."""
        with self._lock:
            self._server.watch(port, pid)
            self._generation = -1

    def wait_for_background(self, seconds: float) -> None:
        """Give what is read once in the background (runtime versions) some time to end."""
        self._runtime.wait(seconds)

    def close(self) -> None:
        """Close all files, for good."""
        with self._lock:
            self._is_closed = True
            self._files.close()

    def _schedule(self) -> tuple[_Part, ...]:
        """Order matters where a reader uses what another has read in the same sample."""
        files, devices = self._files, self._devices
        npu, ddr, thermal = Npu(files, devices), Ddr(files, devices), Thermal(files)
        host = () if has_proc(files) else (_Part(LOOK_S, Host().read),)
        return (
            _Part(HARDWARE_S, Identity(files).read),
            _Part(EVERY, NpuLoad(files, devices).read),
            _Part(EVERY, NpuActivity(files, devices).read),
            _Part(EVERY, npu.clock),
            _Part(LOOK_S, npu.limits),
            _Part(LOOK_S, npu.power),
            _Part(SETUP_S, npu.setup),
            _Part(EVERY, self._runtime.read),
            _Part(SETUP_S, ddr.setup),
            _Part(LOOK_S, ddr.limits),
            _Part(EVERY, ddr.fast),
            _Part(LOOK_S, Gpu(files, devices).read),
            _Part(EVERY, CpuLoad(files).read),
            _Part(LOOK_S, CpuClocks(files).read),
            _Part(SETUP_S, thermal.trips),
            _Part(LOOK_S, thermal.temperatures),
            _Part(EVERY, Throttle(files).read),
            _Part(LOOK_S, Fan(files).read),
            _Part(LOOK_S, self._server.read),
            _Part(EVERY, Memory(files).read),
            _Part(SETUP_S, Zram(files).read),
            _Part(LOOK_S, Pressure(files).read),
            _Part(LOOK_S, Power(files).read),
            _Part(EVERY, TapReader(files).read),
            _Part(EVERY, SelfUsage().read),
            *host,
        )
