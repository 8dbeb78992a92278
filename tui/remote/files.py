"""Files of a remote board, for the board's readers.

Files are not read one by one, as each would take a round trip. The paths that the readers used in
the last samples are read in one round before the next sample, and the readers get these contents.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path

from tui.board.readers.files import READ_BYTES, Files
from tui.remote.requests import Answer, Kind, Request

KEPT_ROUNDS = 7
"""A path is read as long as a reader used it in one of the last rounds; the slowest readers use
theirs every five samples."""
MAX_PATHS = 4000
"""Most paths in one round. A board needs about a hundred."""
_ALL_PROCESSES = Request("P", "/proc")
_PROCESS_STAT = re.compile(r"/proc/([0-9]{1,9})/stat")
_NOT_YET = Answer(None, errno.ENOENT)


class RemoteFiles(Files):
    """Serves reads from the answers of the last round.

    :meth:`wanted` returns the requests of the next round, :meth:`put` stores their answers. A path
    that was not requested yet does not exist for readers. So several rounds are needed at the
    start, one per level of folders.
    """

    def __init__(self, root: str = "/") -> None:
        super().__init__(Path("/nowhere/but/on/the/board"))
        self._there = root.rstrip("/")
        self._answers: dict[Request, Answer] = {}
        self._wanted_at: dict[Request, int] = {}
        self._round = 0
        self.has_new_wishes = False
        """Whether a reader used a new path since the last round."""

    @property
    def is_this_machine(self) -> bool:
        return False

    def wanted(self) -> list[Request]:
        """The requests of the next round, in a fixed order."""
        self._wanted_at = {
            one: at
            for one, at in self._wanted_at.items()
            if at > self._round - (1 if one == _ALL_PROCESSES else KEPT_ROUNDS)
        }
        if len(self._answers) > MAX_PATHS:
            # Contents of paths that are used seldom are kept until they are requested again.
            kept = self._wanted_at
            self._answers = {one: said for one, said in self._answers.items() if one in kept}
        return list(self._wanted_at)[:MAX_PATHS]

    def asked(self, request: Request) -> Request:
        """The request as sent, with the board's root before its path."""
        return Request(request.kind, self._there + request.path)

    def put(self, requests: list[Request], answers: list[Answer]) -> None:
        """Store the answers of a round, one per request."""
        self._answers.update(zip(requests, answers, strict=True))
        self._round += 1
        self.has_new_wishes = False

    def read(self, path: str, limit: int = READ_BYTES) -> bytes:
        return self._data(Request(_kind_of(path), path))[:limit]

    def read_all(self, path: str, limit: int = 1 << 18) -> bytes:
        kind = _kind_of(path)
        return self._data(Request("A" if kind == "R" else kind, path))[:limit]

    def read_once(self, path: str, limit: int = READ_BYTES) -> bytes:
        process = _PROCESS_STAT.fullmatch(path)
        if process is not None and (line := self._processes().get(process[1])) is not None:
            return line
        return self.read(path, limit)

    def _processes(self) -> dict[str, bytes]:
        """/proc/PID/stat of all processes by pid, in one request."""
        try:
            lines = self._data(_ALL_PROCESSES).splitlines()
        except OSError:
            return {}
        return {os.fsdecode(line.partition(b" ")[0]): line for line in lines if line[:1].isdigit()}

    def names(self, path: str) -> list[str]:
        if path == "/proc":
            return sorted(self._processes())
        if path.startswith("/proc/") and path.endswith("/fd"):
            # Finding the process of a port would cost a round trip per process, and is mostly
            # not permitted: the server is found by its name instead.
            return []
        try:
            return sorted(os.fsdecode(self._data(Request("N", path))).splitlines())
        except OSError:
            return []

    def exists(self, path: str) -> bool:
        try:
            self._data(Request("E", path))
        except OSError:
            return False
        return True

    def stat(self, path: str) -> os.stat_result:
        """A status without size and times, if the path exists. Raises OSError."""
        self._data(Request("E", path))
        return os.stat_result((stat.S_IFREG | 0o444, 0, 0, 1, 0, 0, 0, 0, 0, 0))

    def link(self, path: str) -> str | None:
        try:
            return os.fsdecode(self._data(Request("L", path))).removesuffix("\n")
        except OSError:
            return None

    def forget(self, path: str) -> None:
        """Nothing is open."""

    def forget_below(self, directory: str) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Nothing is open."""

    def _data(self, request: Request) -> bytes:
        if request not in self._wanted_at:
            self.has_new_wishes = True
        self._wanted_at[request] = self._round
        answer = self._answers.get(request, _NOT_YET)
        if answer.data is None:
            number = answer.error or errno.EIO
            raise OSError(number, os.strerror(number), request.path)
        return answer.data


def _kind_of(path: str) -> Kind:
    if path == "/proc/stat":
        return "C"
    if path == "/proc/interrupts":
        return "I"
    has_nul_bytes = path.endswith("/cmdline") or "device-tree" in path or "devicetree" in path
    return "Z" if has_nul_bytes else "R"
