"""The terminal itself, with small programs: what they get, what they show, what they leave."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest

from .pty_terminal import PtyTerminal, TerminalTimeoutError


def program(code: str) -> list[str]:
    return [sys.executable, "-c", "import os, signal, sys, termios, time, tty\n" + code]


RAW = "before = termios.tcgetattr(0); tty.setraw(0)\n"
ECHO_HEX = RAW + (
    "print('ready', end='', flush=True)\n"
    "while (data := os.read(0, 4096)) != b'q': print(data.hex(), end=' ', flush=True)\n"
    "termios.tcsetattr(0, termios.TCSANOW, before)\n"
)


def test_shows_output_and_passes_on_the_exit_code() -> None:
    with PtyTerminal(program("print('hello 喝茶', os.get_terminal_size()); sys.exit(3)")) as t:
        t.wait_for("hello 喝茶 os.terminal_size(columns=120, lines=40)")
        assert t.wait_gone() == 3
        assert t.exit_code == 3
        assert t.left_behind() == []
        assert t.bytes_out == len(t.raw) > 10
        assert t.bytes_between(t.started_ns, time.perf_counter_ns()) == t.bytes_out


def test_everything_written_right_before_the_end_is_read() -> None:
    with PtyTerminal(program("sys.stdout.write('x' * 300_000); sys.stdout.flush()")) as t:
        t.wait_gone()
        assert t.bytes_out == 300_000


def test_the_environment_is_that_of_a_terminal() -> None:
    code = "print(*(os.environ.get(k) for k in ('TERM', 'COLORTERM', 'LANG', 'NO_COLOR', 'MINE')))"
    with PtyTerminal(program(code), env={"MINE": "1", "LANG": None}) as t:
        t.wait_for("xterm-256color truecolor None None 1")


def test_keys_typing_and_paste_arrive_as_a_terminal_sends_them() -> None:
    with PtyTerminal(program("print(end='\\x1b[?2004h', flush=True)\n" + ECHO_HEX)) as t:
        t.wait_for("ready")
        assert t.is_raw()
        t.keys("f1", "ctrl+c", "up")
        t.type("é")
        t.paste("x\ny")
        t.wait_for(lambda t: "1b5b3230317e" in t.text().replace(" ", ""))
        typed = t.text().replace(" ", "").partition("ready")[2]
        assert typed.startswith("1b4f50031b5b41c3a91b5b3230307e780a791b5b3230317e")
        t.keys("q")
        assert t.wait_gone() == 0


def test_a_large_paste_reaches_a_program_that_writes_all_the_time() -> None:
    code = RAW + (
        "print('ready', end='', flush=True); n = 0\n"
        "while n < 100_000: n += len(os.read(0, 4096)); print(end='.' * 4000, flush=True)\n"
        "print('got', n)\n"
    )
    with PtyTerminal(program(code)) as t:
        t.wait_for("ready")
        t.paste("p" * 100_000)
        t.wait_for("got 100000")


def test_a_program_that_does_not_read_is_not_waited_for_for_ever() -> None:
    with PtyTerminal(program(RAW + "print('ready', flush=True); time.sleep(60)")) as t:
        t.wait_for("ready")
        with pytest.raises(TerminalTimeoutError, match="does not read"):
            t.send(b"x" * 1_000_000, seconds=0.3)


def test_queries_get_the_answers_of_a_terminal(tmp_path: Path) -> None:
    code = RAW + (
        "for ask in ('\\x1b[c', '\\x1b[>c', '\\x1b[5n', '\\x1b[?2026$p', '\\x1b[?2048$p',"
        " '\\x1b]11;?\\x07', 'ab\\r\\ncde\\x1b[6n'):\n"
        "    cut = len(ask) - 2\n"
        "    print(end=ask[:cut], flush=True); time.sleep(0.05)\n"
        "    print(end=ask[cut:], flush=True)\n"
        "    answer = os.read(0, 100)\n"
        "    with open(sys.argv[1], 'ab') as file: file.write(answer + b'\\n')\n"
    )
    answers = [
        b"\x1b[?62;22c",
        b"\x1b[>41;390;0c",
        b"\x1b[0n",
        b"\x1b[?2026;2$y",
        b"\x1b[?2048;0$y",
        b"\x1b]11;rgb:0e0e/1313/1818\x1b\\",
        b"\x1b[2;4R",
    ]
    heard = tmp_path / "heard"
    with PtyTerminal([*program(code), heard]) as t:
        assert t.wait_gone() == 0
        assert heard.read_bytes().splitlines() == answers


def test_alternate_screen_is_a_screen_of_its_own() -> None:
    code = (
        "print('normal')\n"
        "print(end='\\x1b[?1049h\\x1b[2;3Halternate\\x1b[1;1H\\x1b[>1u', flush=True)\n"
        "sys.stdin.readline()\n"
        "print(end='\\x1b[<u\\x1b[?1049l', flush=True)\n"
    )
    with PtyTerminal(program(code), size=(40, 5)) as t:
        t.wait_for("alternate")
        assert t.screen.is_alternate
        assert t.screen.lines() == ["", "  alternate", "", "", ""]
        assert t.left_behind() == ["alternate screen", "keyboard protocol"]
        t.type("\n")
        t.wait_gone()
        assert t.draw().lines()[0] == "normal"
        assert t.left_behind() == []


def test_resize_reaches_program_and_screen() -> None:
    code = (
        "signal.signal(signal.SIGWINCH, lambda *_: print(os.get_terminal_size(), flush=True))\n"
        "print('ready', flush=True)\n"
        "while True: time.sleep(0.05)\n"
    )
    with PtyTerminal(program(code), size=(80, 24)) as t:
        t.wait_for("ready")
        t.resize(100, 30)
        t.wait_for("columns=100, lines=30")
        assert (t.screen.cols, t.screen.rows) == (100, 30)


def test_signals_and_hang_up_reach_the_program(tmp_path: Path) -> None:
    # A shell has its background jobs, and what they start, ignore SIGINT.
    code = "signal.signal(2, signal.SIG_DFL)\nprint('ready', flush=True); time.sleep(60)"
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        with PtyTerminal(program(code)) as t:
            t.wait_for("ready")
            t.signal(number)
            t.process.wait(60)
            assert t.exit_code in (-number, 1)  # 1: KeyboardInterrupt of an older Python
    mark = tmp_path / "hup"
    code = (
        f"def note(*_): open({str(mark)!r}, 'w').close(); os._exit(7)\n"
        "signal.signal(signal.SIGHUP, note)\n"
        "print('ready', flush=True); time.sleep(60)\n"
    )
    with PtyTerminal(program(code)) as t:
        t.wait_for("ready")
        t.hang_up()
        assert t.process.wait(60) == 7
        assert mark.exists()


def test_what_a_program_leaves_behind_is_named() -> None:
    code = RAW + "print(end='\\x1b[?1000h\\x1b[?25l\\x1b]0;t\\x07', flush=True)\n"
    with PtyTerminal(program(code)) as t:
        t.wait_gone()
        assert t.left_behind() == ["cursor off", "mouse", "tty settings"]
        assert [e.kind for e in t.foreign_escapes()] == ["osc"]
        assert t.draw().title == "t"


def test_wait_for_says_what_was_on_the_screen() -> None:
    with PtyTerminal(program("print('other'); time.sleep(60)")) as t:
        t.wait_for("other")
        with pytest.raises(TerminalTimeoutError, match=r"no 'this': 0.1 s(.|\n)*other"):
            t.wait_for("this", seconds=0.1)
        with pytest.raises(TerminalTimeoutError, match="still running"):
            t.wait_gone(0.1)
    with PtyTerminal(program("sys.exit(4)")) as t, pytest.raises(TerminalTimeoutError) as told:
        t.wait_for("this")
    assert "ended (4)" in str(told.value)


def test_a_slow_line_takes_only_its_bytes_a_second() -> None:
    code = "sys.stdout.write('x' * 400_000); sys.stdout.flush(); time.sleep(60)"
    with PtyTerminal(program(code), read_rate=20_000) as t:
        t.wait_for(lambda t: t.bytes_out > 0)
        begun_ns = time.perf_counter_ns()
        time.sleep(1)
        seconds = (time.perf_counter_ns() - begun_ns) / 1e9
        assert 0 < t.bytes_out < 20_000 * seconds + 8_000


def test_a_program_that_does_not_exist_is_an_error_at_once() -> None:
    with pytest.raises(FileNotFoundError):
        PtyTerminal(["/nonexistent/program"])


@pytest.mark.slow
def test_close_ends_a_program_that_ignores_sigterm() -> None:
    code = (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    )
    with PtyTerminal(program(code)) as t:
        t.wait_for("ready")
    assert t.exit_code == -signal.SIGKILL
