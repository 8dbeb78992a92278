"""Kernel timestamps of a TCP connection: when bytes arrived or left, independent of Python's
delays.

Linux's ``SO_TIMESTAMPING`` (Documentation/networking/timestamping.rst of its source) makes each
``recvmsg`` return a control message of three ``struct timespec``; the first is when the kernel took
the segment, on CLOCK_REALTIME. Of segments that were merged before the read it is the last one's.
What was sent gets the same message on the socket's error queue, once the kernel has handed it to
the device.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterable
from time import perf_counter_ns, time_ns
from typing import NamedTuple

SO_TIMESTAMPING = 37
"""Of the generic ABI, which x86 and ARM have. Other architectures get no stamps of the kernel."""
TX_SOFTWARE, RX_SOFTWARE, SOFTWARE = 1 << 1, 1 << 3, 1 << 4
OPT_ID, OPT_TSONLY = 1 << 7, 1 << 11
"""The error queue gets a stamp without the bytes that it belongs to."""
TIMESPECS = struct.Struct("@6q")
TIMESPEC = struct.Struct("@2q")
ANCILLARY_BYTES = socket.CMSG_SPACE(TIMESPECS.size)
SENT_ANCILLARY_BYTES = 512
"""Holds a stamp and the ``struct sock_extended_err`` beside it."""
MAX_STAMPS = 64
CLOCKS_APART_NS = 50_000
"""Reading both clocks takes less than a microsecond on a PC, a few on a board."""
CLOCK_TRIES = 4


class Arrival(NamedTuple):
    """When bytes arrived, on the clock of ``perf_counter_ns``.

    ``is_kernel``: the kernel's stamp; else the time right after the read, which is late by
    whatever else Python had to do.
    """

    t_ns: int
    is_kernel: bool


def enable(sock: socket.socket, *, has_departures: bool = False) -> bool:
    """Ask the kernel to stamp what this connected TCP socket receives; whether it will.

    ``has_departures``: also what it sends, where that can be had. The error queue then has to be
    emptied by :func:`sent_realtime_ns`."""
    if sys.platform != "linux" or TIMESPECS.size != 48:
        return False
    received = RX_SOFTWARE | SOFTWARE
    both = received | TX_SOFTWARE | OPT_ID | OPT_TSONLY
    for flags in (both, received) if has_departures else (received,):
        try:
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, flags)
        except OSError:
            continue
        return True
    return False


def sent_realtime_ns(sock: socket.socket) -> int | None:
    """When the last bytes that have left this socket did so, on CLOCK_REALTIME. Empties the error
    queue, which would otherwise wake whoever waits for the socket; None where nothing is new."""
    last_ns = None
    for _ in range(MAX_STAMPS):
        try:
            _, ancillary, _, _ = sock.recvmsg(0, SENT_ANCILLARY_BYTES, socket.MSG_ERRQUEUE)
        except OSError:
            break
        last_ns = realtime_ns(ancillary) or last_ns
    return last_ns


def both_clocks_ns() -> tuple[int, int]:
    """``time_ns`` and ``perf_counter_ns`` of the same moment. Between the two calls a thread may be
    put aside for milliseconds: then they are read again, and the closest pair is taken."""
    found: tuple[int, int, int] | None = None
    for _ in range(CLOCK_TRIES):
        before_ns, wall_ns, after_ns = perf_counter_ns(), time_ns(), perf_counter_ns()
        if found is None or after_ns - before_ns < found[0]:
            found = after_ns - before_ns, wall_ns, after_ns
        if found[0] <= CLOCKS_APART_NS:
            break
    assert found is not None
    return found[1:]


def since_start_ns(stamp_ns: int) -> int:
    """A stamp on the clock of ``perf_counter_ns``, by the difference of the two clocks now."""
    wall_ns, now_ns = both_clocks_ns()
    return stamp_ns - (wall_ns - now_ns)


def realtime_ns(ancillary: Iterable[tuple[int, int, bytes]]) -> int | None:
    """The software stamp among the control messages of a read, on CLOCK_REALTIME; None without."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPING) and len(data) >= TIMESPECS.size:
            stamp_ns = software_stamp_ns(data)
            if stamp_ns is not None:
                return stamp_ns
    return None


def software_stamp_ns(data: bytes) -> int | None:
    """The first ``struct timespec`` of a control message's data, the software stamp; None where it
    holds none. Raises struct.error for less than 16 bytes."""
    seconds, nanoseconds = TIMESPEC.unpack_from(data)
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
        wall_ns, now_ns = both_clocks_ns()
        return self.at(realtime_ns(ancillary), wall_ns, now_ns)

    def at(self, stamp_ns: int | None, wall_ns: int, now_ns: int) -> Arrival:
        """The arrival of what was read with this stamp, where ``time_ns`` and ``perf_counter_ns``
        were these right after the read."""
        t_ns = now_ns if stamp_ns is None else stamp_ns - (wall_ns - now_ns)
        is_kernel = stamp_ns is not None and self.last.t_ns <= t_ns <= now_ns
        self.last = Arrival(t_ns if is_kernel else now_ns, is_kernel)
        return self.last


class DepartureClock:
    """When the last byte of a request left, on the clock of ``perf_counter_ns``.

    Between the time that a program takes and its write the process may be put aside for
    milliseconds: the kernel's stamp is better, and it may come a moment after the write. One that
    lies outside of the write and the present is refused.
    """

    def __init__(self) -> None:
        self.last_ns: int | None = None
        """None before the first write."""
        self._before_ns = 0

    def wrote(self, before_ns: int) -> None:
        """Call it after a write that began then."""
        self._before_ns = self.last_ns = before_ns

    def stamped(self, stamp_ns: int | None) -> None:
        """Call it with what :func:`sent_realtime_ns` gave."""
        if stamp_ns is None or self.last_ns is None:
            return
        t_ns = since_start_ns(stamp_ns)
        if self._before_ns <= t_ns <= perf_counter_ns():
            self.last_ns = t_ns
