"""The server process: memory, threads, CPU time, and the cores it runs on."""

from __future__ import annotations

import os

from tui.board.readers import parse
from tui.board.readers.attribute import absent_all
from tui.board.readers.files import Files
from tui.board.readers.procfs import ProcessStat, ProcessStatus, parse_stat, parse_status
from tui.board.readers.reasons import (
    CLOCK_JUMP,
    FIRST_SAMPLE,
    NO_SERVER,
    NOT_ON_THIS_KERNEL,
    UnreadableError,
    reason_of,
)
from tui.board.readers.sample_context import NS, SampleContext, Window
from tui.board.readers.server_search import MODEL_BYTES, Found, find_server
from tui.core.board.reading import Reading, ReadingValue

SEARCH_NS = 5 * NS
"""Interval of the search while no server process is found."""
EAGER_SEARCHES = 3
"""Searches without that interval after a process ended, as a server that restarts is soon back."""
REVIEW_NS = 15 * NS
"""Interval of the search while the process found holds no model: a child may have loaded it."""

_IDS = {
    "server.pid": "",
    "server.name": "",
    "server.rss": "B",
    "server.rss_shmem": "B",
    "server.rss_anon": "B",
    "server.hwm": "B",
    "server.swap": "B",
    "server.threads": "",
    "server.affinity": "",
    "server.cpu": "%",
    "server.cores": "",
}


class ServerProcess:
    """Reads ``server.*``: sizes in bytes. ``server.cpu`` is the CPU time of all threads in per cent
    of one core. ``server.cores`` are the CPUs that the threads last ran on. ``server.hwm`` is the
    peak of the resident memory, which the runtime reports as its memory use."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._port: int | None = None
        self._pid: int | None = None
        self._found: Found | None = None
        self._next_search_ns: int | None = None
        self._eager = 0
        self._window = Window()
        self._stat: ProcessStat | None = None
        self._cpu = Reading.absent(FIRST_SAMPLE, "%")
        self._tick_hz = os.sysconf("SC_CLK_TCK")

    def watch(self, port: int | None, pid: int | None) -> None:
        """Read the process that listens on ``port``, or ``pid`` if that is given."""
        if (port, pid) != (self._port, self._pid):
            self._port, self._pid = port, pid
            self._lose()

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """All readings of the process. If it has ended, searches again at once."""
        for _ in range(2):
            if not self._search(context):
                break
            found = self._read(context)
            if found is not None:
                return found
        return absent_all(_IDS, NO_SERVER, "/proc")

    def _search(self, context: SampleContext) -> bool:
        if self._pid is not None:
            self._found = Found(self._pid, "pid")
            return True
        if self._next_search_ns is not None and context.t_ns < self._next_search_ns:
            return self._found is not None
        found = find_server(self._files, self._port)
        if found != self._found:
            self._lose()
            self._found = found
        self._eager = max(0, self._eager - 1) if found is None else EAGER_SEARCHES
        if found is None and self._eager:
            self._next_search_ns = None
        else:
            self._next_search_ns = context.t_ns + (REVIEW_NS if found else SEARCH_NS)
        return found is not None

    def _lose(self) -> None:
        if self._found is not None:
            self._files.forget_below(f"/proc/{self._found.pid}/")
        self._found = None
        self._next_search_ns = None
        self._stat = None
        self._window.reset()
        self._cpu = Reading.absent(FIRST_SAMPLE, "%")

    def _read(self, context: SampleContext) -> dict[str, Reading] | None:
        assert self._found is not None
        folder = f"/proc/{self._found.pid}"
        source = f"{folder}/status"
        try:
            status = parse_status(self._files.read(source))
        except OSError as error:
            self._lose()
            if reason_of(error, NO_SERVER) != NO_SERVER and not _is_gone(error):
                return absent_all(_IDS, reason_of(error), source)
            return None
        stat = self._read_stat(f"{folder}/stat")
        if self._stat and stat and stat.start_ticks != self._stat.start_ticks:
            # Another process has this pid now.
            self._lose()
            return None
        if (status.shared_bytes or 0) >= MODEL_BYTES:
            self._next_search_ns = context.t_ns + REVIEW_NS
        self._cpu = self._processor(context, stat)
        return {
            **self._from_status(status, stat, source),
            "server.cpu": self._cpu,
            "server.cores": self._cores(folder, stat),
        }

    def _from_status(
        self, status: ProcessStatus, stat: ProcessStat | None, source: str
    ) -> dict[str, Reading]:
        assert self._found is not None
        name = status.name or (stat.name if stat else None)
        values: dict[str, ReadingValue] = {
            "server.name": name or self._command(self._found.pid),
            "server.rss": status.rss_bytes,
            "server.rss_shmem": status.shared_bytes,
            "server.rss_anon": status.anon_bytes,
            "server.hwm": status.peak_bytes,
            "server.swap": status.swap_bytes,
            "server.threads": status.threads,
            "server.affinity": status.allowed_cpus,
        }
        found = {"server.pid": Reading(self._found.pid, "", f"by {self._found.by}")}
        for reading_id, value in values.items():
            unit = _IDS[reading_id]
            found[reading_id] = (
                Reading.absent(NOT_ON_THIS_KERNEL, unit, source)
                if value is None
                else Reading(value, unit, source)
            )
        return found

    def _command(self, pid: int) -> str | None:
        try:
            return parse.word(self._files.read_once(f"/proc/{pid}/comm"))
        except (OSError, UnreadableError):
            return None

    def _read_stat(self, path: str) -> ProcessStat | None:
        try:
            return parse_stat(self._files.read(path))
        except (OSError, UnreadableError):
            return None

    def _processor(self, context: SampleContext, stat: ProcessStat | None) -> Reading:
        if self._window.is_short(context):
            return self._cpu
        before, self._stat = self._stat, stat
        if stat is None:
            self._window.reset()
            return Reading.absent(NOT_ON_THIS_KERNEL, "%")
        seconds = self._window.close(context)
        if before is None or seconds is None:
            return Reading.absent(FIRST_SAMPLE if before is None else CLOCK_JUMP, "%")
        ticks = stat.ticks - before.ticks
        if ticks < 0:
            return Reading.absent(CLOCK_JUMP, "%")
        return Reading(round(100 * ticks / self._tick_hz / seconds, 1), "%", "stat")

    def _cores(self, folder: str, stat: ProcessStat | None) -> Reading:
        cpus: set[int] = set()
        for thread in self._files.names(f"{folder}/task")[:64]:
            try:
                entry = parse_stat(self._files.read_once(f"{folder}/task/{thread}/stat"))
            except (OSError, UnreadableError):
                continue
            if entry.cpu is not None and entry.ticks:
                cpus.add(entry.cpu)
        if not cpus and stat is not None and stat.cpu is not None:
            cpus.add(stat.cpu)
        if not cpus:
            return Reading.absent(NOT_ON_THIS_KERNEL, "", f"{folder}/task")
        return Reading(tuple(sorted(cpus)), "", f"{folder}/task")


def _is_gone(error: OSError) -> bool:
    return isinstance(error, ProcessLookupError | FileNotFoundError)
