"""The event-stream parser, against the rules of the HTML standard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.requests import cuts
from tui.servers.dialects.sse import Event, SseParser


def parsed(*pieces: bytes, **limits: int) -> list[Event]:
    parser = SseParser(**limits)
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.close()


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: a\n\n", ["a"]),
        (b"data:a\r\n\r\n", ["a"]),
        (b"data: a\r\rdata: b\r\r", ["a", "b"]),
        (b"data: a\ndata: b\n\n", ["a\nb"]),
        (b"data\n\n", [""]),
        (b"data:  two spaces\n\n", [" two spaces"]),
        (b"\xef\xbb\xbfdata: bom\n\n", ["bom"]),
        (b": heartbeat prefill 3s\n\n: keepalive\n\ndata: a\n\n", ["a"]),
        (b"id: 7\nretry: 10\ndata: a\n\n", ["a"]),
        (b"nonsense\nnonsense: x\ndata: a\n\n", ["nonsense\nnonsense: x", "a"]),
        (b'{"a": 1}\n{"b": 2}\n', ['{"a": 1}', '{"b": 2}']),
        (b"data: a\n \n{\n 1\n}\n\n", ["a", "{\n 1\n}"]),
        (b"\n\n\n", []),
        (b"event: ping\n\n", []),
        (b"data: a\n\ndata: no blank line", ["a", "no blank line"]),
        (
            "data: \u2028 \x0b \x0c \x85 are no line ends\n\n".encode(),
            ["\u2028 \x0b \x0c \x85 are no line ends"],
        ),
    ],
)
def test_events(stream: bytes, expected: list[str]) -> None:
    assert [event.data for event in parsed(stream)] == expected
    one_by_one = [bytes([byte]) for byte in stream]
    assert [event.data for event in parsed(*one_by_one)] == expected


def test_event_type_belongs_to_one_event() -> None:
    assert parsed(b"event: error\ndata: a\n\ndata: b\n\n") == [Event("a", "error"), Event("b", "")]


def test_character_split_over_reads() -> None:
    stream = "data: 汉字 👩‍👩‍👧 é\n\n".encode()
    for at in range(len(stream)):
        assert [e.data for e in parsed(stream[:at], stream[at:])] == ["汉字 👩‍👩‍👧 é"]


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    assert [e.data for e in parsed(b"data: a\xff\xc3\n\n")] == ["a��"]


def test_a_line_without_end_is_not_kept() -> None:
    parser = SseParser(max_line_chars=1000)
    events = parser.feed(b"data: ok\n\n")
    for _ in range(50):
        events += parser.feed(b"x" * 100)
    assert [e.data for e in events] == ["ok"]
    assert parser.broken == "a line of more than 1000 characters"
    assert parser.feed(b"\n\ndata: late\n\n") == []
    assert parser.close() == []


def test_an_event_without_end_is_not_kept() -> None:
    parser = SseParser(max_event_chars=1000)
    for _ in range(300):
        assert parser.feed(b"data: ten chars\n") == []
    assert parser.broken == "an event of more than 1000 characters"


STREAM_BYTES = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from(
            [
                b"data: x",
                b"data:",
                b"\r\n",
                b"\n",
                b"\r",
                b":c",
                b"event: e",
                "漢".encode(),
                b"\xf0\x9f",
            ]
        ),
        max_size=30,
    ).map(b"".join),
)


@given(STREAM_BYTES, st.lists(st.integers(0, 400), max_size=20), st.integers(5, 60))
def test_any_bytes_in_any_split_are_the_same(stream: bytes, points: list[int], limit: int) -> None:
    limits = {"max_line_chars": limit, "max_event_chars": limit}
    assert parsed(*cuts(stream, points), **limits) == parsed(stream, **limits)


def test_lines_outside_of_fields_are_bounded_too_and_many_objects_are_no_long_one() -> None:
    parser = SseParser(max_event_chars=100)
    for _ in range(50):
        parser.feed(b"some words\n")
    assert parser.broken is not None
    parser = SseParser(max_event_chars=100)
    events = [event for _ in range(50) for event in parser.feed(b'{"a": 1}\n')]
    assert (len(events), parser.broken) == (50, None)
