"""Ring buffer in shared memory that carries copies from the forwarder to the measuring process.

The forwarder receives into the ring and sends from there, so a copy costs no system call and no
second buffer. The reader polls ten times a second. Unread copies remain readable if the forwarder
is killed. Neither side waits for the other: if the ring is full, copies of bytes are dropped, and a
``LOST`` event names the connection.

The first page holds two 64-bit numbers, each written by one side in one store: the forwarder's
write position, and the position up to which the reader has released records. A record is a header
(``_HEADER``) and its bytes. A reader that finds nothing for :data:`QUIET_NS` sleeps until it is
woken.
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
from time import perf_counter_ns

from tui.core.kernel_clock import ArrivalClock, both_clocks_ns, software_stamp_ns
from tui.tap.copy_messages import CopyMessage, Event

_HEADER = struct.Struct("@QQQ16s")
"""Tag (:func:`tag_of`), number of bytes, ``perf_counter_ns`` after forwarding, and the kernel's
timestamp (seconds, nanoseconds)."""
_HEADER_BYTES = _HEADER.size
_write = _HEADER.pack_into
_NUMBER = struct.Struct("@Q")
_publish = _NUMBER.pack_into
MAX_PAYLOAD = 1 << 16
_RECORD = _HEADER_BYTES + MAX_PAYLOAD
RING_BYTES = 16 << 20
"""About a hundred answers of 100 kB. Only unread records and up to ``_STEP`` use real memory."""
_FIRST = mmap.PAGESIZE
"""Where records begin."""
_STEP = 1 << 18
"""Bytes after which the reader releases read records, first to the system, then to the
forwarder."""
_WRITTEN, _FREED = 0, 64
"""Offsets of the two numbers, in separate cache lines."""
_CONTINUES = 0
"""Tag of the record after which the next one is at the ring's start."""
WAKE_BYTES = 1 << 20
"""Unread bytes at which the reader is woken in any case."""
QUIET_NS = 1_000_000_000
"""Nanoseconds without a copy after which the reader may sleep until it is woken."""
_WAKE_NS = QUIET_NS // 2
"""Nanoseconds since the last copy after which the next one wakes the reader."""
_SETTLE_S = 0.0001
"""Pause before new records are read, in seconds. ARM orders stores weakly: a core may see the new
write position before the bytes. The pause is far longer than such a store takes to be visible."""


def tag_of(event: Event, connection: int, *, is_passed: bool = False) -> int:
    """Event, connection, and whether the bytes were forwarded at once, in one number."""
    return connection << 8 | event << 1 | is_passed


class CopyRing:
    """The shared memory, and a socket pair that wakes the reader and shows when the other process
    has ended. Created before the fork; each process then uses its side and closes the other one.
    """

    def __init__(self, size_bytes: int = RING_BYTES) -> None:
        self.memory = mmap.mmap(-1, _FIRST + size_bytes)
        self.view = memoryview(self.memory)
        for place in (_WRITTEN, _FREED):
            _publish(self.memory, place, _FIRST)
        self.last = _FIRST + size_bytes - _RECORD - _HEADER.size
        """The last position at which a record may begin."""
        self.writer_sock, self.reader_sock = socket.socketpair()
        self.writer_sock.setblocking(False)
        self.reader_sock.setblocking(False)


