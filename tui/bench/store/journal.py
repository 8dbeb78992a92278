"""The journal of a run: one event per line, only ever appended, safe against kill -9.

Lines are collected in memory and written by :meth:`Journal.flush`, which the runner calls every
second and at the end of every request from a worker thread; ``fsync`` follows at the end of every
request and at least every five seconds. A reader tolerates a torn last line and skips a damaged
one; whoever opens the journal to go on cuts a torn last line off first.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, get_args

import msgspec

from tui.bench.model.events import (
    Event,
    Header,
    LiveOnly,
    RequestEnded,
    RequestStarted,
    Segment,
    TokensArrived,
    from_json,
    to_json,
)
from tui.files.private import create_private, read_regular

FILE_NAME = "journal.jsonl"
FSYNC_S = 5.0


class JournalError(OSError):
    """The journal cannot be written (a full disk, a folder that vanished)."""


class Journal:
    """Appends lines to one file. ``add`` may be called from any thread and never blocks on I/O."""

    def __init__(self, path: Path) -> None:
        """Opens for appending. Raises JournalError."""
        self._lock = threading.Lock()
        self._pending: list[bytes] = []
        self._flushing = threading.Lock()
        self._synced_s = time.monotonic()
        try:
            self._fd = create_private(path, os.O_RDWR | os.O_APPEND)
            _cut_torn_line(self._fd)
        except OSError as error:
            raise journal_error(error) from error

    @property
    def size(self) -> int:
        """Bytes that are written."""
        return os.lseek(self._fd, 0, os.SEEK_END)

    def add(self, event: Event) -> None:
        """Remembers a line for the next flush."""
        data = to_json(event, is_ascii=False) + b"\n"
        with self._lock:
            self._pending.append(data)

    def flush(self, *, sync: bool = False) -> None:
        """Writes what is pending; on disk for certain after ``sync`` or every five seconds.

        Raises JournalError.
        """
        with self._flushing:
            with self._lock:
                data, self._pending = b"".join(self._pending), []
            try:
                while data:
                    data = data[os.write(self._fd, data) :]
                if sync or time.monotonic() - self._synced_s >= FSYNC_S:
                    os.fsync(self._fd)
                    self._synced_s = time.monotonic()
            except OSError as error:
                raise journal_error(error) from error

    def close(self) -> None:
        """Writes the rest and closes; errors of a full disk are swallowed here."""
        if self._fd < 0:
            return
        try:
            self.flush(sync=True)
        except JournalError:
            pass
        os.close(self._fd)
        self._fd = -1


def _cut_torn_line(fd: int) -> None:
    """Shortens the file to its last complete line."""
    size = os.lseek(fd, 0, os.SEEK_END)
    end, tail = size, b""
    while end > 0 and b"\n" not in tail:
        start = max(0, end - 65536)
        tail = os.pread(fd, end - start, start)
        at = tail.rfind(b"\n")
        if at >= 0:
            end = start + at + 1
            break
        end = start
    if end < size:
        os.ftruncate(fd, end)


def journal_error(error: OSError) -> JournalError:
    """The same as one sentence."""
    reason = error.strerror or "cannot be written"
    return JournalError(error.errno, f"the journal cannot be written: {reason}")


def read(path: Path) -> tuple[list[Event], int]:
    """What the run was, without what only followers need, and the number of damaged lines.

    A torn last line is not counted. Raises OSError where the file cannot be read.
    """
    data = read_regular(path)
    lines: list[Event] = []
    damaged = 0
    parts = data.split(b"\n")
    for number, part in enumerate(parts):
        if not part.strip() or part.startswith(_LIVE_ONLY):
            continue
        line = from_json(part)
        if isinstance(line, RequestStarted | TokensArrived) and line.is_warmup:
            continue
        if line is not None:
            lines.append(line)
        elif number < len(parts) - 1:
            damaged += 1
    return lines, damaged


class Outline(NamedTuple):
    """What a run without its report is: ``segment`` is the first one, ``scored`` the number of
    usable answers."""

    header: Header | None
    segment: Segment | None
    scored: int
    is_of_boards: bool


def outline(path: Path) -> Outline:
    """The outline of a run.

    Only the lines that say so are decoded: samples and tokens are most of a journal. Raises
    OSError.
    """
    header: Header | None = None
    segment: Segment | None = None
    is_of_boards = False
    scored: set[tuple[str, int]] = set()
    if not path.is_file():
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        for data in file:
            if not data.startswith(_OUTLINE):
                continue
            line = from_json(data)
            if isinstance(line, Header):
                header = header or line
            elif isinstance(line, Segment):
                segment = segment or line
                is_of_boards = is_of_boards or bool(line.board)
            elif isinstance(line, RequestEnded) and line.request.is_scored:
                scored.add(line.request.key)
    return Outline(header, segment, len(scored), is_of_boards)


def _starts(kinds: Iterable[type[msgspec.Struct]]) -> tuple[bytes, ...]:
    """How lines of these events begin."""
    return tuple(f'{{"type":"{kind.__struct_config__.tag}"'.encode() for kind in kinds)


_OUTLINE = _starts((Header, Segment, RequestEnded))
_LIVE_ONLY = _starts(get_args(LiveOnly))


def texts(lines: Iterable[Event]) -> dict[tuple[str, int], tuple[str, str]]:
    """(text, thinking) of every request, the last attempt of each."""
    parts: dict[tuple[str, int], tuple[list[str], list[str]]] = {}
    for line in lines:
        if isinstance(line, RequestStarted):
            parts[line.id, line.rep] = ([], [])
        elif isinstance(line, TokensArrived) and (line.id, line.rep) in parts:
            text, thinking = parts[line.id, line.rep]
            text.append(line.text)
            thinking.append(line.thinking)
        elif isinstance(line, RequestEnded) and (line.text or line.thinking):
            parts[line.request.key] = ([line.text], [line.thinking])
    return {key: ("".join(text), "".join(thinking)) for key, (text, thinking) in parts.items()}


def stamps(lines: Iterable[Event]) -> dict[tuple[str, int], tuple[int, ...]]:
    """Token times of every request, the last attempt of each."""
    times: dict[tuple[str, int], list[int]] = {}
    for line in lines:
        if isinstance(line, RequestStarted):
            times[line.id, line.rep] = []
        elif isinstance(line, TokensArrived) and (line.id, line.rep) in times:
            times[line.id, line.rep].extend(line.t_ns)
    return {key: tuple(value) for key, value in times.items()}


def chunk_ends(lines: Iterable[Event]) -> dict[tuple[str, int], str]:
    """Which words the chunks of a request brought, of its last attempt, where that is kept."""
    found: dict[tuple[str, int], str] = {}
    for line in lines:
        if isinstance(line, RequestStarted):
            found.pop((line.id, line.rep), None)
        elif isinstance(line, RequestEnded) and line.chunk_ends:
            found[line.request.key] = line.chunk_ends
    return found
