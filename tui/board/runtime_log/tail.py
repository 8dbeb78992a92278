"""Reads the part of a log that was written since a request was sent, limited in size and time."""

from __future__ import annotations

import json
import os
import re
import subprocess
from datetime import datetime

from tui.board.readers.files import Files
from tui.board.runtime_log.blocks import LogLine
from tui.board.runtime_log.containers import ContainerProgram, RunProgram, log_command, run_program
from tui.board.runtime_log.source import LogSource

MAX_BYTES = 256 << 10
ROTATED_BYTES = 64 << 10
MAX_LINES = 400

_CONTAINER_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8})(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:[0-9]{2}) "
)
"""Docker writes UTC (Z), Podman local time with its offset."""


class LogTail:
    """The lines of one log since :meth:`mark`. Blocks: call it from a worker thread."""

    def __init__(self, files: Files, source: LogSource, run: RunProgram = run_program) -> None:
        self.source = source
        self._files = files
        self._run = run
        self._size: int | None = None
        self._since_s = 0.0

    def mark(self, wall_s: float) -> None:
        """Call when a request is sent, at ``wall_s`` (UNIX): earlier lines are not returned
        later."""
        self._since_s = wall_s
        if self.source.kind == "file":
            try:
                self._size = self._files.stat(self.source.name).st_size
            except OSError:
                self._size = None

    def lines(self) -> list[LogLine]:
        """The lines since :meth:`mark`; empty if the log cannot be read."""
        if self.source.kind == "file":
            return self._file_lines()
        if self.source.kind in ("journal", "user-journal"):
            return self._journal_lines()
        if self.source.kind in ("docker", "podman"):
            return self._container_lines()
        return []

    def _file_lines(self) -> list[LogLine]:
        path = self._files.full(self.source.name)
        try:
            size = self._files.stat(self.source.name).st_size
            start = max(size - ROTATED_BYTES, 0)
            if self._size is not None and size >= self._size:
                start = max(self._size, size - MAX_BYTES)
            number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
            try:
                data = os.pread(number, min(size - start, MAX_BYTES), start)
            finally:
                os.close(number)
        except OSError:
            return []
        text = data.decode("utf-8", "replace")
        return [dated_line(line) for line in text.split("\n")]

    def _journal_lines(self) -> list[LogLine]:
        unit = "--user-unit" if self.source.kind == "user-journal" else "--unit"
        command = (
            "journalctl",
            "-q",
            "--no-pager",
            "--output=json",
            "--output-fields=MESSAGE,_PID",
            "--all",
            f"{unit}={self.source.name}",
            f"--since=@{int(self._since_s)}",
            f"--lines={MAX_LINES}",
        )
        try:
            data = self._run(command)
        except (OSError, subprocess.SubprocessError):
            return []
        found = (journal_line(line) for line in data.split(b"\n"))
        return [line for line in found if line is not None]

    def _container_lines(self) -> list[LogLine]:
        program: ContainerProgram = "podman" if self.source.kind == "podman" else "docker"
        since_s = int(self._since_s)
        try:
            data = self._run(log_command(program, self.source.name, since_s, MAX_LINES))
        except (OSError, subprocess.SubprocessError):
            return []
        return [dated_line(line) for line in data.decode("utf-8", "replace").split("\n")]


def journal_line(data: bytes) -> LogLine | None:
    """One entry of ``journalctl --output=json``; None for a line that is no entry with a message.

    The message is a string, or an array of byte values if it is not printable UTF-8
    (systemd, "Journal JSON Format").
    """
    try:
        entry = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict):
        return None
    message = entry.get("MESSAGE")
    if isinstance(message, list):
        try:
            message = bytes(message).decode("utf-8", "replace")
        except (TypeError, ValueError):
            return None
    if not isinstance(message, str):
        return None
    stamp, pid = entry.get("__REALTIME_TIMESTAMP"), entry.get("_PID")
    return LogLine(message, _microseconds(stamp), _number(pid))


def _microseconds(text: object) -> float | None:
    number = _number(text)
    return None if number is None else number / 1e6


def _number(text: object) -> int | None:
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 20:
        return int(text)
    return None


def dated_line(line: str) -> LogLine:
    """A log line, with its time if it begins with one as ``docker logs --timestamps`` prints."""
    head = _CONTAINER_TIME.match(line)
    if head is None:
        return LogLine(line)
    try:
        offset = "+0000" if head[3] == "Z" else head[3]
        whole = datetime.strptime(head[1] + offset, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return LogLine(line)
    fraction = float(f"0.{head[2]}") if head[2] else 0.0
    return LogLine(line[head.end() :], whole.timestamp() + fraction)
