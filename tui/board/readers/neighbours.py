"""CPU use of other programs: all processes, read on request only."""

from __future__ import annotations

import os
from typing import NamedTuple

from tui.board.readers.files import Files
from tui.board.readers.procfs import ProcessStat, parse_stat
from tui.board.readers.reasons import UnreadableError
from tui.board.readers.sample_context import NS

MIN_SECONDS = 0.2
MAX_SECONDS = 30.0


class Neighbour(NamedTuple):
    """A process: its CPU time in per cent of one core, and the CPU that it last ran on."""

    pid: int
    name: str
    load_pct: float
    cpu: int | None


class Neighbours:
    """CPU use of all processes, as the difference of two calls of :meth:`busiest`, 0.2 to 30 s
    apart. A call takes about 10 µs a process; do not call it at every sample.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._tick_hz = os.sysconf("SC_CLK_TCK")
        self._t_ns = 0
        self._seen: dict[tuple[int, int], ProcessStat] = {}

    def busiest(
        self, t_ns: int, count: int = 5, without: frozenset[int] = frozenset()
    ) -> list[Neighbour]:
        """The ``count`` busiest processes since the last call, busiest first; empty at the first
        call, and if the calls lie less than 0.2 or more than 30 s apart. ``t_ns`` is the monotonic
        time; ``without`` are pids to leave out."""
        before, before_ns = self._seen, self._t_ns
        self._seen, self._t_ns = self._look(), t_ns
        seconds = (t_ns - before_ns) / NS
        if not before or not MIN_SECONDS <= seconds <= MAX_SECONDS:
            return []
        found = []
        for (pid, started), stat in self._seen.items():
            earlier = before.get((pid, started))
            ticks = stat.ticks - earlier.ticks if earlier else 0
            if ticks > 0 and pid not in without:
                load_pct = round(100 * ticks / self._tick_hz / seconds, 1)
                found.append(Neighbour(pid, stat.name, load_pct, stat.cpu))
        return sorted(found, key=lambda entry: -entry.load_pct)[:count]

    def _look(self) -> dict[tuple[int, int], ProcessStat]:
        seen: dict[tuple[int, int], ProcessStat] = {}
        for entry in self._files.names("/proc"):
            if entry.isascii() and entry.isdigit() and len(entry) < 10:
                stat = self._stat(entry)
                if stat is not None:
                    seen[int(entry), stat.start_ticks] = stat
        return seen

    def _stat(self, pid: str) -> ProcessStat | None:
        try:
            return parse_stat(self._files.read_once(f"/proc/{pid}/stat"))
        except (OSError, UnreadableError):
            return None
