"""Bytes in are bytes out, whatever they are, and whatever the other connections do."""

from __future__ import annotations

import resource
import select
import socket
import struct
from contextlib import closing, suppress
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.recordings import streams
from tests.tap.tapped import Forwarding, forwarding, read_all
from tests.waiting import wait_until
from tui.tap.copy_messages import Event
from tui.tap.forwarder import raise_file_limit

pieces = st.lists(st.binary(min_size=1, max_size=200_000), max_size=4)


def exchanged(at: Forwarding, up: list[bytes], down: list[bytes]) -> tuple[bytes, bytes]:
    """What the server and the client got when both send these pieces at once and half-close."""
    client, served = at.connect()
    got: dict[str, bytes] = {}

    def talk(sock: socket.socket, sent: list[bytes], name: str) -> None:
        def send() -> None:
            for piece in sent:
                sock.sendall(piece)
            sock.shutdown(socket.SHUT_WR)

        sender = Thread(target=send)
        sender.start()
        got[name] = read_all(sock)
        sender.join(60)

    with client, served:
        other = Thread(target=talk, args=(served, down, "server"))
        other.start()
        talk(client, up, "client")
        other.join(60)
    return got["server"], got["client"]


def test_random_streams_go_through_untouched_in_both_directions() -> None:
    with forwarding() as at:

        @settings(max_examples=25)
        @given(up=pieces, down=pieces)
        def check(up: list[bytes], down: list[bytes]) -> None:
            assert exchanged(at, up, down) == (b"".join(up), b"".join(down))

        check()
        # A copy of each byte too, in its order.
        wait_until(lambda: at.forwarder.n_open == 0)


def test_recorded_answers_of_every_server_go_through_untouched() -> None:
    with forwarding() as at:
        for name, recorded in streams():
            head = f"HTTP/1.1 {recorded.status} OK\r\n".encode()
            for key, value in recorded.headers.items():
                head += f"{key}: {value}\r\n".encode("latin-1")
            down = [head + b"\r\n", *recorded.body.splitlines(keepends=True)]
            up = [f"POST {recorded.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()]
            assert exchanged(at, up, down) == (b"".join(up), b"".join(down)), name
            copies = at.copies()
            copied = b"".join(copy.payload for copy in copies if copy.event is Event.DOWN)
            assert copied == b"".join(down), name


def test_a_half_closed_client_gets_its_answer() -> None:
    with forwarding() as at:
        client, served = at.connect()
        with client, served:
            client.sendall(b"question")
            client.shutdown(socket.SHUT_WR)
            assert read_all(served) == b"question"
            served.sendall(b"answer")
            served.close()
            assert read_all(client) == b"answer"


def events_until_closed(at: Forwarding) -> list[Event]:
    """What the observer is told, up to the end of a connection."""
    events: list[Event] = []

    def is_closed() -> bool:
        events.extend(copy.event for copy in at.copies())
        return Event.CLOSED in events

    wait_until(is_closed, shown=events)
    return events


def abort(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize("is_client", [True, False])
def test_a_reset_is_a_reset_at_the_other_end(is_client: bool) -> None:
    with forwarding() as at:
        client, served = at.connect()
        broken, other = (client, served) if is_client else (served, client)
        client.sendall(b"question")
        assert served.recv(100) == b"question"
        abort(broken)
        with closing(other), pytest.raises(ConnectionResetError):
            other.recv(100)
        events = events_until_closed(at)
        assert events[-2:] == [Event.UP_BROKEN if is_client else Event.DOWN_BROKEN, Event.CLOSED]


def test_a_slow_reader_holds_up_only_itself() -> None:
    """One client reads nothing of an endless answer: its server is stopped, the tap keeps a little,
    and another client's answer goes on."""
    with forwarding() as at:
        slow, endless = at.connect()
        quick, served = at.connect()
        with slow, endless, quick, served:
            endless.setblocking(False)
            sent = 0
            # The tap has stopped reading once nothing more is taken.
            while select.select([], [endless], [], 0.5)[1]:
                with suppress(BlockingIOError):
                    sent += endless.send(b"x" * 65536)
            for number in range(50):
                served.sendall(b"token %d" % number)
                assert quick.recv(100) == b"token %d" % number
            # What lies in the kernel's buffers of two connections, and one read of the tap.
            assert sent < 40 << 20
            endless.setblocking(True)
            endless.shutdown(socket.SHUT_WR)
            slow.settimeout(60)
            assert len(read_all(slow)) == sent


def test_a_server_that_takes_no_connection_is_a_reset_for_the_client() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        nowhere = gone.getsockname()
    with forwarding(target=nowhere) as at:
        # It may come as early as while the client connects.
        with (
            pytest.raises(ConnectionResetError),
            socket.create_connection(("127.0.0.1", at.port), timeout=60) as client,
        ):
            client.recv(10)
        assert Event.UNREACHABLE in events_until_closed(at)


def test_copies_are_dropped_and_bytes_are_not_where_the_observer_is_stuck() -> None:
    with forwarding(ring_bytes=1 << 20) as at:
        client, served = at.connect()
        with client, served:
            answer = bytes(range(256)) * (32 << 10)
            sender = Thread(target=served.sendall, args=(answer,))
            sender.start()
            got = b""
            while len(got) < len(answer):
                got += client.recv(1 << 20)
            sender.join(60)
            assert got == answer
        assert Event.LOST in events_until_closed(at)


def test_it_goes_on_without_an_observer() -> None:
    with forwarding() as at:
        at.reader.close()
        assert exchanged(at, [b"question"], [b"answer"]) == (b"question", b"answer")
        wait_until(lambda: len(at.notes) == 1)
        assert "still forwarded" in at.notes[0]


def test_a_thousand_clients_at_once() -> None:
    raise_file_limit()
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 4200:
        pytest.skip("this process may not open enough files")
    with forwarding() as at:
        pairs = []
        try:
            for number in range(1000):
                client, served = at.connect()
                pairs.append((client, served))
                client.sendall(b"%d" % number)
            for number, (_, served) in enumerate(pairs):
                assert served.recv(100) == b"%d" % number
                served.sendall(b"to %d" % number)
            for number, (client, _) in enumerate(pairs):
                assert client.recv(100) == b"to %d" % number
            assert at.forwarder.n_open == len(pairs)
        finally:
            for client, served in pairs:
                client.close()
                served.close()
        wait_until(lambda: at.forwarder.n_open == 0)
