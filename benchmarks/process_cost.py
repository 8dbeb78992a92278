"""The cost of a process: processor time and memory, read from /proc by another process.

Processor time is the process's own CPU clock (all its threads, user and system, in nanoseconds; see
clock_getcpuclockid(3)), with ``/proc/PID/stat`` (10 ms ticks) where the kernel does not let us read
it. Child processes count too, and those that were waited for.
"""

from __future__ import annotations

import bisect
import contextlib
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def _stat_fields(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` after the name, which may contain anything (proc(5))."""
    return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()


def _own_cpu_ns(pid: int) -> int:
    clock = (~pid << 3) | 2  # CPUCLOCK_SCHED of that process, as clock_getcpuclockid makes it
    try:
        return time.clock_gettime_ns(clock)
    except OSError:
        fields = _stat_fields(pid)
        return (int(fields[11]) + int(fields[12])) * _TICK_NS


def children(pid: int) -> list[int]:
    """The child processes: the kernel's list, or without one a search of all processes."""
    if not Path(f"/proc/{pid}/task/{pid}/children").exists():
        try:
            return [child.pid for child in psutil.Process(pid).children()]
        except psutil.Error:
            return []
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (thread / "children").read_text().split())
    return found


def cpu_ns(pid: int) -> int:
    """Processor time of the process and its descendants so far. Raises OSError if it has ended."""
    fields = _stat_fields(pid)
    waited_for_ns = (int(fields[13]) + int(fields[14])) * _TICK_NS
    total_ns = _own_cpu_ns(pid) + waited_for_ns
    for child in children(pid):
        with contextlib.suppress(OSError):
            total_ns += cpu_ns(child)
    return total_ns


def rss_bytes(pid: int) -> int:
    """Resident memory of the process. Raises OSError if it has ended."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES


def pss_bytes(pid: int) -> int | None:
    """Resident memory with shared pages divided among their processes (PSS).

    None where the kernel does not say (no ``smaps_rollup``, or no permission).
    """
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), None)


@dataclass(frozen=True, slots=True)
class CostPoint:
    """Processor time so far at one instant."""

    t_ns: int
    cpu_ns: int


class CostRecord:
    """Samples the processor time of a process every ``interval`` seconds in a thread."""

    def __init__(self, pid: int, interval: float = 0.05) -> None:
        self._pid = pid
        self._interval = interval
        self._points: list[CostPoint] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cost-record", daemon=True)
        self._take()
        self._thread.start()

    def _take(self) -> bool:
        try:
            self._points.append(CostPoint(time.perf_counter_ns(), cpu_ns(self._pid)))
        except OSError:
            return False
        return True

    def _run(self) -> None:
        while not self._stop.wait(self._interval) and self._take():
            pass

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def cpu_at(self, t_ns: int) -> float:
        """Processor time in ns at this instant, interpolated; outside the samples the nearest
        one."""
        points = self._points
        i = bisect.bisect_left(points, t_ns, key=lambda p: p.t_ns)
        if i == 0 or i == len(points):
            return points[min(i, len(points) - 1)].cpu_ns
        before, after = points[i - 1], points[i]
        share = (t_ns - before.t_ns) / (after.t_ns - before.t_ns)
        return before.cpu_ns + share * (after.cpu_ns - before.cpu_ns)

    def cpu_between(self, from_ns: int, to_ns: int) -> float:
        """Processor time in ns used between two instants."""
        return self.cpu_at(to_ns) - self.cpu_at(from_ns)
