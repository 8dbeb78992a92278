"""The frame before the framework: the same cells as the dashboard's, and a terminal that is given
back whatever comes meanwhile."""

from __future__ import annotations

import json
import os
import signal
import time
from codecs import getincrementaldecoder
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app.npulse import running
from tests.app.terminal.test_real_signals import MOUSE, is_given_back
from tests.terminal.pty_terminal import PtyTerminal
from tests.terminal.screen import TerminalScreen
from tui.app.terminal.early_keys import Echo
from tui.app.terminal.known_frame import (
    OUTLINES,
    PROMPT_ROW,
    escapes,
    fitted,
    outline,
    read_frame,
)

pytestmark = pytest.mark.slow

URL = ("--url", "http://127.0.0.1:9")
READY = "looking again"


def has_frame(terminal: PtyTerminal) -> bool:
    return b"sends" in terminal.raw


def wait_frame(terminal: PtyTerminal) -> None:
    terminal.wait_for(has_frame, poll=0.001)


def cells(data: bytes, size: tuple[int, int]) -> list[list[Any]]:
    """What a terminal shows after these bytes: text and colours of every cell."""
    screen = TerminalScreen(*size)
    screen.feed(data)
    shown = screen._shown
    return [[shown.buffer[y][x] for x in range(size[0])] for y in range(size[1])]


def early(terminal: PtyTerminal) -> bytes:
    """What was sent before the framework took the terminal over."""
    terminal.wait_for(lambda shown: MOUSE in shown.raw, poll=0.01)
    return terminal.raw.partition(MOUSE)[0]


@pytest.mark.parametrize(
    ("size", "env", "theme"),
    [
        ((120, 40), {}, "npulse-dark"),
        ((80, 24), {"COLORTERM": None}, "npulse-light"),
        ((61, 20), {"COLORTERM": None, "TERM": "xterm"}, "npulse-16"),
    ],
    ids=str,
)
def test_the_first_start_shows_what_the_dashboard_will(
    tmp_path: Path, size: tuple[int, int], env: dict[str, str | None], theme: str
) -> None:
    with running(tmp_path, *URL, "--theme", theme, size=size, env=env) as terminal:
        before = cells(early(terminal), size)
        terminal.wait_for(READY)
        after = cells(terminal.raw, size)
    for y in (-3, -2, -1):
        assert before[y] == after[y]
    header = "".join(cell.data for cell in before[0])
    assert header.startswith(" npulse")
    assert [(c.fg, c.bg) for c in before[0][:8]] == [(c.fg, c.bg) for c in after[0][:8]]
    assert before[5][0].bg == after[5][0].bg


def test_the_next_start_shows_all_of_it_and_nothing_is_written_twice(tmp_path: Path) -> None:
    size = (120, 40)
    with running(tmp_path, *URL, size=size) as terminal:
        terminal.wait_for(lambda shown: list((tmp_path / "cache").glob("npulse/frame-*")) != [])
        terminal.keys("ctrl+q")
        assert terminal.wait_gone() == 0
    with running(tmp_path, *URL, size=size) as terminal:
        frame = early(terminal)
        assert "No rkllm server answers yet" in _text(frame, size)
        terminal.wait_for(lambda shown: len(shown.raw) > len(frame) + 100)
        assert len(terminal.raw) - len(frame) < 4000


def _text(data: bytes, size: tuple[int, int]) -> str:
    return "\n".join("".join(cell.data for cell in row) for row in cells(data, size))


def test_what_is_typed_meanwhile_reaches_the_prompt_in_order(tmp_path: Path) -> None:
    with running(tmp_path, *URL) as terminal:
        wait_frame(terminal)
        for piece in (
            b"ab\xc3",
            b"\xa4c",
            b"\x1b[200",
            b"~pas\xe2\x82",
            b"\xac\nted\x1b[201~",
            b"!",
        ):
            terminal.send(piece)
            time.sleep(0.01)
        terminal.wait_for("abäcpas€")
        terminal.wait_for("ted!")


def test_an_enter_meanwhile_sends_the_prompt(tmp_path: Path) -> None:
    with running(tmp_path, "--demo") as terminal:
        wait_frame(terminal)
        terminal.send(b"hello there\r")
        terminal.wait_for("you")
        terminal.wait_for(lambda shown: "hello there" in shown.text())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_meanwhile_leaves_the_terminal_clean(
    tmp_path: Path, number: signal.Signals
) -> None:
    for pause_s in (0.0, 0.05):
        with running(tmp_path, *URL) as terminal:
            wait_frame(terminal)
            time.sleep(pause_s)
            os.kill(terminal.process.pid, number)
            assert terminal.wait_gone() == 128 + number
            assert is_given_back(terminal)


