"""The running benchmark: its lock, its mark, and the file of its events.

A run takes the lock of its folder, then marks itself in ``detached/current.json`` and writes every
event to a file beside it, whoever began it: a screen, a script, another terminal. That is how a
screen finds a run that it did not begin, and follows it from its first event on.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from tui.bench.store import runs
from tui.bench.store.private_files import create_private, make_folder, read_regular
from tui.servers.address import is_local

EVENTS_FOLDER = "detached"
MARK_FILE = "current.json"
KEEP_S = 3600.0
"""How long events of a run that is over stay, for whoever still reads them."""
MAX_MARK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class ActiveRun:
    """The running benchmark. ``url`` is empty until it has found its server."""

    pid: int
    events: Path
    url: str = ""


def new_events(folder: Path) -> Path:
    """Where a new run can write its events; the folder is made. Raises OSError."""
    place = folder / EVENTS_FOLDER
    make_folder(place)
    return place / f"{os.getpid()}-{os.urandom(4).hex()}.jsonl"


def running(folder: Path) -> ActiveRun | None:
    """The marked run, if it still runs.

    Numbers of processes are used again: the mark counts only while that process holds the lock.
    """
    place = folder / EVENTS_FOLDER
    try:
        mark = json.loads(read_regular(place / MARK_FILE)[:MAX_MARK_BYTES])
        pid, name, url = mark["pid"], mark["events"], mark.get("url", "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not isinstance(pid, int) or not isinstance(name, str) or not isinstance(url, str):
        return None
    events = place / Path(name).name
    holder = runs.lock_holder(folder)
    if holder is None or holder.pid != pid or not events.is_file():
        return None
    return ActiveRun(pid, events, url)


def why_wait(folder: Path, url: str) -> str | None:
    """Why a chat with the server at ``url`` should wait: an answer now would spoil a measurement.

    One sentence, or None. A run on another machine's server does not disturb.
    """
    holder = runs.holder(folder)
    if holder is None:
        return None
    current = running(folder)
    if current is not None and current.url and _host(current.url) != _host(url):
        return None
    return f"a benchmark is running: {holder}; F3 shows it"


def _host(url: str) -> str:
    """The machine of a server; "" is this one, whatever it was called."""
    try:
        return "" if is_local(url) else (urlsplit(url).hostname or "").lower()
    except ValueError:
        return url


class EventFile:
    """Events of the run of this process, one JSON line each, for whoever follows it.

    ``path`` is where whoever began it looks for them; without it a new file is made. Nothing is
    written before :meth:`begin`: another run may hold the lock, and its mark must stay.
    """

    def __init__(self, folder: Path, path: Path | None = None) -> None:
        self._folder = folder
        self._path = path
        self._file: BinaryIO | None = None
        self._url: str | None = None

    def write(self, line: bytes) -> None:
        """Appends one line. A disk that takes no more ends the file, not the run."""
        if self._url is None and self._path is None:
            return
        self._safely(lambda: self._write(line))

    def begin(self, url: str | None = None) -> None:
        """Marks the run; again once it knows its server. The lock must be held."""
        if self._url is None or url:
            self._url = url or ""
            self._safely(lambda: self._mark(url or ""))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _safely(self, act: Callable[[], None]) -> None:
        try:
            act()
        except OSError:
            self.close()

    def _write(self, line: bytes) -> None:
        if self._file is None:
            if self._path is None:
                self._path = new_events(self._folder)
            fd = create_private(self._path, os.O_WRONLY | os.O_APPEND)
            self._file = os.fdopen(fd, "ab", buffering=0)
        self._file.write(line + b"\n")

    def _mark(self, url: str) -> None:
        if self._path is None:
            self._path = new_events(self._folder)
        mark = {"pid": os.getpid(), "events": self._path.name, "url": url}
        place = self._folder / EVENTS_FOLDER
        runs.write_whole(place / MARK_FILE, json.dumps(mark).encode())
        oldest = time.time() - KEEP_S
        for path in place.glob("*.jsonl"):
            if path != self._path and path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)
