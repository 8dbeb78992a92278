"""The active run: a file that names its journal, so that other processes can follow it.

A run takes the lock of the folder of runs, then writes ``detached/current.json``, however it was
started: by a screen, a script, in another terminal. So a screen finds a run that it did not start,
and follows it from its first event. Until a run has a folder, its journal is a temporary file
beside current.json; then current.json names the journal in that folder, and the offset of the same
events. For a run on several boards, lock and current.json are below
:func:`tui.bench.store.folder.boards_folder`.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from tui.bench.store import runs
from tui.files.private import make_folder, read_regular, write_whole
from tui.servers.address import is_local

EVENTS_FOLDER = "detached"
MARK_FILE = "current.json"
KEEP_S = 3600.0
"""How long files of an ended run are kept here, for processes that still read them."""
MAX_MARK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class ActiveRun:
    """The active run. ``url`` is empty until it has found its server.

    ``offset`` is the byte in the journal at which its first event begins: a resumed run appends to
    the earlier journal.
    """

    pid: int
    journal: Path
    offset: int = 0
    url: str = ""


def new_journal(folder: Path) -> Path:
    """Path for the temporary journal of a run without a folder. Creates its folder; raises
    OSError."""
    place = folder / EVENTS_FOLDER
    make_folder(place)
    return place / f"{os.getpid()}-{os.urandom(4).hex()}.jsonl"


def mark(folder: Path, journal: Path, offset: int = 0, url: str = "") -> None:
    """Mark this process as the active run, and delete old files. Requires the lock. Raises
    OSError."""
    told = {"pid": os.getpid(), "journal": str(journal.absolute()), "offset": offset, "url": url}
    place = folder / EVENTS_FOLDER
    write_whole(place / MARK_FILE, json.dumps(told).encode())
    oldest = time.time() - KEEP_S
    for path in (*place.glob("*.jsonl"), *place.glob("*.txt")):
        if path != journal and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def marked(folder: Path, since_s: float = 0.0) -> ActiveRun | None:
    """The run that was marked last, if that was after ``since_s`` (UNIX, s); else None."""
    path = folder / EVENTS_FOLDER / MARK_FILE
    try:
        if path.stat().st_mtime < since_s:
            return None
        data = read_regular(path)[:MAX_MARK_BYTES]
        found = msgspec.json.decode(data, type=ActiveRun, dec_hook=lambda _, name: Path(name))
    except (OSError, ValueError, RecursionError):
        return None
    return found if found.journal.suffix == ".jsonl" and found.offset >= 0 else None


def told_by(folder: Path, pid: int, since_s: float) -> ActiveRun | None:
    """The run of process ``pid`` since ``since_s`` (UNIX, s): by its mark, or without the lock by
    its temporary journal. None if there is none."""
    found = marked(folder, since_s)
    if found is not None and found.pid == pid:
        return found
    try:
        for path in (folder / EVENTS_FOLDER).glob(f"{pid}-*.jsonl"):
            if path.stat().st_mtime >= since_s:
                return ActiveRun(pid, path)
    except OSError:
        # The run has just moved to its own folder.
        return None
    return None


def running(folder: Path) -> ActiveRun | None:
    """The marked run, if it is still running; else None.

    Pids are reused, so the mark is valid only while that process holds the lock.
    """
    found = marked(folder)
    holder = runs.lock_holder(folder)
    if found is None or holder is None or holder.pid != found.pid:
        return None
    return found if found.journal.is_file() else None


def why_wait(folder: Path, url: str) -> str | None:
    """Why a chat with the server at ``url`` should wait, as it would disturb a benchmark.

    One sentence, or None, also if the benchmark uses another machine's server.
    """
    holder = runs.holder(folder)
    if holder is None:
        return None
    current = running(folder)
    if current is not None and not is_same_machine(current.url, url):
        return None
    return f"a benchmark is running: {holder}"


def is_here(folder: Path) -> bool:
    """Whether a benchmark uses the NPU of this machine; True while its server is unknown."""
    if runs.holder(folder) is None:
        return False
    current = running(folder)
    return current is None or is_same_machine(current.url, "http://localhost")


def is_same_machine(run_url: str, url: str) -> bool:
    """Whether the servers at these URLs share an NPU. An empty ``run_url`` (a run that has not
    found its server yet) may be any."""
    return not run_url or _host(run_url) == _host(url)


def _host(url: str) -> str:
    """The host name of a server; empty for this machine, by any of its names."""
    try:
        return "" if is_local(url) else (urlsplit(url).hostname or "").lower()
    except ValueError:
        return url
