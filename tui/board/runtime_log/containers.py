"""Docker and Podman containers: which one publishes a port, and the command for its log.

Only their command-line programs are used, as the user who runs npulse. A user who may not use them
gets no log.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from typing import Literal

PROGRAM_S = 3.0
MAX_OUTPUT_BYTES = 1 << 20

ContainerProgram = Literal["docker", "podman"]
PROGRAMS: tuple[ContainerProgram, ...] = ("docker", "podman")

_ID = re.compile(r"[0-9a-f]{12,64}")
_CGROUP = re.compile(r"\b(docker|libpod)[-/]([0-9a-f]{12,64})\b")

RunProgram = Callable[[Sequence[str]], bytes]
"""Runs a command; returns its standard output and error. Raises OSError and SubprocessError."""


def run_program(command: Sequence[str]) -> bytes:
    """The last MiB of a program's output and error output, as a container's log has both.

    Raises OSError, and subprocess.SubprocessError for a nonzero exit code or after 3 s.
    """
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=PROGRAM_S,
        check=True,
    )
    return done.stdout[-MAX_OUTPUT_BYTES:]


def container_of_cgroup(cgroup: str) -> tuple[ContainerProgram, str] | None:
    """The container program and the container's id, from /proc/PID/cgroup; None without one."""
    match = _CGROUP.search(cgroup)
    if match is None:
        return None
    return ("docker" if match[1] == "docker" else "podman"), match[2]


def container_of_port(
    port: int, run: RunProgram = run_program
) -> tuple[ContainerProgram, str] | None:
    """The running container that publishes ``port``; None if none or several do."""
    for program in PROGRAMS:
        command = (program, "ps", "--no-trunc", "--quiet", "--filter", f"publish={port}")
        try:
            output = run(command)
        except (OSError, subprocess.SubprocessError):
            continue
        ids = [line for line in output.decode("ascii", "replace").split() if _ID.fullmatch(line)]
        if len(ids) == 1:
            return program, ids[0]
    return None


def log_command(
    program: ContainerProgram, container_id: str, since_s: int, lines: int
) -> Sequence[str]:
    """The command that prints a container's last log lines since ``since_s`` (UNIX), with times."""
    return (
        program,
        "logs",
        "--timestamps",
        f"--since={since_s}",
        f"--tail={lines}",
        container_id,
    )
