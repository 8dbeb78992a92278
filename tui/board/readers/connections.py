"""TCP connections of this machine and the processes that hold them, from /proc. Sends nothing."""

from __future__ import annotations

import re
import socket
import struct
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from tui.board.readers import parse
from tui.board.readers.files import Files
from tui.board.readers.reasons import UnreadableError

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
MAX_TABLE_BYTES = 4 << 20
ESTABLISHED = 1
READS = 3
"""Attempts, as a table that changes while it is read may lack a row."""
_PORT = rb"[0-9A-F]{4}"
_ROW = (
    rb"^ *[0-9]+: ([0-9A-F]{8}|[0-9A-F]{32}):(%s) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) "
    rb"([0-9A-F]{2}) \S+ \S+ \S+ +([0-9]+) +[0-9]+ ([0-9]+) "
)


class TcpConnection(NamedTuple):
    """A row of /proc/net/tcp or tcp6 (kernel documentation: networking/proc_net_tcp).

    ``local`` and ``remote`` are (address, port); an IPv4-mapped IPv6 address is given as IPv4.
    ``inode`` is 0 where the process has closed the socket.
    """

    local: tuple[str, int]
    remote: tuple[str, int]
    state: int
    uid: int
    inode: int


class Owner(NamedTuple):
    """A process that holds a socket."""

    pid: int
    name: str


def parse_connections(raw: bytes, port: int | None = None) -> Iterator[TcpConnection]:
    """The rows of one table, or only those with this local port; malformed rows are skipped."""
    pattern = re.compile(_ROW % (_PORT if port is None else b"%04X" % port), re.MULTILINE)
    for local, local_port, remote, remote_port, state, uid, inode in pattern.findall(raw):
        yield TcpConnection(
            (_address(local), int(local_port, 16)),
            (_address(remote), int(remote_port, 16)),
            int(state, 16),
            int(uid),
            int(inode),
        )


def connections(files: Files, port: int | None = None) -> list[TcpConnection]:
    """The rows of both tables, or only those with this local port, which is faster; empty if they
    cannot be read."""
    found: list[TcpConnection] = []
    for table in TABLES:
        with suppress(OSError):
            found += parse_connections(files.read_all(table, MAX_TABLE_BYTES), port)
        files.forget(table)
    return found


def clients_of(files: Files, port: int) -> list[TcpConnection]:
    """The established connections to a port of this machine, seen from the server's side."""
    return [row for row in connections(files, port) if row.state == ESTABLISHED]


def client_side(files: Files, host: str, port: int) -> TcpConnection | None:
    """The client's end of a connection: the row whose local address is ``host`` and ``port``.

    None if the client does not run on this machine.
    """
    for _ in range(READS):
        for row in connections(files, port):
            if row.local == (host, port) and row.inode:
                return row
    return None


def owner_of(files: Files, inode: int, likely: Iterable[int] = ()) -> Owner | None:
    """The process that holds the socket with this inode; the processes ``likely`` are tried first.
    None for another user's process, whose file descriptors cannot be read."""
    if not inode:
        return None
    target = f"socket:[{inode}]"
    asked = list(likely)
    for pid in (*asked, *_pids(files, set(asked))):
        if _holds(files, pid, target):
            return Owner(pid, _name(files, pid))
    return None


def _pids(files: Files, without: set[int]) -> Iterator[int]:
    """Highest pid first: a client is usually younger than the system's services."""
    numbers = (int(name) for name in files.names("/proc") if name.isdecimal() and len(name) < 10)
    return iter(sorted(set(numbers) - without, reverse=True))


def _holds(files: Files, pid: int, target: str) -> bool:
    folder = f"/proc/{pid}/fd"
    return any(files.link(f"{folder}/{entry}") == target for entry in files.names(folder))


def _name(files: Files, pid: int) -> str:
    """The script or module for an interpreter, else the process name; empty if unreadable."""
    try:
        name = parse.word(files.read_once(f"/proc/{pid}/comm"))
    except (OSError, UnreadableError):
        return ""
    if not name.startswith(("python", "node", "ruby", "perl")):
        return name
    try:
        words = parse.strings(files.read_once(f"/proc/{pid}/cmdline"))
    except (OSError, UnreadableError):
        return name
    if "-m" in words[1:-1]:
        return words[words.index("-m") + 1]
    script = next((word for word in words[1:] if not word.startswith("-")), "")
    return script.rpartition("/")[2] if script.endswith((".py", ".js", ".rb", ".pl")) else name


def _address(digits: bytes) -> str:
    """An IP address from hex: the kernel prints 32-bit words in the machine's byte order."""
    order = "<" if sys.byteorder == "little" else ">"
    words = [int(digits[at : at + 8], 16) for at in range(0, len(digits), 8)]
    packed = struct.pack(f"{order}{len(words)}I", *words)
    if len(packed) == 4:
        return socket.inet_ntop(socket.AF_INET, packed)
    if packed[:12] == bytes(10) + b"\xff\xff":
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    return socket.inet_ntop(socket.AF_INET6, packed)
