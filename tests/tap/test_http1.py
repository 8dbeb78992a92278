"""Messages as they pass: any framing, any splitting, anything else."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.recordings import streams
from tui.tap.http1 import Body, End, HttpEvent, MessageReader, Opaque, RequestHead, ResponseHead

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;x=1\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: 1\r\n\r\n"
)
COUNTED = b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello world"
CLOSED = b"HTTP/1.0 200 OK\nConnection: keep-alive\nConnection: close\n\nhello world"


def body(events: list[HttpEvent]) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, Body))


def read(data: bytes, cuts: list[int], *, is_response: bool) -> list[HttpEvent]:
    """The events of these bytes, cut at these places."""
    reader = MessageReader(is_response=is_response)
    events: list[HttpEvent] = []
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        events += reader.feed(data[start:end])
    return events + reader.close()


@pytest.mark.parametrize("data", [CHUNKED, COUNTED, CLOSED])
@given(cuts=st.lists(st.integers(0, 10_000), max_size=20))
def test_a_response_is_the_same_however_it_is_cut(data: bytes, cuts: list[int]) -> None:
    events = read(data, cuts, is_response=True)
    assert isinstance(events[0], ResponseHead)
    assert events[0].status == 200
    assert body(events) == b"hello world"
    assert [event for event in events if isinstance(event, End)] == [End()]
    assert events[-1] == End()


@given(cuts=st.lists(st.integers(0, 10_000), max_size=20))
def test_requests_follow_one_another_on_a_connection(cuts: list[int]) -> None:
    data = (
        b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\nAuthorization: x\r\n\r\n{}"
        b"\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n"
        b"POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
    )
    events = read(data, cuts, is_response=False)
    heads = [event for event in events if isinstance(event, RequestHead)]
    assert [(head.method, head.target) for head in heads] == [
        ("POST", "/v1/chat/completions"),
        ("GET", "/health"),
        ("POST", "/b"),
    ]
    assert body(events) == b"{}x"
    assert len([event for event in events if event == End()]) == 3


@pytest.mark.parametrize(("name", "recorded"), streams(), ids=[name for name, _ in streams()])
def test_recorded_bodies_are_read_whole(name: str, recorded: object) -> None:
    raw = getattr(recorded, "body", b"")
    chunks = [raw[at : at + 100] for at in range(0, len(raw), 100)]
    wire = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    events = read(CHUNKED.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + wire, [], is_response=True)
    assert body(events) == raw


@given(data=st.binary(max_size=400), cuts=st.lists(st.integers(0, 400), max_size=5))
def test_any_bytes_are_read_the_same_however_they_are_cut(data: bytes, cuts: list[int]) -> None:
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    for is_response, start in (
        (False, b""),
        (False, b"POST / HTTP/1.1\r\n"),
        (True, b""),
        (True, chunked),
    ):
        whole = read(start + data, [], is_response=is_response)
        parts = read(start + data, cuts, is_response=is_response)
        assert body(parts) == body(whole)
        assert len(body(whole)) <= len(data)
        assert [e for e in parts if not isinstance(e, Body)] == [
            e for e in whole if not isinstance(e, Body)
        ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x16\x03\x01\x02\x00\x01", "TLS"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2"),
        (b"\x00\x01\x02 nonsense\r\n\r\n", "no HTTP"),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", "chunks without"),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 300_000, "a head without an end"),
    ],
)
def test_what_is_no_http_is_said_once(data: bytes, reason: str) -> None:
    reader = MessageReader(is_response=False)
    events = [event for event in reader.feed(data) if isinstance(event, Opaque)]
    assert len(events) == 1
    assert events[0].reason.startswith(reason)
    assert reader.feed(b"GET / HTTP/1.1\r\n\r\n") == []


@pytest.mark.parametrize(
    ("method", "head", "reason"),
    [
        ("GET", b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n\x81\x05hello", "websocket"),
        ("CONNECT", b"HTTP/1.1 200 OK\r\n\r\n\x16\x03", "a tunnel"),
    ],
)
def test_after_an_upgrade_nothing_is_read(method: str, head: bytes, reason: str) -> None:
    reader = MessageReader(is_response=True)
    reader.expect(method)
    assert reader.feed(head)[1:] == [Opaque(reason)]
    assert reader.feed(b"HTTP/1.1 200 OK\r\n\r\n") == []


def test_interim_and_bodiless_responses() -> None:
    reader = MessageReader(is_response=True)
    reader.expect("HEAD")
    reader.expect("POST")
    data = (
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n"
    )
    events = reader.feed(data)
    assert [getattr(event, "status", "end") for event in events] == [200, "end", 204, "end"]


def test_what_ends_in_the_middle_is_cut() -> None:
    reader = MessageReader(is_response=True)
    reader.feed(COUNTED[:-3])
    assert not reader.is_between
    assert reader.close() == [End(is_cut=True)]
    assert reader.close() == []
