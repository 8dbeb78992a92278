"""Finds the lines of the model load in a server's log, which may lie far back."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace

from tui.board.readers.files import Files
from tui.board.runtime_log.blocks import LogLine, load_facts
from tui.board.runtime_log.containers import ContainerProgram, RunProgram, log_command, run_program
from tui.board.runtime_log.source import LogSource
from tui.board.runtime_log.tail import dated_line, journal_line
from tui.core.board.load_facts import LoadFacts
from tui.core.text.sanitize import clean_line

END_BYTES = 1 << 18
"""How much is read at the beginning and at the end of a log file."""
MAX_JOURNAL_LINES = 60
MAX_CONTAINER_LINES = 4000
WORDS = "rkllm-runtime version|rkllm-toolkit version|Enabled cpus"


def facts_of_load(files: Files, source: LogSource, run: RunProgram = run_program) -> LoadFacts:
    """The facts of the last model load in this log; empty if it cannot be read. Takes up to 3 s."""
    found = load_facts(_lines(files, source, run))
    return replace(found, source=place(source)) if found.is_known else found


def place(source: LogSource) -> str:
    """Where the log is, as part of a sentence, sanitised."""
    name = clean_line(source.user_path or source.name, 120)
    if source.kind == "file":
        return f"the file {name}"
    if source.kind in ("docker", "podman"):
        return f"{source.kind} logs {name[:12]}"
    return f"the journal of {name}"


def _lines(files: Files, source: LogSource, run: RunProgram) -> list[LogLine]:
    if source.kind == "file":
        return _ends_of_file(files, source.name)
    if source.kind in ("journal", "user-journal"):
        unit = "--user-unit" if source.kind == "user-journal" else "--unit"
        command = (
            "journalctl", "-q", "--no-pager", "--output=json", "--output-fields=MESSAGE,_PID",
            "--all", "--boot", f"{unit}={source.name}", f"--grep={WORDS}",
            f"--lines={MAX_JOURNAL_LINES}",
        )  # fmt: skip
        try:
            rows = run(command).split(b"\n")
        except (OSError, subprocess.SubprocessError):
            return []
        return [line for row in rows if (line := journal_line(row)) is not None]
    if source.kind in ("docker", "podman"):
        program: ContainerProgram = "podman" if source.kind == "podman" else "docker"
        try:
            data = run(log_command(program, source.name, 0, MAX_CONTAINER_LINES))
        except (OSError, subprocess.SubprocessError):
            return []
        return [dated_line(line) for line in data.decode("utf-8", "replace").split("\n")]
    return []


def _ends_of_file(files: Files, name: str) -> list[LogLine]:
    """The lines at both ends of a file: a model is loaded at the server's start, or was
    recently."""
    try:
        size = files.stat(name).st_size
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
        number = os.open(files.full(name), flags)
        try:
            data = os.pread(number, END_BYTES, 0)
            if size > END_BYTES:
                data += b"\n" + os.pread(number, END_BYTES, max(size - END_BYTES, END_BYTES))
        finally:
            os.close(number)
    except OSError:
        return []
    return [LogLine(line) for line in data.decode("utf-8", "replace").split("\n")]
