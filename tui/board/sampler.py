"""Runs the readers of the board, each at its own interval, and returns snapshots.

Fast values are read at every sample, slow ones every few seconds, constant ones every 30 s. A value
that disappeared, or failed for a reason that may pass, is read again at the next sample. No process
is started and no file is written. One sampler serves all consumers; its methods may be called from
any thread.
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
"""A group is due this much before its interval has passed, as samples may come early."""
GAP_NS = 10 * NS


class _Part:
    """One group of readings, its interval in s, and its last readings."""

    __slots__ = ("_due_ns", "_has_lost", "_period_ns", "_read", "_seen", "found")

    def __init__(self, period_s: int, read: ReadPart) -> None:
        self._period_ns = period_s * NS
        self._read = read
        self._due_ns: int | None = None
        self._has_lost = False
        self._seen: set[str] = set()
        self.found: dict[str, Reading] = {}

    def update(self, context: SampleContext, is_forced: bool) -> None:
        """Read if due, and add the group's newest readings to the sample."""
        if is_forced or self._is_due(context.t_ns):
            self.found = self._read(context)
            self._due_ns = context.t_ns + self._period_ns
            if self._period_ns:
                self._note_lost()
        context.readings.update(self.found)

    def _note_lost(self) -> None:
        """Note whether a reading is absent that was present before or may be present next time."""
        self._has_lost = False
        for name, reading in self.found.items():
            if reading.value is not None:
                self._seen.add(name)
            elif name in self._seen or is_transient(reading.reason):
                self._has_lost = True

    def _is_due(self, t_ns: int) -> bool:
        if not self._period_ns or self._due_ns is None or self._has_lost:
            return True
        # Also if the clock went backwards: CLOCK_MONOTONIC does not, but a test's clock may.
        return t_ns >= self._due_ns - SLACK_NS or t_ns < self._due_ns - self._period_ns


class Sampler:
    """Reads the board below ``root``.

    ``interval_s`` is the interval at which the caller will sample: rates over more than 2.5 times
    that, and more than 10 s (a suspended board), are discarded. ``clock_ns`` is CLOCK_MONOTONIC and
    ``wall_s`` the UNIX time; tests pass their own. ``files`` replaces the access to ``root``.
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
        """Take a snapshot; after :meth:`close` returns the last one again. Files that are missing,
        unreadable or invalid give absent readings and raise nothing."""
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
        """The busiest processes other than server and npulse; empty at the first call.

        Reads all processes, at most every 2 s. Call it only while their names are needed.
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
        """Set the server process to read: by its port on this machine, or by its pid."""
        with self._lock:
            self._server.watch(port, pid)
            self._generation = -1

    def wait_for_background(self, seconds: float) -> None:
        """Wait for values read in the background (runtime versions), at most this long."""
        self._runtime.wait(seconds)

    def close(self) -> None:
        """Close all files. Later samples return the last snapshot."""
        with self._lock:
            self._is_closed = True
            self._files.close()

    def _schedule(self) -> tuple[_Part, ...]:
        """The groups in order: a reader may use values that another has read in the same sample."""
        files, devices = self._files, self._devices
        npu, ddr, thermal = Npu(files, devices), Ddr(files, devices), Thermal(files)
        host = () if has_proc(files) else (_Part(LOOK_S, Host().read),)
        return (
            _Part(HARDWARE_S, Identity(files).read),
            _Part(EVERY, NpuLoad(files, devices).read),
            _Part(EVERY, NpuActivity(files).read),
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
