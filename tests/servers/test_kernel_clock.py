"""The kernel's stamps: taken, brought to our clock, refused where they cannot be true."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from time import perf_counter_ns, time_ns

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.raw_server import Wire, free_port, raw_server
from tests.waiting import wait_until
from tui.core import kernel_clock
from tui.core.kernel_clock import (
    ANCILLARY_BYTES,
    SO_TIMESTAMPING,
    TIMESPECS,
    ArrivalClock,
    DepartureClock,
    enable,
    realtime_ns,
    sent_realtime_ns,
)
from tui.servers.client import Client
from tui.servers.stamped_transport import arrival_of, departure_ns_of, has_more, pieces_of

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def is_supported() -> bool:
    """Whether this system stamps what a socket receives."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        return enable(sock)


@contextmanager
def stamping_kernel() -> Iterator[None]:
    """The kernel begins to stamp a moment after the first socket asked for it (``netstamp_work`` of
    its net/core/dev.c), which on a busy machine is after a first read: one socket that has got a
    stamp stays open meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
        with ours, theirs:
            assert enable(ours)

            def is_stamped() -> bool:
                theirs.send(b"x")
                return realtime_ns(ours.recvmsg(1, ANCILLARY_BYTES)[1]) is not None

            wait_until(is_stamped)
            yield


def control(stamp_ns: int) -> list[tuple[int, int, bytes]]:
    data = TIMESPECS.pack(*divmod(stamp_ns, 1_000_000_000), 0, 0, 0, 0)
    return [(socket.SOL_SOCKET, SO_TIMESTAMPING, data)]


def test_a_stamp_before_the_read_is_the_time_of_arrival() -> None:
    clock = ArrivalClock()
    before_ns = perf_counter_ns()
    arrival = clock.read(control(time_ns() - 35_000_000))
    assert arrival.is_kernel
    assert before_ns - 36_000_000 < arrival.t_ns < perf_counter_ns() - 34_000_000


def test_a_thread_put_aside_between_the_two_clocks_is_no_later_arrival(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits_s = [0.02]

    def slow_time_ns() -> int:
        found_ns = time_ns()
        if waits_s:
            time.sleep(waits_s.pop())
        return found_ns

    monkeypatch.setattr(kernel_clock, "time_ns", slow_time_ns)
    before_ns = perf_counter_ns()
    arrival = ArrivalClock().read(control(time_ns()))
    assert not waits_s
    assert arrival.is_kernel
    assert arrival.t_ns - before_ns < 10_000_000


@pytest.mark.parametrize("offset_ns", [3_600_000_000_000, 5_000_000_000])
def test_a_stamp_after_the_read_is_refused(offset_ns: int) -> None:
    before_ns = perf_counter_ns()
    arrival = ArrivalClock().read(control(time_ns() + offset_ns))
    assert not arrival.is_kernel
    assert before_ns <= arrival.t_ns <= perf_counter_ns()


def test_time_never_goes_backwards_when_the_wall_clock_was_set() -> None:
    clock = ArrivalClock()
    first = clock.read(control(time_ns()))
    second = clock.read(control(time_ns() - 3_600_000_000_000))
    assert not second.is_kernel
    assert second.t_ns >= first.t_ns


@given(
    st.lists(
        st.tuples(
            st.sampled_from([socket.SOL_SOCKET, 0, 41]),
            st.sampled_from([SO_TIMESTAMPING, 0, 29]),
            st.binary(max_size=80),
        ),
        max_size=4,
    )
)
def test_any_control_message_is_a_stamp_or_none(messages: list[tuple[int, int, bytes]]) -> None:
    stamp_ns = realtime_ns(messages)
    assert stamp_ns is None or stamp_ns > 0
    now_ns = perf_counter_ns()
    arrival = ArrivalClock().read(messages)
    assert arrival.t_ns >= 0
    assert arrival.is_kernel or arrival.t_ns >= now_ns


def sends_two_pieces(listener: socket.socket, has_read_one: threading.Event) -> None:
    """In a thread: the second piece 10 ms after the first was read."""
    connection, _ = listener.accept()
    with connection:
        asked = b""
        while not asked.endswith(b"{}"):  # head and body are two writes
            asked += connection.recv(65536)
        connection.sendall(HEAD + b"1\r\na\r\n")
        has_read_one.wait(40)
        time.sleep(0.01)
        connection.sendall(b"1\r\nb\r\n0\r\n\r\n")


def test_a_request_left_when_the_kernel_says_so() -> None:
    if not is_supported():
        pytest.skip("this kernel stamps no reads of a TCP socket")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
        with ours, theirs:
            assert enable(ours, has_departures=True)
            clock = DepartureClock()
            before_ns = perf_counter_ns()
            time.sleep(0.03)  # put aside between the two, as on a busy machine
            ours.send(b"x" * 100)
            stamp_ns = sent_realtime_ns(ours)
            clock.wrote(before_ns)
            clock.stamped(stamp_ns)
            assert theirs.recv(200) == b"x" * 100
            after_ns = perf_counter_ns()
            with pytest.raises(BlockingIOError):
                ours.recvmsg(0, 512, socket.MSG_ERRQUEUE)
    if stamp_ns is None:
        pytest.skip("this kernel stamps no writes")
    assert clock.last_ns is not None
    assert before_ns + 30_000_000 <= clock.last_ns < after_ns


@pytest.mark.parametrize("offset_ns", [-5_000_000_000, 5_000_000_000])
def test_a_stamp_outside_of_the_write_and_now_is_refused(offset_ns: int) -> None:
    clock = DepartureClock()
    clock.stamped(time_ns())
    assert clock.last_ns is None
    before_ns = perf_counter_ns()
    clock.wrote(before_ns)
    for stamp_ns in (None, time_ns() + offset_ns):
        clock.stamped(stamp_ns)
        assert clock.last_ns == before_ns


async def test_a_late_reader_gets_the_time_of_arrival() -> None:
    if not is_supported():
        pytest.skip("this kernel stamps no reads of a TCP socket")
    with stamping_kernel(), socket.create_server(("127.0.0.1", 0)) as listener:
        has_read_one = threading.Event()
        sender = threading.Thread(target=sends_two_pieces, args=(listener, has_read_one))
        sender.start()
        stamps: dict[bytes, int] = {}
        async with (
            Client(f"http://127.0.0.1:{listener.getsockname()[1]}") as client,
            client.stream("/x", {}, lambda _: None) as response,
        ):
            start_ns = departure_ns_of(response)
            async for data in response.aiter_raw():
                arrival = arrival_of(response)
                assert arrival.is_kernel
                stamps[data] = arrival.t_ns
                if data == b"a":
                    # What comes while nobody reads waits in the socket.
                    has_read_one.set()
                    sender.join()
                    time.sleep(0.02)  # noqa: ASYNC251  the loop is meant to be held up
                    read_ns = perf_counter_ns()
        assert start_ns is not None
        assert start_ns < stamps[b"a"] < stamps[b"b"] < read_ns - 15_000_000


async def test_pieces_that_are_gathered_keep_their_times() -> None:
    if not is_supported():
        pytest.skip("this kernel stamps no reads of a TCP socket")
    taken: list[tuple[bytes, int, bool]] = []
    first_is_read = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.raw(HEAD + b"1\r\na\r\n")
        await first_is_read.wait()  # at once, however seldom somebody looks
        for piece in (b"b", b"c", b"d"):
            await asyncio.sleep(0.02)
            await wire.part(piece)
        await wire.raw(b"0\r\n\r\n")

    with stamping_kernel():
        async with (
            raw_server(script) as server,
            Client(server.url) as client,
            client.stream("/x", {}, lambda _: None) as response,
        ):
            async for data in pieces_of(response, lambda: 0.3):
                arrival = arrival_of(response)
                assert arrival.is_kernel
                taken.append((data, arrival.t_ns, has_more(response)))
                first_is_read.set()
    assert [data for data, _, _ in taken] == [b"a", b"b", b"c", b"d"]
    assert taken[2][2]  # "d" came with it
    stamps = [t_ns for _, t_ns, _ in taken]
    assert all(after - before > 15_000_000 for before, after in pairwise(stamps))


async def test_errors_of_the_socket_are_those_of_httpx() -> None:
    async with Client(f"http://127.0.0.1:{free_port()}") as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("/")

    async def script(wire: Wire) -> None:
        await wire.raw(HEAD + b"1\r\na\r\n")

    async def read_all(client: Client) -> None:
        async with client.stream("/x", {}, lambda _: None) as response:
            async for _ in response.aiter_raw():
                pass

    async with raw_server(script) as server, Client(server.url) as client:
        with pytest.raises(httpx.TransportError):
            await read_all(client)
