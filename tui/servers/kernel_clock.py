"""The kernel's own time of a read: when the bytes arrived, whatever Python was doing.

Linux's ``SO_TIMESTAMPING`` (Documentation/networking/timestamping.rst of its source) makes each
``recvmsg`` return a control message of three ``struct timespec``; the first is when the kernel took
the segment, on CLOCK_REALTIME. Of segments that were merged before the read it is the last one's.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter_ns, time_ns

SO_TIMESTAMPING = 37
"""Of the generic ABI, which x86 and ARM have. Other architectures get no stamps of the kernel."""
RX_SOFTWARE, SOFTWARE = 1 << 3, 1 << 4
TIMESPECS = struct.Struct("@6q")
ANCILLARY_BYTES = socket.CMSG_SPACE(TIMESPECS.size)


@dataclass(frozen=True, slots=True)
class Arrival:
    """When bytes arrived, on the clock of ``perf_counter_ns``.

    ``is_kernel``: the kernel's stamp; else the time right after the read, which is late by
    whatever else Python had to do.
    """

    t_ns: int
    is_kernel: bool


def enable(sock: socket.socket) -> bool:
    """Ask the kernel to stamp what this TCP socket receives; whether it will."""
    if sys.platform != "linux" or TIMESPECS.size != 48:
        return False
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, RX_SOFTWARE | SOFTWARE)
    except OSError:
        return False
    return True


def is_supported() -> bool:
    """Whether this system stamps what a socket receives."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        return enable(sock)


def realtime_ns(ancillary: Iterable[tuple[int, int, bytes]]) -> int | None:
    """The software stamp among the control messages of a read, on CLOCK_REALTIME; None without."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPING) and len(data) >= TIMESPECS.size:
            seconds, nanoseconds = TIMESPECS.unpack_from(data)[:2]
            if seconds > 0 and 0 <= nanoseconds < 1_000_000_000:
                return int(seconds * 1_000_000_000 + nanoseconds)
    return None


class ArrivalClock:
    """Stamps the reads of one connection. Never goes backwards.

    CLOCK_REALTIME can be set while an answer runs, so each stamp is brought to ``perf_counter_ns``
    by the difference of the two clocks right after its own read, and one that would lie after that
    read or before the stamp before it is refused.
    """

    def __init__(self) -> None:
        self.last = Arrival(0, is_kernel=False)

    def read(self, ancillary: Iterable[tuple[int, int, bytes]]) -> Arrival:
        """Call it right after the read, with the control messages that came with it."""
        wall_ns, now_ns = time_ns(), perf_counter_ns()
        stamp_ns = realtime_ns(ancillary)
        arrival = Arrival(now_ns, is_kernel=False)
        if stamp_ns is not None:
            t_ns = stamp_ns - (wall_ns - now_ns)
            if self.last.t_ns <= t_ns <= now_ns:
                arrival = Arrival(t_ns, is_kernel=True)
        self.last = arrival
        return arrival
