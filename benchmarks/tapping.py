"""The cost of ``npulse tap``: the delay of a chunk, and processor time per chunk.

The same streams are read directly, through a minimal forwarder in Python
(``references/forwarder.py``) and through the tap, in this order and back. The cost of a chunk
depends on the load: a core that was idle, or ran other programs, is slow at first. So one client
is measured at several rates, and several clients at once. The tap's forwarding and measuring
processes are counted separately; the minimal forwarder has only the first.

At its end, the tap prints the delay of its chunks: from their arrival, by the kernel's timestamp,
until they were forwarded.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from benchmarks.figures import Results, quantile
from benchmarks.plan import Plan
from benchmarks.process_cost import cpu_ns
from benchmarks.simulator import REPOSITORY
from benchmarks.tap_load import ChunkServer, Load, lags_ms

FULL = (
    Load(1, 3, 30),
    Load(1, 50, 300),
    Load(1, 200, 1200),
    Load(3, 50, 300),
    Load(10, 20, 120),
)
QUICK = (
    Load(1, 3, 8),
    Load(1, 50, 60),
    Load(1, 200, 240),
    Load(3, 50, 60),
    Load(10, 20, 24),
)
SCENARIOS = tuple(load.scenario for load in FULL)
BUSY = tuple(load.scenario for load in FULL if load.clients * load.rate_tps >= 200)
"""Scenarios whose budget of processor time per chunk is in milliseconds: at 200 chunks/s it is one
per cent of a core. At lower rates a chunk costs more, as a core that wakes up for each chunk has
empty caches with any forwarder; there the budget is a multiple of the minimal forwarder's cost."""
QUIET = tuple(name for name in SCENARIOS if name not in BUSY)
_WARMING = Load(1, 200, 40)
"""A first load, in which modules are imported and the history is created."""
END_S = 20.0
DIRECT = "direct"
"""Name of the streams without a forwarder in the tables."""
_DELAYED = re.compile(r"delay: ([0-9.]+) ms")


class Tap:
    """``npulse tap`` on a free port, with an empty home folder. Raises RuntimeError."""

    name = "npulse"

    def __init__(self, folder: Path, to_port: int) -> None:
        home = folder / "tap-home"
        home.mkdir(exist_ok=True)
        to = f"http://127.0.0.1:{to_port}"
        command = [sys.executable, "-m", "tui", "tap", "--listen", "127.0.0.1:0", "--to", to]
        self._process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**os.environ, "HOME": str(home), "XDG_DATA_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        line = self._process.stderr.readline()
        if "listening on" not in line:
            self._process.kill()
            raise RuntimeError(f"the tap did not start: {line.strip()}")
        self.port = int(line.split("listening on ")[1].split(",")[0].rpartition(":")[2])

    def cpu_ns(self) -> tuple[int, int]:
        """Processor time of the forwarding process and of the measuring process."""
        pid = self._process.pid
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        measuring = sum(cpu_ns(int(child)) for child in listed)
        return cpu_ns(pid) - measuring, measuring

    def close(self) -> float | None:
        """Ends it; returns the 99th percentile of its delay per chunk in ms, if it printed one."""
        self._process.send_signal(signal.SIGTERM)
        delayed = _DELAYED.search(self._process.communicate(timeout=END_S)[1])
        return None if delayed is None else float(delayed[1])


class Bare:
    """The minimal forwarder."""

    name = "bare"

    def __init__(self, to_port: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.references.forwarder", str(to_port)],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def cpu_ns(self) -> tuple[int, int]:
        return cpu_ns(self._process.pid), 0

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class Measured:
    """The measurements of one forwarder under one load."""

    def __init__(self, forwarder: Tap | Bare) -> None:
        self.forwarder = forwarder
        self.lags_ms: list[float] = []
        self.forward_ns = self.measure_ns = 0
        self._before = (0, 0)

    def turn(self, server: ChunkServer, load: Load) -> None:
        self.lags_ms += lags_ms(server, self.forwarder.port, load, self._begin, self._end)

    def _begin(self) -> None:
        self._before = self.forwarder.cpu_ns()

    def _end(self) -> None:
        after = self.forwarder.cpu_ns()
        self.forward_ns += after[0] - self._before[0]
        self.measure_ns += after[1] - self._before[1]


def measure(plan: Plan, only: set[str], results: Results) -> None:
    """Measures each load, in a quick run only the busy ones; with ``only`` those it names."""
    loads = QUICK if plan.is_one_session else FULL
    wanted = only or set(BUSY if plan.is_one_session else SCENARIOS)
    for _ in range(plan.runs):
        for load in loads:
            if load.scenario in wanted:
                _measure(plan.folder, load, results)


def _measure(folder: Path, load: Load, results: Results) -> None:
    server = ChunkServer()
    bare, tap = Bare(server.port), Tap(folder, server.port)
    measured = Measured(bare), Measured(tap)
    direct_ms: list[float] = []
    try:
        for one in measured:
            lags_ms(server, one.forwarder.port, _WARMING)
        direct_ms += lags_ms(server, server.port, load)
        for one in (*measured, *reversed(measured)):
            one.turn(server, load)
        direct_ms += lags_ms(server, server.port, load)
    finally:
        bare.close()
        held_ms = tap.close()
        server.close()
    results.add(load.scenario, tap.name, "tap_held_p99_ms", held_ms)
    lags = {one.forwarder.name: one.lags_ms for one in measured} | {DIRECT: direct_ms}
    for name, found_ms in lags.items():
        results.add(load.scenario, name, "tap_lag_p50_ms", quantile(found_ms, 0.5))
        results.add(load.scenario, name, "tap_lag_p99_ms", quantile(found_ms, 0.99))
    for one in measured:
        name, n_chunks = one.forwarder.name, len(one.lags_ms)
        results.add(load.scenario, name, "tap_forward_cpu_ms", one.forward_ns / 1e6 / n_chunks)
        if one.measure_ns:
            results.add(load.scenario, name, "tap_measure_cpu_ms", one.measure_ns / 1e6 / n_chunks)
