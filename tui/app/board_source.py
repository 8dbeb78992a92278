"""Source of the board's readings: this machine, a folder, or the simulated board."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tui.core.board.reading import Reading, Snapshot

if TYPE_CHECKING:
    from tui.board.readers.neighbours import Neighbour
    from tui.board.sampler import Sampler


@dataclass(frozen=True, slots=True)
class BoardLine:
    """The connection to a remote board in words: ``ssh kitchen 12 ms``."""

    words: str
    is_lost: bool = False


class BoardReader:
    """The sampler; before its root is known every reading is absent with that reason."""

    def __init__(self, root: Path | None, interval_s: float) -> None:
        self._interval_s = interval_s
        self._sampler: Sampler | None = None
        self._lock = threading.Lock()
        self._port: int | None = None
        self._root = root
        self._sampled_root: Path | None = None
        self.wants_neighbours = False
        """Whether a sample also reads the CPU time of other programs."""
        self.neighbours: tuple[Neighbour, ...] = ()
        """Other programs of the last sample, largest first."""

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

    @property
    def line(self) -> BoardLine | None:
        """The connection to a remote board; None for this machine."""
        return None

    def read_file(self, path: str) -> bytes | None:
        """A file of a board that is somewhere else; None where it cannot be read. Blocks."""
        return None

    def url_there(self, url: str) -> str:
        """The same server's address on its own board, under the board's name."""
        return url

    def words_there(self, sentence: str) -> str:
        """A sentence about servers, or the label of one, with their places on their own board in
        place of forwarded ports."""
        return sentence

    def own_login(self, url: str) -> tuple[str, ...] | None:
        """What the options of a benchmark take, to reach the server at ``url`` in a process of its
        own (:data:`tui.bench.session.process.LOGIN_OPTIONS`); None on this machine."""
        return None

    def close(self) -> None:
        with self._lock:
            if self._sampler is not None:
                self._sampler.close()
            self._sampler = self._root = None
