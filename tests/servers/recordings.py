"""Recorded exchanges with real servers: exact bytes of heads and bodies, as curl got them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data"
_COMMAND = re.compile(rb"^# \$ (curl .*)$", re.MULTILINE)
_END = re.compile(rb"^# (?:\(no newline at end of body\)|curl exit)", re.MULTILINE)


@dataclass(frozen=True)
class Recorded:
    command: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        found = re.search(r"http://[^/ ]+(/[^ ]*)", self.command)
        assert found is not None
        return found.group(1)

    @property
    def is_stream(self) -> bool:
        return "event-stream" in self.headers.get("content-type", "")


@cache
def recorded(server: str, case: str) -> tuple[Recorded, ...]:
    """Every exchange in ``data/<server>/<case>.txt``, in order."""
    raw = (DATA / server / f"{case}.txt").read_bytes()
    starts = list(_COMMAND.finditer(raw))
    found = []
    for at, start in enumerate(starts):
        limit = starts[at + 1].start() if at + 1 < len(starts) else len(raw)
        block = raw[start.end() + 1 : limit]
        end = _END.search(block)
        block = block[: end.start()] if end else block
        head, _, body = block.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/"):
            continue
        lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if end and end.group(0).startswith(b"# (no newline"):
            body = body.removesuffix(b"\n")
        command = start.group(1).decode()
        found.append(Recorded(command, int(lines[0].split()[1]), headers, body))
    assert found, (server, case)
    return tuple(found)


def streams() -> list[tuple[str, Recorded]]:
    """Every recorded event stream, with a name for it."""
    found = []
    for path in sorted(DATA.glob("*/*.txt")):
        for number, one in enumerate(recorded(path.parent.name, path.stem)):
            if one.is_stream:
                found.append((f"{path.parent.name}/{path.stem}#{number}", one))
    return found
