"""The journal of a run: one event per line, append-only, so that kill -9 cannot damage it.

Lines are collected in memory. :meth:`Journal.flush` writes them; the runner calls it in a worker
thread about every 0.4 s and at the end of each request. ``fsync`` is called at the end of each
request and at least every 5 s. Readers skip damaged lines and an incomplete last line; opening the
journal for appending removes an incomplete last line.
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
    """The journal cannot be written (full disk, missing folder)."""


class Journal:
    """Appends events to a file. :meth:`add` may be called from any thread and does no I/O."""

    def __init__(self, path: Path) -> None:
        """Open for appending. Raises JournalError."""
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
        """Size of the file in bytes."""
        return os.lseek(self._fd, 0, os.SEEK_END)

    def add(self, event: Event) -> None:
        """Queue an event for the next flush."""
        data = to_json(event, is_ascii=False) + b"\n"
        with self._lock:
            self._pending.append(data)

    def flush(self, *, sync: bool = False) -> None:
        """Write the queued lines, with fsync if ``sync`` or if the last one was 5 s ago.

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
        """Write the queued lines and close the file; write errors are ignored here."""
        if self._fd < 0:
            return
        try:
            self.flush(sync=True)
        except JournalError:
            pass
        os.close(self._fd)
        self._fd = -1


def _cut_torn_line(fd: int) -> None:
    """Truncate the file after its last complete line."""
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
    """A JournalError with one sentence for the user."""
    reason = error.strerror or "cannot be written"
    return JournalError(error.errno, f"the journal cannot be written: {reason}")


def read(path: Path) -> tuple[list[Event], int]:
    """The events of a run, without those for followers only and of warm-up, and the number of
    damaged lines.

    An incomplete last line does not count as damaged. Raises OSError.
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

    Decodes only the necessary lines, as most of a journal is samples and chunks. Raises OSError.
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
    """The beginnings of lines with these events."""
    return tuple(f'{{"type":"{kind.__struct_config__.tag}"'.encode() for kind in kinds)


_OUTLINE = _starts((Header, Segment, RequestEnded))
_LIVE_ONLY = _starts(get_args(LiveOnly))


def texts(lines: Iterable[Event]) -> dict[tuple[str, int], tuple[str, str]]:
    """(text, thinking) of the last attempt of each request."""
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
    """Chunk times (monotonic, ns) of the last attempt of each request."""
    times: dict[tuple[str, int], list[int]] = {}
    for line in lines:
        if isinstance(line, RequestStarted):
            times[line.id, line.rep] = []
        elif isinstance(line, TokensArrived) and (line.id, line.rep) in times:
            times[line.id, line.rep].extend(line.t_ns)
    return {key: tuple(value) for key, value in times.items()}


def chunk_ends(lines: Iterable[Event]) -> dict[tuple[str, int], str]:
    """Packed chunk ends of the last attempt of each request that has them."""
    found: dict[tuple[str, int], str] = {}
    for line in lines:
        if isinstance(line, RequestStarted):
            found.pop((line.id, line.rep), None)
        elif isinstance(line, RequestEnded) and line.chunk_ends:
            found[line.request.key] = line.chunk_ends
    return found
