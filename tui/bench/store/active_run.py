"""The running benchmark: the mark that says where its journal is.

A run takes the lock of its folder, then marks itself in ``detached/current.json``, whoever began
it: a screen, a script, another terminal. That is how a screen finds a run that it did not begin,
and follows it from its first event on. Until a run has a folder its journal is a file beside the
mark; then the mark names the journal in that folder, and where in it the same events begin. A run
on many boards has lock and mark below :func:`tui.bench.store.folder.boards_folder`.
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
"""How long what a run left here stays, for whoever still reads it."""
MAX_MARK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class ActiveRun:
    """The running benchmark. ``url`` is empty until it has found its server.

    ``offset`` is where its first event begins in the journal, in bytes: a run that is resumed goes
    on in the journal of before.
    """

    pid: int
    journal: Path
    offset: int = 0
    url: str = ""


def new_journal(folder: Path) -> Path:
    """Where a run can tell of itself until it has a folder. Raises OSError."""
    place = folder / EVENTS_FOLDER
    make_folder(place)
    return place / f"{os.getpid()}-{os.urandom(4).hex()}.jsonl"


def mark(folder: Path, journal: Path, offset: int = 0, url: str = "") -> None:
    """Says that this process is the running benchmark. The lock must be held. Raises OSError."""
    told = {"pid": os.getpid(), "journal": str(journal.absolute()), "offset": offset, "url": url}
    place = folder / EVENTS_FOLDER
    write_whole(place / MARK_FILE, json.dumps(told).encode())
    oldest = time.time() - KEEP_S
    for path in (*place.glob("*.jsonl"), *place.glob("*.txt")):
        if path != journal and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def marked(folder: Path, since_s: float = 0.0) -> ActiveRun | None:
    """The run that marked itself last, if it did so since then (seconds since 1970)."""
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
    """What that process tells of itself: by its mark, or, where another one held the lock, by the
    journal that it left here since then."""
    found = marked(folder, since_s)
    if found is not None and found.pid == pid:
        return found
    try:
        for path in (folder / EVENTS_FOLDER).glob(f"{pid}-*.jsonl"):
            if path.stat().st_mtime >= since_s:
                return ActiveRun(pid, path)
    except OSError:
        # The run has just gone on in its own folder.
        return None
    return None


def running(folder: Path) -> ActiveRun | None:
    """The marked run, if it still runs.

    Numbers of processes are used again: the mark counts only while that process holds the lock.
    """
    found = marked(folder)
    holder = runs.lock_holder(folder)
    if found is None or holder is None or holder.pid != found.pid:
        return None
    return found if found.journal.is_file() else None


def why_wait(folder: Path, url: str) -> str | None:
    """Why a chat with the server at ``url`` should wait: an answer now would spoil a measurement.

    One sentence, or None. A run on another machine's server does not disturb.
    """
    holder = runs.holder(folder)
    if holder is None:
        return None
    current = running(folder)
    if current is not None and not is_same_machine(current.url, url):
        return None
    return f"a benchmark is running: {holder}"


def is_here(folder: Path) -> bool:
    """Whether a benchmark uses the NPU of this machine, as far as it is known."""
    if runs.holder(folder) is None:
        return False
    current = running(folder)
    return current is None or is_same_machine(current.url, "http://localhost")


def is_same_machine(run_url: str, url: str) -> bool:
    """Whether a benchmark of the server at ``run_url`` and a chat with that at ``url`` share an
    NPU. A run that has not found its server yet may use any."""
    return not run_url or _host(run_url) == _host(url)


def _host(url: str) -> str:
    """The machine of a server; "" is this one, whatever it was called."""
    try:
        return "" if is_local(url) else (urlsplit(url).hostname or "").lower()
    except ValueError:
        return url
