"""Reads a recording; of a damaged one the readable part, with a description of the damage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from tui.core.text.sanitize import clean_line
from tui.files.private import read_regular
from tui.recording import lines
from tui.recording.lines import (
    VERSION,
    Board,
    Closed,
    EndMark,
    Event,
    Failed,
    Header,
    Request,
    ServerError,
    Stopped,
    Token,
)

MAX_BYTES = 256 << 20
ENDS = (EndMark, Closed, Failed, Stopped, ServerError)


class RecordingError(ValueError):
    """The file cannot be used as a recording. The message is one sentence that names the file."""


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """A request and its events, ordered by time. ``before``: earlier board samples."""

    request: Request
    events: tuple[Event, ...]
    before: tuple[Board, ...] = ()

    @property
    def tokens(self) -> int:
        """Number of chunks of text and thinking."""
        return sum(isinstance(event, Token) for event in self.events)


@dataclass(frozen=True, slots=True)
class Recording:
    """The readable content of a file; ``problem`` describes damage, as one clause."""

    answers: tuple[RecordedAnswer, ...]
    header: Header
    problem: str | None = None


def read_recording(path: Path) -> Recording:
    """The recording in this file. Raises RecordingError."""
    name = clean_line(str(path))
    try:
        if path.is_file() and path.stat().st_size > MAX_BYTES:
            raise RecordingError(
                f"{name} is larger than {MAX_BYTES >> 20} MiB, too large for a recording"
            )
        data = read_regular(path)
    except OSError as error:
        raise RecordingError(f"cannot read {name}: {error.strerror or error}") from error
    return parse(data, name)


def parse(data: bytes, name: str) -> Recording:
    """Parses a recording. ``name`` is the file's name in messages. Raises RecordingError."""
    found = _Lines()
    try:
        for number, row in enumerate(data.split(b"\n"), 1):
            if row.strip():
                found.take(number, row)
    except _NewerError as error:
        raise RecordingError(
            f"{name} was written by a newer npulse (recording version {error.version}, this one "
            f"reads up to {VERSION}); update npulse to open it"
        ) from None
    if not found.answers:
        raise RecordingError(_why_nothing(name, found))
    return Recording(found.recorded(), found.header or Header(version=VERSION), found.problem)


def _why_nothing(name: str, found: _Lines) -> str:
    if not found.n_lines:
        return f"{name} is empty; a recording is written by npulse record"
    if found.header is not None:
        return f"{name} is a recording without any answer in it"
    return f"{name} is not a recording of npulse: line {found.first_number} is not one of its lines"


class _NewerError(Exception):
    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


class _Lines:
    """State while reading."""

    def __init__(self) -> None:
        self.header: Header | None = None
        self.answers: list[tuple[Request, list[Event]]] = []
        self.before: list[Board] = []
        self.problems: list[tuple[int, str]] = []
        self.n_lines = self.first_number = self.last_number = 0

    def take(self, number: int, row: bytes) -> None:
        self.first_number = self.first_number or number
        self.last_number = number
        self.n_lines += 1
        try:
            line = lines.decode(row)
        except ValueError as error:
            _refuse_newer(row)
            self.problems.append((number, clean_line(str(error), 120)))
            return
        if line is None:
            return
        if isinstance(line, Header):
            self._take_header(line)
        elif isinstance(line, Request):
            self.answers.append((line, []))
        elif self.answers:
            self.answers[-1][1].append(line)
        elif isinstance(line, Board):
            self.before.append(line)
        elif self.problems:
            # The request line of this answer is damaged.
            self.answers.append((Request(t_ms=line.t_ms), [line]))

    def _take_header(self, header: Header) -> None:
        if header.version > VERSION:
            raise _NewerError(header.version)
        self.header = self.header or header

    def recorded(self) -> tuple[RecordedAnswer, ...]:
        """The answers with their events ordered by time. In the file, a board sample can come after
        later events: its time is its beginning, and it is written at its end."""
        before = tuple(self.before)
        made = []
        for request, events in self.answers:
            in_time = tuple(sorted(events, key=lambda event: event.t_ms))
            made.append(RecordedAnswer(request, in_time, before))
            before = ()
        return tuple(made)

    @property
    def problem(self) -> str | None:
        """The damage as one clause; None without any."""
        last = self.answers[-1][1]
        tokens = sum(isinstance(event, Token) for event in last)
        is_open = not any(isinstance(event, ENDS) for event in last)
        stops = f"the recording stops after token {tokens}"
        if not self.problems:
            return f"the file ends before the answer does: {stops}" if is_open else None
        number, why = self.problems[0]
        if len(self.problems) == 1 and number == self.last_number:
            then = stops if is_open else "the answers before it are complete"
            return f"line {number} is cut off; {then}"
        more = len(self.problems) - 1
        others = "" if not more else f", nor {more} more line{'s' if more > 1 else ''}"
        then = f"; {stops}" if is_open else "; the rest is kept"
        return f"line {number} cannot be read ({why}){others}{then}"


def _refuse_newer(row: bytes) -> None:
    """Raises _NewerError for a newer version, whose header may not decode."""
    try:
        first = msgspec.json.decode(row)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return
    if isinstance(first, dict) and first.get("kind") == "recording":
        version = first.get("version")
        if isinstance(version, int) and version > VERSION:
            raise _NewerError(version)
