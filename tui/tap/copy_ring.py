"""Ring buffer in shared memory that takes copies from the forwarder to the process that measures.

The forwarder receives straight into the ring and sends from there, so a copy costs no system call
and no second buffer. The reader looks ten times a second; what it has not read yet outlives a
forwarder that is killed. Neither side ever waits for the other: where the ring is full, copies of
bytes are dropped, and ``LOST`` tells the reader of which connection.

The first page holds three numbers of 64 bits, each written by one side in one store: how far the
forwarder has written, how far the reader has given back what it read, and how many bytes between
them the reader wants to be woken for. Each record is a header and its bytes.
"""

from __future__ import annotations

import mmap
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from time import perf_counter_ns, time_ns

from tui.core.kernel_clock import ArrivalClock, software_stamp_ns
from tui.tap.copies import Copy, Event

_HEADER = struct.Struct("@BBxxIQQQ16s")
"""Event, whether the bytes were handed on at once, their number, connection, ``perf_counter_ns``
and ``time_ns`` after that, and the kernel's stamp (seconds, nanoseconds)."""
MAX_PAYLOAD = 1 << 16
_RECORD = _HEADER.size + MAX_PAYLOAD
RING_BYTES = 16 << 20
"""A hundred answers of 100 kB. Memory is only used for what is unread, and up to ``_STEP``."""
_FIRST = mmap.PAGESIZE
"""Where records begin."""
_STEP = 1 << 18
"""Bytes after which the reader gives memory back to the system, and only then to the forwarder."""
_WRITTEN, _FREED, _WAKE = 0, 8, 16
"""Indices of the three numbers; 64 bytes apart, so that processors do not contend for a line."""
_CONTINUES = 0
"""Event of the record after which the ring goes on at its beginning."""
WAKE_BYTES = 1 << 20
"""Unread bytes that end a pause of the reader early."""
_SETTLE_S = 0.0001
"""A processor may see how far the other one has written before it sees the bytes (ARM orders
stores weakly). This is far longer than a store takes to be seen."""


class CopyRing:
    """The memory, and a socket pair that wakes the reader and tells each side of the other's end.

    Made before the fork; each process then uses its side and closes the other one.
    """

    def __init__(self, size_bytes: int = RING_BYTES) -> None:
        self.memory = mmap.mmap(-1, _FIRST + size_bytes)
        self.view = memoryview(self.memory)
        self.numbers = self.view[:_FIRST].cast("Q")
        self.numbers[_WRITTEN] = self.numbers[_FREED] = _FIRST
        self.last = _FIRST + size_bytes - _RECORD - _HEADER.size
        """The last place where a record may begin."""
        self.writer_sock, self.reader_sock = socket.socketpair()
        self.writer_sock.setblocking(False)
        self.reader_sock.setblocking(False)


class CopyWriter:
    """The forwarder's side. Never blocks, never raises.

    ``room`` is where the next bytes are to be received: read into it, send from it, then call
    :meth:`received`.
    """

    def __init__(self, ring: CopyRing) -> None:
        self.sock = ring.writer_sock
        """Its other end hangs up when the reader is gone."""
        self.is_reader_gone = False
        self._memory = ring.memory
        self._view = ring.view
        self._numbers = ring.numbers
        self._last = ring.last
        self._at = _FIRST
        self._spare = memoryview(bytearray(MAX_PAYLOAD))
        """``room`` while the ring is full."""
        self.room = self._spare
        self._late: deque[tuple[Event, int, int, bytes]] = deque()
        """Events that wait for room: event, connection, time, payload."""
        self._lost: set[int] = set()
        """Connections whose ``LOST`` waits."""
        self._is_behind = False
        """The ring is full, or events wait."""
        self._find_room()

    @property
    def has_late(self) -> bool:
        """Whether :meth:`flush` should be called before long."""
        return bool(self._late)

    def received(
        self,
        event: Event,
        connection: int,
        count: int,
        ancillary: Sequence[tuple[int, int, bytes]],
        *,
        is_passed: bool,
    ) -> None:
        """``count`` bytes stand in ``room``, with the control message that came with them."""
        wall_ns, now_ns = time_ns(), perf_counter_ns()
        if self._is_behind and not self._catch_up(connection, count, now_ns):
            return
        # The forwarder asks for no other control message than the kernel's stamp.
        stamp = ancillary[0][2] if ancillary else b""
        _HEADER.pack_into(
            self._memory, self._at, event, is_passed, count, connection, now_ns, wall_ns, stamp
        )
        self._advance(count)

    def tell(self, event: Event, connection: int, payload: bytes = b"") -> None:
        """An event without bytes of a stream."""
        if self.is_reader_gone:
            return
        self._late.append((event, connection, perf_counter_ns(), payload[:MAX_PAYLOAD]))
        self.flush()

    def flush(self) -> None:
        """Writes the events that wait, as far as there is room."""
        if self.room is self._spare:
            self._find_room()
        while self._late and self.room is not self._spare:
            event, connection, t_ns, payload = self._late.popleft()
            count = len(payload)
            self.room[:count] = payload
            _HEADER.pack_into(self._memory, self._at, event, False, count, connection, t_ns, 0, b"")
            self._advance(count)
        if not self._late:
            self._lost.clear()
        self._is_behind = bool(self._late) or self.room is self._spare

    def reader_left(self) -> None:
        """From now on nothing is kept."""
        self.is_reader_gone = self._is_behind = True
        self.room = self._spare
        self._late.clear()
        self._lost.clear()

    def close(self) -> None:
        """The forwarder ends."""
        self.sock.close()

    def _catch_up(self, connection: int, count: int, now_ns: int) -> bool:
        """Writes what waits. True if the bytes just received, too, have found room."""
        if self.is_reader_gone:
            return False
        # In the ring they would be overwritten by what is written first.
        data = bytes(self.room[:count])
        self.flush()
        if not self._is_behind:
            self.room[:count] = data
            return True
        if connection not in self._lost:
            self._lost.add(connection)
            self._late.append((Event.LOST, connection, now_ns, b""))
        return False

    def _advance(self, count: int) -> None:
        """Publishes the record that was written, and finds room for the next one."""
        self._at = at = (self._at + _HEADER.size + count + 7) & ~7
        self._numbers[_WRITTEN] = at
        self._find_room()

    def _find_room(self) -> None:
        numbers, at = self._numbers, self._at
        freed = numbers[_FREED]
        wanted = numbers[_WAKE]
        if wanted and (at - freed if at >= freed else self._last - freed + at) >= wanted:
            numbers[_WAKE] = 0
            with suppress(OSError):
                self.sock.send(b".")
        if at > self._last and _FIRST + _RECORD < freed <= at:
            _HEADER.pack_into(self._memory, at, _CONTINUES, False, 0, 0, 0, 0, b"")
            self._at = numbers[_WRITTEN] = at = _FIRST
        is_full = at > self._last or at < freed <= at + _RECORD
        if is_full:
            self.room, self._is_behind = self._spare, True
        else:
            body = at + _HEADER.size
            self.room = self._view[body : body + MAX_PAYLOAD]


