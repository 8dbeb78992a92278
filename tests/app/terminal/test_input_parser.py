"""Whatever a terminal sends, however it is cut: keys, pastes, and never an exception."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from tui.app.terminal.input_parser import InputParser


class Clock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def parsed(*reads: str, pause_s: float = 0.001) -> list[Message]:
    """Everything that these reads are, each ``pause_s`` after the one before, then a pause."""
    clock = Clock()
    parser = InputParser(clock)
    found: list[Message] = []
    for read in reads:
        found += parser.feed(read)
        clock.now_s += pause_s
        found += parser.tick()
    for _ in range(3):
        clock.now_s += 10
        found += parser.tick()
    assert parser.wait_s is None
    return found


def told(messages: Iterable[Message]) -> list[str]:
    """Keys by name, pastes by their text."""
    return [
        f"paste:{message.text}" if isinstance(message, events.Paste) else message.key
        for message in messages
        if isinstance(message, (events.Paste, events.Key))
    ]


def keys_of(text: str) -> list[str]:
    return ["space" if char == " " else char for char in text]


def test_escape_and_a_letter_are_alt_where_a_key_is_bound_so() -> None:
    sent = "\x1bb\x1bf\x1bx"
    assert told(InputParser(Clock()).feed(sent)) == ["ctrl+left", "ctrl+right", "alt+x"]
    bound = InputParser(Clock(), bound_keys={"alt+b"})
    assert told(bound.feed(sent)) == ["alt+b", "ctrl+right", "alt+x"]


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("\x1b", ["escape"]),
        ("\x1b\x1b", ["escape"]),
        ("\x1b[A", ["up"]),
        ("\x1bOA", ["up"]),
        ("\x1b\x1b[A", ["alt+up"]),
        ("\x1b\x1bOD", ["alt+left"]),
        ("\x1b[1;3A", ["alt+up"]),
        ("\x1b\x1b[1;2A", ["alt+shift+up"]),
        ("\x1b1", ["alt+1"]),
        ("\x1b5\x1b0", ["alt+5", "alt+0"]),
        ("\x1bx", ["alt+x"]),
        ("\x1b\x1b[A\x1b\x1b[B", ["alt+up", "alt+down"]),
        ("\x1b[[A", ["f1"]),
        ("\x1b[13;2u", ["shift+enter"]),
        ("a\x1b[Bb", ["a", "down", "b"]),
        ("\x11", ["ctrl+q"]),
        ("\r", ["enter"]),
        ("hello\r", [*"hello", "enter"]),
        ("\r\r\r", ["enter"] * 3),
        ("\x1b[B\r\x1b[B\r\x1b[B\r", ["down", "enter"] * 3),
    ],
)
def test_a_burst_is_the_keys_that_it_looks_like(sent: str, keys: list[str]) -> None:
    assert told(parsed(sent)) == keys
    assert told(parsed(*sent)) == keys


@pytest.mark.parametrize(
    "reply",
    [
        "\x1b[1114112u",
        "\x1b[55296u",
        "\x1b[97;;55296u",
        "\x1b[99999999999999999999999u",
        "\x1b[48;0;0;0;0t",
        "\x1b[48;99999999;99999999;1;1t",
        "\x1b[9999999999999;1R",
        "\x1b[?1;2;3;4;5c",
        "\x1b[>41;390;0c",
        "\x1b[<999999999;1;1M",
        "\x1b]11;rgb:0e0e/1313/1818\x1b\\",
        "\x1b]52;c;aGVsbG8=\x07",
        "\x1bP1$r0m\x1b\\",
        "\x1b_Gi=1;OK\x1b\\",
        "\x1b[12;34;56z",
        "\x1b[?2026;9$y",
    ],
)
def test_an_unknown_or_absurd_reply_is_ignored_and_the_keys_around_it_count(reply: str) -> None:
    assert told(parsed("a" + reply + "b")) == ["a", "b"]
    assert told(parsed("a", *reply, "b")) == ["a", "b"]


def test_a_size_without_pixels_is_a_size_and_the_mouse_still_counts_cells() -> None:
    found = parsed("\x1b[48;40;120;0;0t\x1b[<0;5;6M")
    resize, click = found
    assert isinstance(resize, events.Resize)
    assert tuple(resize.size) == (120, 40)
    assert isinstance(click, events.MouseDown)
    assert (click.x, click.y) == (4, 5)


LOG = "\x1b[31mERROR\x1b[0m \x11one\r\nsecond\x1b\r\nthird \x9b2J\u202e end\r\n"


def test_inside_a_paste_only_its_end_mark_counts_and_the_text_is_clean() -> None:
    clean_log = "paste:ERROR one\nsecond\nthird  end\n"
    whole = "x\x1b[200~" + LOG + "\x1b[201~y"
    for found in (parsed(whole), parsed(*whole)):
        first, paste, last = told(found)
        assert (first, last) == ("x", "y")
        assert paste.startswith("paste:ERROR")
        assert "end" in paste
        assert paste.count("\n") == 3
        assert not set(paste) & set("\x1b\x11\x9b\u202e"), clean_log


def test_a_start_mark_inside_a_paste_is_text_of_the_paste() -> None:
    assert told(parsed("\x1b[200~a\x1b[200~b\x1b[201~c")) == ["paste:ab", "c"]


@pytest.mark.parametrize("cut", [1, 3, 7, 1000])
def test_without_marks_a_burst_of_several_lines_is_a_paste(cut: int) -> None:
    log = "first line\rsecond line\rthird line\r" * 20
    reads = [log[at : at + cut] for at in range(0, len(log), cut)]
    found = told(parsed(*reads))
    assert "enter" not in found
    text = "".join(
        key.removeprefix("paste:") if key.startswith("paste:") else {"space": " "}.get(key, key)
        for key in found
    )
    assert text == log.replace("\r", "\n")


def test_coloured_lines_without_marks_are_one_clean_paste() -> None:
    (paste,) = told(parsed(LOG.replace("\r\n", "\r")))
    assert paste.startswith("paste:ERROR")
    assert paste.count("\n") == 3


def test_two_long_lines_are_a_paste_and_two_short_ones_were_typed_ahead() -> None:
    assert told(parsed("a" * 150 + "\r" + "b" * 150)) == ["paste:" + "a" * 150 + "\n" + "b" * 150]
    expected = [*keys_of("hello"), "enter", *keys_of("next words")]
    for at in range(len("hello\rnext words")):
        sent = "hello\rnext words"
        assert told(parsed(sent[:at], sent[at:])) == expected
    assert told(parsed(*"hello\rnext words")) == expected


def test_keys_with_pauses_are_never_a_paste() -> None:
    typed = "one\rtwo\rthree\r"
    assert told(parsed(*typed, pause_s=0.05)) == [
        "enter" if char == "\r" else char for char in typed
    ]


def test_an_open_paste_ends_after_a_pause_and_nothing_of_it_is_lost() -> None:
    assert told(parsed("\x1b[200~kept\x1b[20")) == ["paste:kept"]


PIECES = st.one_of(
    st.text(max_size=8),
    st.text(alphabet="\x1b[]O0123456789;:<?>$~uMmtRABcyP_\\\x07\r", max_size=16),
    st.sampled_from(["\x1b[200~", "\x1b[201~", "\x1b", "\x1b[", "\x1b[48;", "\x1b[<", "\x1bP"]),
    st.builds(
        lambda marks, numbers, end: f"\x1b[{marks}{numbers}{end}",
        st.sampled_from(["", "?", "<", ">", "="]),
        st.lists(st.integers(-1, 2**70), max_size=6).map(lambda n: ";".join(map(str, n))),
        st.characters(min_codepoint=0x40, max_codepoint=0x7E),
    ),
)


@given(st.lists(PIECES, max_size=12))
def test_nothing_that_is_sent_raises(pieces: Sequence[str]) -> None:
    for message in chain(parsed(*pieces), parsed("".join(pieces)), parsed(*"".join(pieces))):
        if isinstance(message, events.Key):
            (message.key + (message.character or "")).encode()
        if isinstance(message, events.Resize):
            assert message.size.width > 0
            assert message.size.height > 0


@given(st.lists(st.integers(0, 9), max_size=6), st.text(max_size=40))
def test_a_paste_is_the_same_however_it_is_cut(cuts: Sequence[int], text: str) -> None:
    sent = "\x1b[200~" + text.replace("\x1b[201~", "") + "\x1b[201~z"
    reads, rest = [], sent
    for cut in cuts:
        reads.append(rest[:cut])
        rest = rest[cut:]
    assert told(parsed(*reads, rest)) == told(parsed(sent))


@pytest.mark.parametrize(
    "start", ["\x1b]52;c;", "\x1bP1+r", "\x1b_G", "\x1b^", "\x1bX", "\x1b\x1b]"]
)
@pytest.mark.parametrize("end", ["\x07", "\x1b\\"])
@pytest.mark.parametrize("step", [1, 7, 257, 4096, 50_000])
def test_a_long_reply_is_no_typing(start: str, end: str, step: int) -> None:
    sent = f"a{start}{'QUJD' * 5000}{end}b\x1b[A"
    reads = [sent[at : at + step] for at in range(0, len(sent), step)]
    assert told(parsed(*reads)) == ["a", "b", "up"]


def test_a_long_reply_without_an_end_is_over_after_a_pause() -> None:
    clock = Clock()
    parser = InputParser(clock)
    assert parser.feed("\x1b]52;c;" + "QUJD" * 200) == []
    assert parser.feed("QUJD\x1b") == []
    clock.now_s += 1
    assert parser.tick() == []
    assert told(parser.feed("hi\x1b[B")) == ["h", "i", "down"]
    assert parser.feed("\x1b]" + "x" * 300) == []
    assert told(parser.feed("xx\x1b[Ay")) == ["up", "y"], "another sequence ends it"
