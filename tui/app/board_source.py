"""Source of the board's readings and the server: this machine, or the simulator."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tui.core.board.reading import Reading, Snapshot

if TYPE_CHECKING:
    from tui.board.readers.neighbours import Neighbour
    from tui.board.sampler import Sampler
    from tui.sim.server.spawn import Simulator


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """Whether to start the simulated board, and with what.

    ``only_alone``: only if no server answers on this machine.
    """

    is_wanted: bool = False
    only_alone: bool = False
    arguments: tuple[str, ...] = ()


class DemoBoard:
    """The simulated board of this run: started in any thread, ended with the run."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = tuple(arguments)
        self._simulator: Simulator | None = None
        self.problem: str | None = None
        self._lock = threading.Lock()
        self._is_over = False

    def start(self) -> Simulator | None:
        """Start it; blocks for some hundred milliseconds.

        None where it did not start (``problem`` says why) or the run is over already.
        """
        from tui.sim.server.spawn import SpawnError, spawn

        try:
            simulator = spawn(self._arguments, has_root=True)
        except SpawnError as error:
            self.problem = f"{error}; npulse sim tells more"
            return None
        with self._lock:
            if not self._is_over:
                self._simulator = simulator
                return simulator
        simulator.stop()
        return None

    def stop(self) -> None:
        """End it, and remove its tree."""
        with self._lock:
            self._is_over = True
            simulator, self._simulator = self._simulator, None
        if simulator is not None:
            simulator.stop()


class BoardReader:
    """The sampler of this run; before its root is known every reading says so."""

    def __init__(self, root: Path | None, interval_s: float) -> None:
        self._interval_s = interval_s
        self._sampler: Sampler | None = None
        self._lock = threading.Lock()
        self._port: int | None = None
        self._root = root
        self._sampled_root: Path | None = None
        self.wants_neighbours = False
        """Whether a sample also looks which other programs take CPU time."""
        self.neighbours: tuple[Neighbour, ...] = ()
        """What the last such look found, largest first."""

    @property
    def sampled_root(self) -> Path | None:
        """Where the last sample came from; None where it read nothing."""
        return self._sampled_root

    @property
    def root(self) -> Path | None:
        """What is read now; None before it is known."""
        return self._root

    def use(self, root: Path) -> None:
        """Read below ``root`` from now on."""
        with self._lock:
            self._root = root
            old, self._sampler = self._sampler, None
        if old is not None:
            old.close()

    def watch_server(self, port: int | None) -> None:
        """The server's process is the one that listens on this port."""
        with self._lock:
            self._port = port
            if self._sampler is not None:
                self._sampler.watch_server(port)

    def sample(self) -> Snapshot:
        """One snapshot; see :class:`tui.board.sampler.Sampler`."""
        with self._lock:
            if self._root is not None:
                sampler = self._opened(self._root)
                self._sampled_root = self._root
                snapshot = sampler.sample()
                self.neighbours = sampler.others() if self.wants_neighbours else ()
                return snapshot
        starting = Reading.absent("the simulated board is starting")
        names = ("npu.load", "ram.total", "ddr.freq")
        return Snapshot(time.perf_counter_ns(), time.time(), dict.fromkeys(names, starting))

    def _opened(self, root: Path) -> Sampler:
        """The sampler, made in the thread that samples: the first paint does not wait for it."""
        if self._sampler is None:
            from tui.board.sampler import Sampler

            self._sampler = Sampler(root, interval_s=self._interval_s)
            self._sampler.watch_server(self._port)
        return self._sampler

    def close(self) -> None:
        with self._lock:
            if self._sampler is not None:
                self._sampler.close()
            self._sampler = self._root = None
