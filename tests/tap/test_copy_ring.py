"""What goes into the ring comes out of it: in order, unchanged, or told as lost."""

from __future__ import annotations

import mmap
import os
import signal
from collections import defaultdict
from pathlib import Path
from threading import Event as Flag
from threading import Thread

from hypothesis import given, settings
from hypothesis import strategies as st

from tui.tap.copy_messages import CopyMessage, Event
from tui.tap.copy_ring import MAX_PAYLOAD, CopyReader, CopyRing, CopyWriter, tag_of

SIZE = 1 << 20
received = st.tuples(st.integers(1, 3), st.integers(1, MAX_PAYLOAD))
"""A connection, and how many bytes came on it."""
steps = st.lists(
    st.one_of(received, st.sampled_from(["event", "read some", "read"])), min_size=1, max_size=120
)


def put(writer: CopyWriter, connection: int, data: bytes) -> None:
    writer.room[: len(data)] = data
    writer.received(tag_of(Event.DOWN, connection, is_passed=True), len(data), [])


def bytes_at(number: int, count: int) -> bytes:
    return (number.to_bytes(4, "little") * (count // 4 + 1))[:count]


@settings(max_examples=60, deadline=None)
@given(steps)
def test_copies_come_in_order_and_whole_or_their_loss_is_told(
    steps: list[tuple[int, int] | str],
) -> None:
    ring = CopyRing(SIZE)
    writer, reader = CopyWriter(ring), CopyReader(ring)
    sent: dict[int, bytes] = defaultdict(bytes)
    events: list[int] = []
    found: list[CopyMessage] = []
    for number, step in enumerate(steps):
        if isinstance(step, tuple):
            data = bytes_at(number, step[1])
            put(writer, step[0], data)
            sent[step[0]] += data
        elif step == "event":
            writer.tell(Event.OPENED, number, b"event %d" % number)
            events.append(number)
        else:
            found += reader.arrived(3 if step == "read some" else 1000)
    while writer.late or (copies := reader.arrived(1000)):
        if writer.late:
            found += reader.arrived(1000)
            writer.flush()
        else:
            found += copies
    got: dict[int, bytes] = defaultdict(bytes)
    lost: set[int] = set()
    for copy in found:
        if copy.event is Event.LOST:
            lost.add(copy.connection)
        elif copy.event is Event.DOWN and copy.connection not in lost:
            got[copy.connection] += copy.payload
    assert [copy.connection for copy in found if copy.event is Event.OPENED] == events
    for connection, data in sent.items():
        assert data.startswith(got[connection])
        assert connection in lost or got[connection] == data
    ring.writer_sock.close()
    ring.reader_sock.close()


def test_memory_that_was_read_is_given_back() -> None:
    """A ring that has been full does not keep its memory."""
    ring = CopyRing()
    writer, reader = CopyWriter(ring), CopyReader(ring)
    before = shared_bytes()
    for number in range(100):
        put(writer, 1, bytes_at(number, 60_000))
    assert shared_bytes() - before > 4 << 20
    assert len(reader.arrived(1000)) == 100
    assert shared_bytes() - before < 1 << 20
    writer.close()
    reader.close()


def shared_bytes() -> int:
    """Memory of this process that is shared with others (proc_pid_statm(5))."""
    return int(Path("/proc/self/statm").read_text().split()[2]) * mmap.PAGESIZE


def test_what_a_killed_forwarder_wrote_is_read() -> None:
    ring = CopyRing()
    writer, reader = CopyWriter(ring), CopyReader(ring)
    child = os.fork()
    if not child:
        try:
            for number in range(1000):
                put(writer, 7, b"chunk %d" % number)
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    writer.close()
    found: list[CopyMessage] = []
    is_open = True
    while is_open:
        is_open = reader.wait(5, 5)
        found += reader.arrived(10_000)
    os.waitpid(child, 0)
    assert [copy.payload for copy in found] == [b"chunk %d" % n for n in range(1000)]
    reader.close()


def test_the_reader_is_woken_by_the_first_copy_or_by_many() -> None:
    ring = CopyRing()
    writer, reader = CopyWriter(ring), CopyReader(ring)
    put(writer, 1, b"the first one")
    assert reader.wait(60, 60)
    assert len(reader.arrived(10)) == 1
    is_woken = Flag()

    def write() -> None:
        while not is_woken.is_set():
            put(writer, 1, bytes(50_000))

    thread = Thread(target=write)
    thread.start()
    assert reader.wait(60, 60)
    is_woken.set()
    thread.join()
    assert sum(len(copy.payload) for copy in reader.arrived(1000)) >= (1 << 20) - 50_000
    writer.close()
    while reader.wait(60, 60):
        pass  # it has been woken more than once
    reader.close()