class CopyReader:
    """The side of the process that measures."""

    def __init__(self, ring: CopyRing) -> None:
        self._sock = ring.reader_sock
        self._memory = ring.memory
        self._view = ring.view
        self._numbers = ring.numbers
        self._at = _FIRST
        self._freed = _FIRST
        """How much of that was given back."""
        self._clocks: dict[tuple[int, Event], ArrivalClock] = {}

    def wait(self, timeout_s: float, *, wake_bytes: int = 1) -> bool:
        """Waits so long, or until so many bytes are unread. False once the forwarder is gone:
        then everything that it wrote can be read."""
        numbers = self._numbers
        numbers[_WAKE] = self._at - self._freed + wake_bytes
        # A copy that was written just before that has woken nobody.
        if wake_bytes == 1 and numbers[_WRITTEN] != self._at:
            timeout_s = 0
        ready, _, _ = select.select([self._sock], [], [], timeout_s)
        numbers[_WAKE] = 0
        try:
            return not ready or bool(self._sock.recv(64))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def arrived(self, limit: int) -> list[Copy]:
        """The next copies, oldest first."""
        numbers, at = self._numbers, self._at
        written = numbers[_WRITTEN]
        found: list[Copy] = []
        if written == at:
            return found
        time.sleep(_SETTLE_S)
        while at != written and len(found) < limit:
            event, is_passed, count, connection, now_ns, wall_ns, stamp = _HEADER.unpack_from(
                self._memory, at
            )
            if event == _CONTINUES:
                self._free(len(self._view), _FIRST)
                at = _FIRST
                continue
            body = at + _HEADER.size
            payload = bytes(self._view[body : body + count])
            at = (body + count + 7) & ~7
            found.append(
                self._copy(Event(event), connection, now_ns, wall_ns, stamp, is_passed, payload)
            )
        self._at = at
        if at - self._freed >= _STEP:
            self._free(at - at % mmap.PAGESIZE, at - at % mmap.PAGESIZE)
        return found

    def close(self) -> None:
        """Nothing more is read."""
        self._sock.close()

    def _copy(
        self,
        event: Event,
        connection: int,
        now_ns: int,
        wall_ns: int,
        stamp: bytes,
        is_passed: bool,
        payload: bytes,
    ) -> Copy:
        if event not in (Event.UP, Event.DOWN):
            if event is Event.CLOSED:
                for side in (Event.UP, Event.DOWN):
                    self._clocks.pop((connection, side), None)
            return Copy(event, connection, now_ns, payload=payload)
        clock = self._clocks.get((connection, event))
        if clock is None:
            clock = self._clocks[connection, event] = ArrivalClock()
        t_ns, is_kernel = clock.at(software_stamp_ns(stamp), wall_ns, now_ns)
        return Copy(event, connection, t_ns, now_ns if is_passed else 0, is_kernel, payload)

    def _free(self, until: int, begins_at: int) -> None:
        """Gives back what was read, from where the last time ended. The forwarder may write there
        once the system has it; what is given back next begins at ``begins_at``.
        """
        with suppress(OSError):
            self._memory.madvise(mmap.MADV_REMOVE, self._freed, until - self._freed)
        self._freed = self._numbers[_FREED] = begins_at