class CopyWriter:
    """The forwarder's side. Never blocks, never raises.

    ``room`` is the buffer for the next bytes: receive into it, send from it, then call
    :meth:`received`.
    """

    def __init__(self, ring: CopyRing) -> None:
        self.sock = ring.writer_sock
        """Reports a hang-up when the reader has ended."""
        self.is_reader_gone = False
        self._memory = ring.memory
        self._view = ring.view
        self._last = ring.last
        self._at = _FIRST
        self._sure = _FIRST
        """Position before which a record can begin without checking the reader's release
        position."""
        self._quiet_ns = 0
        """Time from which on the reader may sleep."""
        self._spare = memoryview(bytearray(MAX_PAYLOAD))
        """The buffer ``room`` while the ring is full; its bytes are not passed to the reader."""
        self.room = self._spare
        self.late: deque[tuple[int, int, bytes]] = deque()
        """Events that wait for space in the ring and for :meth:`flush`: tag, time in ns,
        payload."""
        self._lost: set[int] = set()
        """Connections with a waiting ``LOST`` event."""
        self._is_behind = False
        """Whether the ring is full or events wait."""
        self._find_room()

    def received(self, tag: int, count: int, ancillary: Sequence[tuple[int, int, bytes]]) -> None:
        """Publishes ``count`` bytes in ``room``, with their control messages (of ``recvmsg``)."""
        if self._is_behind and not self._catch_up(tag, count):
            return
        now_ns = perf_counter_ns()
        # The only control message that the forwarder enables is the kernel's timestamp.
        stamp = ancillary[0][2] if ancillary else b""
        _write(self._memory, self._at, tag, count, now_ns, stamp)
        self._advance(count, now_ns)

    def tell(self, event: Event, connection: int, payload: bytes = b"") -> None:
        """Publishes an event, at once or when there is space."""
        if self.is_reader_gone:
            return
        tag = tag_of(event, connection)
        self.late.append((tag, perf_counter_ns(), payload[:MAX_PAYLOAD]))
        self.flush()

    def flush(self) -> None:
        """Writes waiting events as far as there is space."""
        if self.room is self._spare:
            self._find_room()
        while self.late and self.room is not self._spare:
            tag, t_ns, payload = self.late.popleft()
            self.room[: len(payload)] = payload
            _write(self._memory, self._at, tag, len(payload), t_ns, b"")
            self._advance(len(payload), perf_counter_ns())
        if not self.late:
            self._lost.clear()
        self._is_behind = bool(self.late) or self.room is self._spare

    def reader_left(self) -> None:
        """The reader has ended: nothing is written any more."""
        self.is_reader_gone = self._is_behind = True
        self.room = self._spare
        self.late.clear()
        self._lost.clear()

    def close(self) -> None:
        """Closes the socket, which tells the reader that the forwarder has ended."""
        self.sock.close()

    def _catch_up(self, tag: int, count: int) -> bool:
        """Writes waiting events. True if there is also space for the bytes just received."""
        if self.is_reader_gone:
            return False
        # Copied out, as the waiting events are written to the same place first.
        data = bytes(self.room[:count])
        self.flush()
        if not self._is_behind:
            self.room[:count] = data
            return True
        connection = tag >> 8
        if connection not in self._lost:
            self._lost.add(connection)
            self.late.append((tag_of(Event.LOST, connection), perf_counter_ns(), b""))
        return False

    def _advance(self, count: int, now_ns: int) -> None:
        """Publishes the written record and finds space for the next one."""
        self._at = at = (self._at + _HEADER_BYTES + count + 7) & ~7
        _publish(self._memory, _WRITTEN, at)
        if at < self._sure:
            self.room = self._view[at + _HEADER_BYTES : at + _RECORD]
        else:
            self._find_room()
        if now_ns > self._quiet_ns:
            self._wake()
        self._quiet_ns = now_ns + _WAKE_NS

    def _find_room(self) -> None:
        at = self._at
        (freed,) = _NUMBER.unpack_from(self._memory, _FREED)
        if (at - freed if at >= freed else self._last - freed + at) >= WAKE_BYTES:
            self._wake()
        if at > self._last and _FIRST + _RECORD < freed <= at:
            _write(self._memory, at, _CONTINUES, 0, 0, b"")
            self._at = at = _FIRST
            _publish(self._memory, _WRITTEN, at)
        end = self._last + 1 if freed <= at else freed - _RECORD
        self._sure = min(end, at + WAKE_BYTES)
        if at < end:
            self.room = self._view[at + _HEADER_BYTES : at + _RECORD]
        else:
            self.room, self._is_behind = self._spare, True

    def _wake(self) -> None:
        with suppress(OSError):  # it is awake already where the socket takes no more
            self.sock.send(b".")


