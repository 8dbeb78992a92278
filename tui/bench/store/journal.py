"""The journal of a run: one JSON object per line, only ever appended, safe against kill -9.

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
from typing import TypeAlias

import msgspec
from msgspec import field

from tui.bench.model.conditions import Config, Env, Gate, Model
from tui.bench.model.records import Request, Run
from tui.bench.model.suite import Suite
from tui.bench.store.private_files import create_private, read_regular
from tui.core.text.json_text import escaped_json

FILE_NAME = "journal.jsonl"
FSYNC_S = 5.0


class JournalError(OSError):
    """The journal cannot be written (a full disk, a folder that vanished)."""


class _Line(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=str.lower):
    """Base of the lines."""


class Header(_Line, frozen=True, kw_only=True):
    """What the run is; the first line."""

    run: Run
    suite: Suite
    config: Config
    prompts_sha256: dict[str, str] = field(default_factory=dict)


class Segment(_Line, frozen=True, kw_only=True):
    """A stretch of the run begins: at the start, after a resume, with another server process."""

    number: int
    started_utc: str
    t_ns: int
    env: Env
    model: Model
    config: Config
    reason: str = "start"


class Configured(_Line, frozen=True, kw_only=True):
    """The configuration is known better than before: the server's way of streaming was seen."""

    config: Config


class Gated(_Line, frozen=True, kw_only=True):
    """A gate was looked at."""

    gate: Gate
    request: str | None = None
    """The request before which it was, None for the preflight."""


class Warmup(_Line, frozen=True, kw_only=True):
    """A discarded request before the measured ones."""

    request: Request


class Began(_Line, frozen=True, kw_only=True):
    """A request was sent."""

    id: str
    rep: int
    order: int
    segment: int
    wall: str
    t_ns: int
    prompt: str
    prompt_sha256: str
    system: str = ""
    attempt: int = 0


class Tokens(_Line, frozen=True, kw_only=True):
    """What arrived since the last such line."""

    id: str
    rep: int
    t_ns: tuple[int, ...] = ()
    text: str = ""
    thinking: str = ""


class Sampled(_Line, frozen=True, kw_only=True):
    """One sample of the board: dotted reading id -> value."""

    t_ns: int
    v: dict[str, float | str | None]


class Ended(_Line, frozen=True, kw_only=True):
    """A request is over, however it ended. The words are those after all corrections."""

    request: Request
    text: str = ""
    thinking: str = ""


class Note(_Line, frozen=True, kw_only=True):
    """Something worth remembering: a pause, a drain, a calibrated text."""

    t_ns: int
    text: str


class Closed(_Line, frozen=True, kw_only=True):
    """The segment is over."""

    number: int
    wall_s: float
    ended: str


Line: TypeAlias = (
    Header
    | Segment
    | Configured
    | Gated
    | Warmup
    | Began
    | Tokens
    | Sampled
    | Ended
    | Note
    | Closed
)

_decoder = msgspec.json.Decoder(Line)


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
            raise _failed(error) from error

    def add(self, line: Line) -> None:
        """Remembers a line for the next flush."""
        data = escaped_json(msgspec.json.encode(line)) + b"\n"
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
                raise _failed(error) from error

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


def _failed(error: OSError) -> JournalError:
    reason = error.strerror or "cannot be written"
    return JournalError(error.errno, f"the journal cannot be written: {reason}")


def read(path: Path) -> tuple[list[Line], int]:
    """Every readable line and the number of damaged ones (a torn last line is not counted).

    Raises OSError where the file cannot be read.
    """
    data = read_regular(path)
    lines: list[Line] = []
    damaged = 0
    parts = data.split(b"\n")
    for number, part in enumerate(parts):
        if not part.strip():
            continue
        line = _decode(part)
        if line is not None:
            lines.append(line)
        elif number < len(parts) - 1:
            damaged += 1
    return lines, damaged


def outline(path: Path) -> tuple[Header | None, Segment | None, int]:
    """(header, first segment, requests with a usable answer) of a run without its report.

    Only the lines that say so are decoded: samples and tokens are most of a journal. Raises
    OSError.
    """
    header: Header | None = None
    segment: Segment | None = None
    scored: set[tuple[str, int]] = set()
    if not path.is_file():
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        for data in file:
            if not data.startswith(_OUTLINE):
                continue
            line = _decode(data)
            if isinstance(line, Header):
                header = header or line
            elif isinstance(line, Segment):
                segment = segment or line
            elif isinstance(line, Ended) and line.request.is_scored:
                scored.add(line.request.key)
    return header, segment, len(scored)


_OUTLINE = tuple(f'{{"type":"{kind}"'.encode() for kind in ("header", "segment", "ended"))


def _decode(data: bytes) -> Line | None:
    try:
        line: Line = _decoder.decode(data)
    except (ValueError, RecursionError):
        # Bytes that are no UTF-8 raise UnicodeDecodeError, not msgspec's own error.
        return None
    return line


def texts(lines: Iterable[Line]) -> dict[tuple[str, int], tuple[str, str]]:
    """(text, thinking) of every request, the last attempt of each."""
    parts: dict[tuple[str, int], tuple[list[str], list[str]]] = {}
    for line in lines:
        if isinstance(line, Began):
            parts[line.id, line.rep] = ([], [])
        elif isinstance(line, Tokens) and (line.id, line.rep) in parts:
            text, thinking = parts[line.id, line.rep]
            text.append(line.text)
            thinking.append(line.thinking)
        elif isinstance(line, Ended) and (line.text or line.thinking):
            parts[line.request.key] = ([line.text], [line.thinking])
    return {key: ("".join(text), "".join(thinking)) for key, (text, thinking) in parts.items()}


def stamps(lines: Iterable[Line]) -> dict[tuple[str, int], tuple[int, ...]]:
    """Token times of every request, the last attempt of each."""
    times: dict[tuple[str, int], list[int]] = {}
    for line in lines:
        if isinstance(line, Began):
            times[line.id, line.rep] = []
        elif isinstance(line, Tokens) and (line.id, line.rep) in times:
            times[line.id, line.rep].extend(line.t_ns)
    return {key: tuple(value) for key, value in times.items()}
