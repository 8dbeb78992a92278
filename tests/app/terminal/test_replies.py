"""What the terminal answers is no key, whenever and in whatever pieces it comes."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from tests.app.npulse import running
from tests.terminal.pty_terminal import PtyTerminal
from tui.app.terminal.early_keys import Replies
from tui.app.terminal.input_parser import InputParser
from tui.core.screen.colours import ColourAnswer, with_reply

pytestmark = pytest.mark.slow

REPLIES = (
    "\x1bP1$r0;48:2:1:2:3m\x1b\\",
    "\x1bP0+r524742\x1b\\",
    "\x1bP0+r5463\x1b\\",
    "\x1b[?62;22c",
)
SSH = {"COLORTERM": None, "TERM": "xterm-256color"}
_TRUE, _FEW = re.compile(rb"[;\[][34]8;2;"), re.compile(rb"[;\[][34]8;5;")


def typed(pieces: list[str], pause_s: float = 0.0) -> tuple[str, ColourAnswer]:
    """The characters that come out of these reads, with so long between them, and the answer."""
    now_s = 0.0
    answer = ColourAnswer()

    def take(reply: str) -> None:
        nonlocal answer
        answer = with_reply(answer, reply)

    parser = InputParser(lambda: now_s, take)
    found = []
    for piece in pieces:
        found += [*parser.tick(), *parser.feed(piece)]
        now_s += pause_s
    found += parser.flush()
    keys = [one for one in found if isinstance(one, (events.Key, events.Paste))]
    return "".join(one.text if isinstance(one, events.Paste) else one.key for one in keys), answer


@pytest.mark.parametrize("pause_s", [0.0, 1.0])
@given(st.sets(st.integers(3, len("".join(REPLIES)) - 1), max_size=4))
def test_replies_in_pieces_are_no_keys(pause_s: float, cuts: set[int]) -> None:
    text = "".join(REPLIES)
    starts = {text.index(reply) for reply in REPLIES}
    # A pause right behind ESC, or behind ESC with one character, is a key of its own.
    kept = sorted(
        cut for cut in cuts if not starts & {cut - 1, cut - 2} and text[cut - 1] != "\x1b"
    )
    ends = [*kept, len(text)]
    pieces = [text[a:b] for a, b in zip([0, *kept], ends, strict=True)]
    assert typed(pieces, pause_s) == ("", ColourAnswer(True, True))


@given(st.binary(max_size=60), st.sampled_from(["P1$r", "P0+r", "P1+r524742=", "P"]))
def test_whatever_a_reply_says_nothing_is_typed(content: bytes, kind: str) -> None:
    text = content.decode("utf-8", "replace").replace("\x1b", "").replace("\x07", "")
    assert typed([f"\x1b{kind}{text}\x1b\\"])[0] == ""


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_bytes_without_a_reply_give_no_answer(pieces: list[bytes]) -> None:
    _, answer = typed([piece.decode("utf-8", "replace") for piece in pieces])
    assert answer == ColourAnswer() or b"\x1bP" in b"".join(pieces)


def test_keys_between_replies_stay() -> None:
    assert typed(["a", REPLIES[0], "b" + REPLIES[3] + "c"])[0] == "abc"


def test_before_the_framework_replies_are_not_shown_as_typed() -> None:
    replies = Replies()
    text = "a" + "".join(REPLIES) + "b"
    shown = "".join(replies.taken_out(char.encode()) for char in text)
    assert shown == "ab"
    assert replies.answer == ColourAnswer(True, True)


def wait_written(terminal: PtyTerminal, what: re.Pattern[bytes], since: int) -> None:
    """Until such colours have been written."""
    deadline_s = time.monotonic() + 20
    while not what.search(terminal.raw, since):
        assert time.monotonic() < deadline_s, terminal.text()
        time.sleep(0.02)


def test_a_late_answer_upgrades_and_types_nothing(tmp_path: Path) -> None:
    with running(tmp_path, env=SSH) as terminal:
        terminal.wait_for("No rkllm server answers yet")
        terminal.wait_quiet()
        assert _FEW.search(terminal.raw)
        assert not _TRUE.search(terminal.raw.replace(b"\x1b[48;2;1;2;3m", b""))
        before = len(terminal.raw)
        terminal.send("".join(REPLIES).encode())
        wait_written(terminal, _TRUE, before)
        terminal.type("hello")
        terminal.wait_for("> hello")
        terminal.keys("alt+c")
        terminal.wait_for("colours: 256")
        terminal.keys("alt+c")
        terminal.wait_for("colours: 16")
        terminal.keys("alt+c")
        terminal.wait_for("colours: no colours")
        terminal.wait_quiet()
        at = len(terminal.raw)
        terminal.keys("alt+c")
        terminal.wait_for("the terminal answers so")
        wait_written(terminal, _TRUE, at)
        assert "> hello" in terminal.text()


def test_an_answer_at_once_is_drawn_from_the_first_frame_of_the_app(tmp_path: Path) -> None:
    with running(tmp_path, env=SSH) as terminal:
        terminal.send("".join(REPLIES).encode())
        terminal.wait_for("No rkllm server answers yet")
        wait_written(terminal, _TRUE, 200)
        terminal.keys("ctrl+q")
        terminal.wait_gone()
        assert terminal.left_behind() == []
