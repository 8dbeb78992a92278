"""Parsers for /proc/PID/stat, /proc/PID/status and /proc/net/tcp."""

from __future__ import annotations

import re
from typing import NamedTuple

from tui.board.readers import parse
from tui.board.readers.reasons import UnreadableError

_ESTABLISHED, _LISTENING = "01", "0A"
_SOCKET = re.compile(
    r"^ *[0-9]+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) "
    r"\S+ \S+ \S+ +[0-9]+ +[0-9]+ ([0-9]+) ",
    re.MULTILINE,
)
_STATUS = re.compile(
    rb"^(Name|VmRSS|RssAnon|RssShmem|VmHWM|VmSwap|Threads|Cpus_allowed_list):\s*(\S.*)$",
    re.MULTILINE,
)
_AMOUNT = re.compile(rb"([0-9]{1,12}) kB")


class ProcessStat(NamedTuple):
    """From /proc/PID/stat (proc_pid_stat(5)), times in clock ticks. ``ticks`` is user plus system
    time. ``start_ticks`` distinguishes a process from a later one with the same pid. ``cpu`` is
    the CPU that it last ran on."""

    name: str
    parent: int
    ticks: int
    start_ticks: int
    cpu: int | None


class ProcessStatus(NamedTuple):
    """From /proc/PID/status (proc_pid_status(5)); None where a line is missing (kernel threads)."""

    name: str | None
    rss_bytes: int | None
    anon_bytes: int | None
    shared_bytes: int | None
    peak_bytes: int | None
    swap_bytes: int | None
    threads: int | None
    allowed_cpus: str | None


def parse_stat(raw: bytes) -> ProcessStat:
    """Parse /proc/PID/stat. Raises UnreadableError.

    The name may contain blanks and brackets, so the fields begin after the last bracket.
    """
    start, end = raw.find(b"("), raw.rfind(b")")
    fields = raw[end + 1 :].split()
    if start < 0 or end < start or len(fields) < 20:
        raise UnreadableError("malformed")
    numbers = [
        parse.bounded(-(1 << 62), 1 << 62, field)
        for field in (fields[1], *fields[11:13], fields[19])
    ]
    parent, user, system, started = numbers
    cpu = parse.bounded(0, 4096, fields[36]) if len(fields) > 36 else None
    return ProcessStat(
        parse.word(raw[start + 1 : end] or b"?"), parent, user + system, started, cpu
    )


def parse_status(raw: bytes) -> ProcessStatus:
    """Parse /proc/PID/status; raises nothing."""
    lines = dict(_STATUS.findall(raw))

    def size(name: bytes) -> int | None:
        match = _AMOUNT.fullmatch(lines.get(name, b"").strip())
        return int(match[1]) * 1024 if match else None

    def text(name: bytes) -> str | None:
        try:
            return parse.word(lines[name]) if name in lines else None
        except UnreadableError:
            return None

    threads = lines.get(b"Threads", b"").strip()
    return ProcessStatus(
        text(b"Name"),
        size(b"VmRSS"),
        size(b"RssAnon"),
        size(b"RssShmem"),
        size(b"VmHWM"),
        size(b"VmSwap"),
        int(threads) if threads.isdigit() and len(threads) < 8 else None,
        text(b"Cpus_allowed_list"),
    )


def n_connected(raw: bytes, port: int) -> int:
    """The number of established connections to a local TCP port, from /proc/net/tcp or tcp6."""
    wanted = f"{port:04X}"
    rows = _SOCKET.findall(raw.decode("ascii", "replace"))
    return sum(1 for local, state, _ in rows if local == wanted and state == _ESTABLISHED)


def listening_inodes(raw: bytes, port: int) -> set[str]:
    """Inodes of the sockets that listen on a TCP port, from /proc/net/tcp or tcp6."""
    wanted = f"{port:04X}"
    text = raw.decode("ascii", "replace")
    return {
        inode
        for local_port, state, inode in _SOCKET.findall(text)
        if local_port == wanted and state == _LISTENING and inode != "0"
    }