def test_a_stop_meanwhile_gives_the_terminal_to_the_shell_and_goes_on(tmp_path: Path) -> None:
    with running(tmp_path, *URL) as terminal:
        wait_frame(terminal)
        os.kill(terminal.process.pid, signal.SIGTSTP)
        terminal.wait_stopped()
        terminal.wait_for(is_given_back)  # what it wrote before it stopped
        os.kill(terminal.process.pid, signal.SIGCONT)
        terminal.wait_for(READY)
        terminal.keys("ctrl+q")
        assert terminal.wait_gone() == 0
        assert is_given_back(terminal)


def test_another_size_meanwhile_is_drawn_anew(tmp_path: Path) -> None:
    with running(tmp_path, *URL, size=(120, 40)) as terminal:
        wait_frame(terminal)
        terminal.resize(90, 30)
        terminal.wait_for(READY)
        terminal.wait_for(lambda shown: "F1 help" in shown.text().splitlines()[-1])


@pytest.mark.parametrize(
    ("arguments", "env"),
    [(URL, {"NO_COLOR": "1"}), (("--ascii", *URL), {}), (("--url", "http://"), {})],
    ids=["no colour", "ascii", "mistake"],
)
def test_it_is_not_drawn_where_it_could_be_another_one(
    tmp_path: Path, arguments: tuple[str, ...], env: dict[str, str | None]
) -> None:
    with running(tmp_path, *arguments, env=env) as terminal:
        terminal.wait_for(lambda shown: MOUSE in shown.raw or shown.exit_code is not None)
        assert b"sends" not in terminal.raw.partition(MOUSE)[0]


@pytest.mark.parametrize(
    "content", ["", "{}", "[[[1,2]]]", '[[["a\\u001b[2J","0"]]]', '[[["aa","x"]]]']
)
def test_a_kept_frame_that_is_none_is_not_drawn(tmp_path: Path, content: str) -> None:
    path = tmp_path / "frame.json"
    path.write_text(content)
    assert read_frame(path, (2, 1)) is None


@given(st.integers(40, 400), st.integers(10, 60), st.data())
def test_an_outline_fills_every_size(columns: int, height: int, data: st.DataObject) -> None:
    known = json.loads(OUTLINES.read_bytes())
    theme = data.draw(st.sampled_from(sorted(known)))
    depth = data.draw(st.sampled_from(sorted(known[theme])))
    rows = outline(theme, depth, (columns, height))
    assert rows is not None
    assert len(rows) == height
    assert {sum(len(text) for text, _ in row) for row in rows} == {columns}
    screen = TerminalScreen(columns, height)
    screen.feed(escapes(rows).encode())
    lines = [line.rstrip() for line in screen.text().splitlines()]
    assert lines[0].startswith(" npulse")
    # The keys are whole: each hint ends as in the widest outline.
    widest = "".join(text for text, _ in known[theme][depth]["wide"]["bottom"][-1])
    assert set(lines[-1].split("   ")) <= set(widest.rstrip().split("   "))


def shown_by(*pieces: bytes) -> str:
    """The prompt's row of an outline after these reads."""
    rows = outline("npulse-dark", "256", (60, 12))
    assert rows is not None
    echo = Echo(rows[PROMPT_ROW], 10)
    screen = TerminalScreen(60, 12)
    screen.feed(escapes(rows).encode())
    decode = getincrementaldecoder("utf-8")("replace").decode
    for piece in pieces:
        if echo.take(decode(piece)):
            screen.feed(echo.drawn())
    return screen.text().splitlines()[PROMPT_ROW].rstrip()


@pytest.mark.parametrize(
    ("pieces", "row"),
    [
        ((b"a", b"b\xc3", b"\xa4", b"\x7fc"), " > abc"),
        ((b"a\x7f",), " > ask the model; Enter sends"),
        ((b"ok\rnext",), " > ok"),
        ((b"ok", b"\x1b[A", b"no"), " > ok"),
        (("wide 漢 char".encode(),), " > wide"),
        ((b"x" * 200,), " > " + "x" * 55),
    ],
    ids=str,
)
def test_text_is_shown_as_far_as_it_is_simple(pieces: tuple[bytes, ...], row: str) -> None:
    assert shown_by(*pieces) == row


def test_a_row_is_cut_between_two_parts() -> None:
    row = (("one   two", "1"), ("   three", ""))
    assert fitted(row, 12) == (("one   two", "1"), ("   ", ""))