class CopyReader:
    """The measuring process's side."""

    def __init__(self, ring: CopyRing) -> None:
        self._sock = ring.reader_sock
        self._memory = ring.memory
        self._view = ring.view
        self._at = _FIRST
        self._freed = _FIRST
        """How much of that was given back."""
        self._read_ns = perf_counter_ns()
        """When there was something to read."""
        self._clocks: dict[tuple[int, Event], ArrivalClock] = {}

    def wait(self, pause_s: float, sleep_s: float) -> bool:
        """Waits for ``pause_s``, or, where nothing has come for some time, for ``sleep_s`` or until
        something comes. False once the forwarder is gone: then all that it wrote can be read.
        """
        timeout_s = pause_s
        if perf_counter_ns() - self._read_ns > QUIET_NS:
            # What came while this process was held up has woken nobody.
            has_unread = _NUMBER.unpack_from(self._memory, _WRITTEN)[0] != self._at
            timeout_s = 0 if has_unread else sleep_s
        ready, _, _ = select.select([self._sock], [], [], timeout_s)
        try:
            return not ready or bool(self._sock.recv(64))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def arrived(self, limit: int) -> list[CopyMessage]:
        """The next copies, oldest first."""
        at = self._at
        (written,) = _NUMBER.unpack_from(self._memory, _WRITTEN)
        found: list[CopyMessage] = []
        if written == at:
            return found
        self._read_ns = perf_counter_ns()
        time.sleep(_SETTLE_S)
        # The two clocks differ by the same now and when the bytes came, unless one was set.
        wall_ns, perf_ns = both_clocks_ns()
        ahead_ns = wall_ns - perf_ns
        while at != written and len(found) < limit:
            tag, count, now_ns, stamp = _HEADER.unpack_from(self._memory, at)
            if tag == _CONTINUES:
                self._free(len(self._view), _FIRST)
                at = _FIRST
                continue
            body = at + _HEADER_BYTES
            payload = bytes(self._view[body : body + count])
            found.append(self._copy(tag, now_ns, ahead_ns, stamp, payload))
            at = (body + count + 7) & ~7
        self._at = at
        if at - self._freed >= _STEP:
            until = at - at % mmap.PAGESIZE
            self._free(until, until)
        return found

    def close(self) -> None:
        """Closes the socket; the forwarder then stops writing copies."""
        self._sock.close()

    def _copy(
        self, tag: int, now_ns: int, ahead_ns: int, stamp: bytes, payload: bytes
    ) -> CopyMessage:
        connection, event = tag >> 8, Event(tag >> 1 & 0x7F)
        if event not in (Event.UP, Event.DOWN):
            if event is Event.CLOSED:
                for side in (Event.UP, Event.DOWN):
                    self._clocks.pop((connection, side), None)
            return CopyMessage(event, connection, now_ns, payload=payload)
        clock = self._clocks.get((connection, event))
        if clock is None:
            clock = self._clocks[connection, event] = ArrivalClock()
        t_ns, is_kernel = clock.at(software_stamp_ns(stamp), now_ns + ahead_ns, now_ns)
        passed_ns = now_ns if tag & 1 else 0
        return CopyMessage(event, connection, t_ns, passed_ns, is_kernel, payload)

    def _free(self, until: int, begins_at: int) -> None:
        """Releases the records up to ``until``: the pages to the system, then the space to the
        forwarder. The next release begins at ``begins_at``.
        """
        with suppress(OSError):
            self._memory.madvise(mmap.MADV_REMOVE, self._freed, until - self._freed)
        self._freed = begins_at
        _publish(self._memory, _FREED, begins_at)
