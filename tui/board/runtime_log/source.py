"""Finds the log of a server process, and whether this user may read it."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from typing import Literal

from tui.board.readers.files import Files
from tui.board.runtime_log.containers import container_of_cgroup

VARIABLE = "RKLLM_LOG_LEVEL"
MAX_ENVIRONMENT_BYTES = 1 << 16
OWN_LOGS = ("api.log",)
"""Log files that servers write in their working directory."""

_UNIT = re.compile(r"/system\.slice/([^/\n]{1,200}\.service)\s*$", re.MULTILINE)
_USER_UNIT = re.compile(
    r"/user@[0-9]+\.service/[^/\n]{1,100}\.slice/([^/\n]{1,200}\.service)\s*$", re.MULTILINE
)

SourceKind = Literal["file", "journal", "user-journal", "docker", "podman", "none"]


@dataclass(frozen=True, slots=True)
class LogSource:
    """Where the log of a server process can be read.

    ``name`` is the path to open, the name of a systemd unit, or the id of a container.
    ``has_variable``: whether ``RKLLM_LOG_LEVEL`` is set to 1 or more; None if the environment
    cannot be read. ``reason`` says why there is no log (kind ``none``). ``user_path`` is the real
    path of the file where ``name`` leads through /proc. The strings are not sanitised.
    """

    kind: SourceKind
    name: str = ""
    pid: int | None = None
    has_variable: bool | None = None
    reason: str = ""
    user_path: str | None = None


def find(files: Files, pid: int) -> LogSource:
    """Where the output of process ``pid`` goes. Opens only regular files: reading from a pipe
    would take the data away from its real reader."""
    has_variable = _has_variable(files, pid)

    def found(
        kind: SourceKind, name: str, *, reason: str = "", user_path: str | None = None
    ) -> LogSource:
        return LogSource(kind, name, pid, has_variable, reason, user_path)

    own = _own_log(files, pid)
    if own is not None:
        folder = files.link(f"/proc/{pid}/cwd")
        user_path = None if folder is None else f"{folder.rstrip('/')}/{own.rpartition('/')[2]}"
        return found("file", own, user_path=user_path)
    output = f"/proc/{pid}/fd/1"
    target = files.link(output)
    if target is not None and _is_regular(files, output):
        return found("file", output, user_path=target)
    if target is not None and target.startswith("pipe:"):
        copy = _copy_of_pipe(files, target)
        if copy is not None:
            return found("file", copy, user_path=files.link(copy))
    cgroup = _text(files, f"/proc/{pid}/cgroup")
    if (container := container_of_cgroup(cgroup)) is not None:
        return found(*container)
    if unit := _USER_UNIT.search(cgroup):
        return found("user-journal", unit[1])
    if unit := _UNIT.search(cgroup):
        return found("journal", unit[1])
    return found("none", "", reason=_why_not(target))


def _why_not(target: str | None) -> str:
    if target is None:
        return "its output belongs to another user"
    if target == "/dev/null":
        return "its output is discarded"
    if target.startswith(("/dev/pts", "/dev/tty")):
        return "its output goes to a terminal"
    return "its output goes to another program"


def _own_log(files: Files, pid: int) -> str | None:
    for name in OWN_LOGS:
        path = f"/proc/{pid}/cwd/{name}"
        if _is_regular(files, path):
            return path
    return None


def _is_regular(files: Files, path: str) -> bool:
    try:
        return stat.S_ISREG(files.stat(path).st_mode)
    except OSError:
        return False


def _copy_of_pipe(files: Files, pipe: str) -> str | None:
    """The file that a ``tee`` at the other end of this pipe writes; None if it is not visible."""
    for entry in files.names("/proc"):
        if not (entry.isascii() and entry.isdigit()) or files.link(f"/proc/{entry}/fd/0") != pipe:
            continue
        for number in files.names(f"/proc/{entry}/fd"):
            path = f"/proc/{entry}/fd/{number}"
            if number.isdigit() and int(number) > 2 and _is_regular(files, path):
                return path
    return None


def _has_variable(files: Files, pid: int) -> bool | None:
    try:
        data = files.read_once(f"/proc/{pid}/environ", MAX_ENVIRONMENT_BYTES)
    except OSError:
        return None
    for entry in data.split(b"\0"):
        name, _, value = entry.partition(b"=")
        if name == VARIABLE.encode():
            return value.strip().isdigit() and int(value[:4]) >= 1
    return False


def _text(files: Files, path: str) -> str:
    try:
        return files.read_once(path).decode("utf-8", "replace")
    except OSError:
        return ""
