"""Containers of Docker and Podman: which one publishes a port, and how its log is asked for.

Only their command-line programs are used, as the user who runs npulse: who may not use them gets
no log.
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
"""Gives what a program printed, both of its outputs. Raises OSError and SubprocessError."""


def run_program(command: Sequence[str]) -> bytes:
    """The end of what a program prints, standard error with it: a container's log has both.

    Raises OSError, and subprocess.SubprocessError for an exit code or after 3 s.
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
    """The program and the container's id out of /proc/PID/cgroup."""
    match = _CGROUP.search(cgroup)
    if match is None:
        return None
    return ("docker" if match[1] == "docker" else "podman"), match[2]


def container_of_port(
    port: int, run: RunProgram = run_program
) -> tuple[ContainerProgram, str] | None:
    """The one running container that publishes ``port``; None where none or several do."""
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
    """Prints the last ``lines`` of a container's log since ``since_s`` (UNIX), with their times."""
    return (
        program,
        "logs",
        "--timestamps",
        f"--since={since_s}",
        f"--tail={lines}",
        container_id,
    )
