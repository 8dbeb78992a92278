"""Identity of the writing process: its number and start time, since numbers are reused."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

_START_FIELD = 22
"""``starttime`` of proc_pid_stat(5), in ticks since the boot."""


@dataclass(frozen=True, slots=True)
class WriterProcess:
    """A process of one boot of this machine."""

    pid: int
    started_ticks: int
    boot_id: str

    @property
    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        return self.boot_id == boot_id() and self.started_ticks == started_ticks(self.pid)


def this_process() -> WriterProcess:
    """The one that asks."""
    pid = os.getpid()
    return WriterProcess(pid, started_ticks(pid), boot_id())


def started_ticks(pid: int) -> int:
    """When a process began; -1 where there is none, or it has ended and was not waited for."""
    try:
        data = Path(f"/proc/{pid}/stat").read_bytes()
        # The name in parentheses may hold anything.
        fields = data[data.rindex(b")") + 1 :].split()
        return -1 if fields[0] in (b"Z", b"X") else int(fields[_START_FIELD - 3])
    except (OSError, ValueError, IndexError):
        return -1


def boot_id() -> str:
    """Another one after each boot; empty where the kernel does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def living_writer(connection: sqlite3.Connection, writer: int | None) -> WriterProcess | None:
    """The process of that row of ``writers``; None where it has ended."""
    if writer is None:
        return None
    found = connection.execute(
        "SELECT pid, started_ticks, boot_id FROM writers WHERE id = ?", (writer,)
    ).fetchone()
    process = None if found is None else WriterProcess(*found)
    return process if process is not None and process.is_alive else None
