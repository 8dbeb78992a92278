"""Taking output apart: nothing is lost, however it is split, and what is foreign is found."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .escapes import Escape, EscapeScanner, foreign_escapes, made_by_textual
from .keys import key_bytes
from .modes import Modes

HOSTILE = [
    b"\x1b]0;title\x07",
    b"\x1b]52;c;aGk=\x1b\\",
    b"\x1b]8;;http://x\x1b\\",
    b"\x1bP+q544e\x1b\\",
    b"\x1b_app\x1b\\",
    b"\x1b^pm\x1b\\",
    b"\x1b[2J",
    b"\x1b[31m",
    b"\x1b[38;5;9m",
    b"\x1b[?47h",
    b"\x1b[5A",
    b"\x1bc",
    b"\x1b]0;never ends",
    b"\x1b[12\x1b[0m",
    b"\xc2\x9b31m",
    b"\x07",
    b"\x7f",
    "\u202e".encode(),
    "\u2066".encode(),
]
TEXTUAL = (
    b"\x1b[?1049h\x1b[?1000h\x1b[?25l\x1b[>25u\x1b[?2026$p\x1b[?2026h\x1b[3;10H"
    b"\x1b[1;38;2;1;2;3;48;2;4;5;6mtext \xe2\x96\x88\x1b[0m\r\n\tmore\x1b[39;49m\x1b[m\x1b[?2026l"
    b"\x1b]22;default\x07\x1b[<u\x1b[?1049l"
)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_foreign_sequence_is_found_between_those_of_textual(hostile: bytes) -> None:
    assert foreign_escapes(TEXTUAL + b"a" + hostile)


def test_output_of_textual_has_no_foreign_sequence() -> None:
    assert foreign_escapes(TEXTUAL) == []


def test_what_counts_as_ours_is_the_callers_choice() -> None:
    def with_clipboard(escape: Escape) -> bool:
        return made_by_textual(escape) or escape.body.startswith(b"52;")

    raw = b"\x1b]52;c;aGk=\x07\x1b]0;title\x07"
    assert [str(e) for e in foreign_escapes(raw, with_clipboard)] == ["osc b'0;title'"]


fragments = st.lists(
    st.sampled_from([*HOSTILE, TEXTUAL, b"plain", "喝茶 é 👍".encode(), b"\x1b", b"\xe2"])
    | st.binary(max_size=8),
    max_size=8,
).map(b"".join)


def scanned(parts: list[bytes]) -> tuple[bytes, list[Escape]]:
    """The plain text and the sequences of an output that arrived in parts."""
    scanner = EscapeScanner()
    pieces = [piece for part in parts for piece in scanner.feed(part)]
    text = b"".join(p for p in pieces if isinstance(p, bytes)) + scanner.flush()
    return text, [p for p in pieces if isinstance(p, Escape)]


@given(fragments, st.lists(st.integers(0, 200), max_size=6))
def test_any_split_gives_the_same_sequences(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(c, len(data)) for c in cuts), len(data)]
    parts = [data[a:b] for a, b in itertools.pairwise(edges)]
    assert scanned(parts) == scanned([data])


@given(st.text())
def test_plain_text_has_no_escape_but_its_controls(text: str) -> None:
    plain = "".join(c for c in text if c.isprintable() and not "\x80" <= c <= "\x9f")
    assert scanned([plain.encode()]) == (plain.encode(), [])


def test_modes_name_what_is_left_on() -> None:
    modes = Modes()
    for part in (b"\x1b[?1049", b"h\x1b[?1000;1006h\x1b[?25l\x1b[?2004h\x1b[>25u\x1b[1m\x1b[?7l"):
        modes.feed(part)
    assert modes.left_on() == [
        "alternate screen",
        "bracketed paste",
        "cursor off",
        "keyboard protocol",
        "line wrap off",
        "mouse",
        "mouse (SGR)",
        "text attributes",
    ]
    modes.feed(b"\x1b[?1000;1006l\x1b[?2004l\x1b[<u\x1b[0m\x1b[?7h\x1b[?1049l\x1b[?25h")
    assert modes.left_on() == []


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("enter", b"\r"),
        ("x", b"x"),
        ("f1", b"\x1bOP"),
        ("f12", b"\x1b[24~"),
        ("ctrl+q", b"\x11"),
        ("alt+enter", b"\x1b\r"),
        ("shift+up", b"\x1b[1;2A"),
        ("shift+enter", b"\x1b[13;2u"),
    ],
)
def test_key_names(name: str, data: bytes) -> None:
    assert key_bytes(name) == data


@pytest.mark.parametrize("name", ["f13", "ctrl+é", "nokey", "hyper+x"])
def test_a_key_that_no_terminal_has_is_refused(name: str) -> None:
    with pytest.raises(KeyError):
        key_bytes(name)
