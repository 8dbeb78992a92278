"""Finds the process of the model server, by its port or by its name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from tui.board.readers import parse
from tui.board.readers.files import Files
from tui.board.readers.procfs import (
    ProcessStatus,
    listening_inodes,
    n_connected,
    parse_stat,
    parse_status,
)
from tui.board.readers.reasons import UnreadableError

SERVER_NAME = re.compile(r"rkllm|rkllama|rockchipllama|rknn[-_]llm|llm[-_]server", re.IGNORECASE)
INTERPRETER = re.compile(r"(?:python|uvicorn|gunicorn|node|flask|waitress)[0-9.]*(?:-.*)?")
MODEL_BYTES = 64 << 20
"""A process with this much shared memory may hold a model."""


class Process(NamedTuple):
    """One process, with the values that the search needs."""

    pid: int
    name: str
    parent: int
    shared_bytes: int
    rss_bytes: int


class Found(NamedTuple):
    """The server process, and how it was found: ``port``, ``name`` or ``pid``."""

    pid: int
    by: str


def find_server(files: Files, port: int | None) -> Found | None:
    """The process that listens on ``port``, else the most likely one by its name; None without one.

    If a child of the listening process holds the model, the child is returned. The process of
    another user's socket is not visible, so the name decides then.
    """
    processes = list(_processes(files))
    if port is not None:
        owner = _owner_of_port(files, port, processes)
        if owner is not None:
            return Found(_holder(owner, processes), "port")
    candidates = [process for process in processes if _is_server(files, process)]
    if not candidates:
        return None
    best = max(candidates, key=lambda process: (process.shared_bytes, process.rss_bytes))
    return Found(best.pid, "name")


def is_listening(files: Files, port: int) -> bool:
    """Whether a process of this board listens on a TCP port."""
    return any(_listening(files, table, port) for table in ("/proc/net/tcp", "/proc/net/tcp6"))


def n_clients(files: Files, port: int) -> int:
    """The number of established connections to ``port`` of this machine."""
    count = 0
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            count += n_connected(files.read_all(table), port)
        files.forget(table)
    return count


def read_status(files: Files, pid: int) -> ProcessStatus:
    """The fields of /proc/PID/status. Raises OSError."""
    return parse_status(files.read_once(f"/proc/{pid}/status"))


def _processes(files: Files) -> Iterator[Process]:
    own = os.getpid() if files.is_this_machine else None
    for entry in files.names("/proc"):
        if not (entry.isascii() and entry.isdigit()) or len(entry) > 9 or int(entry) == own:
            continue
        process = _process(files, int(entry))
        if process is not None:
            yield process


def _process(files: Files, pid: int) -> Process | None:
    """None for a kernel thread, and for a process that has ended."""
    parent = 0
    name = ""
    try:
        stat = parse_stat(files.read_once(f"/proc/{pid}/stat"))
        name, parent = stat.name, stat.parent
        if pid == 2 or parent == 2:
            return None
    except (OSError, UnreadableError):
        pass
    if name and not (INTERPRETER.fullmatch(name) or SERVER_NAME.search(name)):
        return Process(pid, name, parent, 0, 0)
    try:
        name = name or parse.word(files.read_once(f"/proc/{pid}/comm"))
    except (OSError, UnreadableError):
        return None
    try:
        status = read_status(files, pid)
    except OSError:
        return Process(pid, name, parent, 0, 0)
    return Process(pid, name, parent, status.shared_bytes or 0, status.rss_bytes or 0)


def _is_server(files: Files, process: Process) -> bool:
    if SERVER_NAME.search(process.name):
        return True
    if not INTERPRETER.fullmatch(process.name):
        return False
    try:
        words = parse.strings(files.read_once(f"/proc/{process.pid}/cmdline"))
    except OSError:
        words = []
    if any("npulse" in word or word == "tui" or word.startswith("tui.") for word in words):
        return False
    if any(SERVER_NAME.search(word) for word in words):
        return True
    # An interpreter with 256 MiB of shared memory holds a model, whatever its script is called.
    return process.shared_bytes >= 4 * MODEL_BYTES


def _owner_of_port(files: Files, port: int, processes: list[Process]) -> int | None:
    inodes: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        inodes |= _listening(files, table, port)
    targets = {f"socket:[{inode}]" for inode in inodes}
    if not targets:
        return None
    likely = sorted(processes, key=lambda process: -process.rss_bytes)
    pids = [process.pid for process in likely]
    if files.is_this_machine:
        # npulse's own process may listen: the simulator runs in it in a test.
        pids.append(os.getpid())
    return next((pid for pid in pids if _holds(files, pid, targets)), None)


def _listening(files: Files, table: str, port: int) -> set[str]:
    try:
        return listening_inodes(files.read_all(table), port)
    except OSError:
        return set()
    finally:
        files.forget(table)


def _holds(files: Files, pid: int, targets: set[str]) -> bool:
    folder = f"/proc/{pid}/fd"
    return any(files.link(f"{folder}/{entry}") in targets for entry in files.names(folder))


def _holder(owner: int, processes: list[Process]) -> int:
    """``owner``, or its descendant with the most shared memory if that is at least 64 MiB."""
    family = {owner}
    for _ in range(4):
        family |= {process.pid for process in processes if process.parent in family}
    best = max(
        (process for process in processes if process.pid in family),
        key=lambda process: process.shared_bytes,
        default=None,
    )
    return best.pid if best and best.shared_bytes >= MODEL_BYTES else owner
