"""The dashboard as a person meets it: a real process in a real terminal."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.app.npulse import running
from tests.sim.simulator import running as simulator
from tests.sim.simulator import truth, wait_for_event
from tests.terminal.pty_terminal import PtyTerminal
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

READY = "is ready on"


def ask(terminal: PtyTerminal, prompt: str) -> None:
    terminal.type(prompt)
    terminal.keys("enter")


def shows(pattern: str) -> Callable[[PtyTerminal], bool]:
    """Whether the screen has something of that form."""
    return lambda terminal: re.search(pattern, terminal.text()) is not None


def lacks(text: str) -> Callable[[PtyTerminal], bool]:
    return lambda terminal: text not in terminal.text()


def in_transcript(text: str) -> Callable[[PtyTerminal], bool]:
    """Whether the transcript has it; the panel of the last answers may have it too."""
    return lambda terminal: text in transcript(terminal)


def not_in_transcript(text: str) -> Callable[[PtyTerminal], bool]:
    return lambda terminal: text not in transcript(terminal)


def transcript(terminal: PtyTerminal) -> str:
    """What is left of the panels in a terminal of 120 columns; rows without panels whole."""
    rows = terminal.text().split("\n")
    return "\n".join(row[:PANELS_AT] if row[PANELS_AT:][:1] == "│" else row for row in rows)


PANELS_AT = 120 - 44
IDLE_ROW = r"0 ─+ +0 %"
BUSY_ROW = r"0 ━+[━─╸]* +[1-9]\d* %"


@pytest.mark.slow
def test_demo_from_start_to_end(tmp_path: Path) -> None:
    with running(tmp_path, "--demo", "--speed", "8") as terminal:
        terminal.wait_for(READY)
        terminal.wait_for("SIMULATED")
        terminal.wait_for(shows(IDLE_ROW))
        ask(terminal, "why is decode memory-bound? [[tokens=400]]")
        terminal.wait_for(shows(r"~\d\d of 2048"))
        terminal.wait_for(shows(r"ø ~\d"))
        terminal.wait_for(shows(BUSY_ROW))
        terminal.keys("escape")
        terminal.wait_for("stopped  ")
        terminal.wait_for("busy")
        ask(terminal, "and again [[tokens=30]]")
        terminal.wait_for("server still finishing")
        terminal.wait_for("~30 tokens")
        terminal.keys("ctrl+q")
        assert terminal.wait_gone() == 0
        assert terminal.left_behind() == []
        assert terminal.foreign_escapes() == []


@pytest.mark.slow
def test_two_streams_never_overlap(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with (
        simulator("--decode-tps", "40", "--truth", str(log)) as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        terminal.wait_for(READY)
        ask(terminal, "first [[tokens=100]]")
        wait_for_event(log, "token", 1, 5)
        terminal.keys("escape")
        terminal.wait_for("stopped  ")
        ask(terminal, "second [[tokens=77]]")
        terminal.wait_for("~77 tokens")
        first_end = truth(log, "finish", 1)[0]["t_ns"]
        assert truth(log, "request", 2)[0]["t_ns"] >= first_end
        assert truth(log, "disconnect") == []


def test_a_refusal_ends_with_the_answer_that_it_speaks_of(tmp_path: Path) -> None:
    with (
        simulator("--decode-tps", "20") as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        terminal.wait_for(READY)
        ask(terminal, "first [[tokens=300]]")
        terminal.wait_for(shows(r"~\d+ of 2048"))
        terminal.keys("ctrl+n")
        terminal.wait_for("an answer is running; stop it first")
        terminal.keys("escape")
        terminal.wait_for("stopped  ")
        terminal.wait_for("F1 help", 3)
        terminal.wait_for(lacks("an answer is running"))


def test_stop_works_during_prefill_and_gives_the_numbers(tmp_path: Path) -> None:
    with (
        simulator("--prefill-tps", "2") as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        terminal.wait_for(READY)
        ask(terminal, "a prompt that takes a while to read, far longer than this test waits")
        # The speed panel has the word too, from the start on and without a time beside it.
        terminal.wait_for(lambda shown: re.search(r"prefill \d", shown.text()))
        terminal.keys("escape")
        terminal.wait_for("stopped  ")


def test_an_unreachable_server_is_said_and_the_prompt_stays(tmp_path: Path) -> None:
    with running(tmp_path, "--url", "http://127.0.0.1:9") as terminal:
        terminal.wait_for("No rkllm server answers yet")
        ask(terminal, "is anyone there?")
        terminal.wait_for("No server listens")
        terminal.wait_for("is anyone there?")


def test_a_prompt_sent_again_after_an_error_stands_alone(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with (
        simulator("--decode-tps", "200", "--fault", "cut=5", "--truth", str(log)) as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        terminal.wait_for(READY)
        for attempt in (1, 2):
            ask(terminal, "do not lose this" if attempt == 1 else "")
            wait_for_event(log, "request", attempt)
            told = "(cut the stream.*)" * attempt
            terminal.wait_for(shows(f"(?s){told}> do not lose this"))
        sizes = [event["prompt_tokens"] for event in truth(log, "request")]
    assert sizes[0] == sizes[1]


def test_a_prompt_that_may_be_too_long_is_sent_when_asked_again(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with (
        simulator("--prefill-tps", "200000", "--truth", str(log)) as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        terminal.wait_for(READY)
        terminal.paste("1234567890 " * 2000)
        terminal.wait_for("[pasted")
        terminal.keys("enter")
        terminal.wait_for("too long for the context of 4096")
        assert truth(log, "request") == []
        terminal.keys("enter")
        wait_for_event(log, "request")


@pytest.mark.slow
def test_a_server_that_appears_later_is_found(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with running(tmp_path, "--url", f"http://127.0.0.1:{port}") as terminal:
        terminal.wait_for("No rkllm server answers yet")
        ask(terminal, "hello [[tokens=20]]")
        # Said so before the first look has ended, and with what was found after it.
        terminal.wait_for(shows("your prompt stays here|No server listens"))
        with simulator("--port", str(port), "--speed", "10"):
            terminal.wait_for(READY)
            terminal.wait_for("F1 help", 3)
            terminal.keys("enter")
            terminal.wait_for("~20 tokens")
        terminal.wait_for("gone")
        with simulator("--port", str(port), "--speed", "10"):
            terminal.wait_for(lacks("gone"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_leave_a_clean_terminal(tmp_path: Path, number: signal.Signals) -> None:
    stops = {"NPULSE_SESSION__ON_HANGUP": "stop"}
    with running(tmp_path, "--demo", "--speed", "5", env=stops) as terminal:
        terminal.wait_for(READY)
        ask(terminal, "[[tokens=500]]")
        terminal.wait_for("answering")
        terminal.signal(number)
        assert terminal.wait_gone() == 128 + number
        assert terminal.left_behind() == []


def test_killed_npulse_takes_the_simulated_board_with_it(tmp_path: Path) -> None:
    with running(tmp_path, "--demo") as terminal:
        terminal.wait_for(READY)
        children = Path(f"/proc/{terminal.process.pid}/task")
        pids = [
            int(pid)
            for task in children.iterdir()
            for pid in (task / "children").read_text().split()
        ]
        assert pids
        terminal.signal(signal.SIGKILL)
        terminal.wait_gone()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def test_resizing_while_streaming_loses_nothing(tmp_path: Path) -> None:
    with (
        simulator("--decode-tps", "60") as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        terminal.wait_for(READY)
        ask(terminal, "[[prose]] [[tokens=120]]")
        for size in ((80, 24), (60, 12), (30, 8), (140, 50), (100, 30), (120, 40)):
            terminal.resize(*size)
            if size == (30, 8):
                terminal.wait_for("needs 40x10")
        terminal.wait_for("~120 tokens")
        terminal.wait_for("you")


def test_the_narrow_screen_folds_the_panels_to_one_strip(tmp_path: Path) -> None:
    with running(tmp_path, "--demo", "--speed", "10", size=(80, 24)) as terminal:
        terminal.wait_for(READY)
        ask(terminal, "hello [[tokens=40]]")
        terminal.wait_for(shows(r"tok/s .*TTFT .*NPU \d"))
        terminal.wait_for(lacks("npulse itself"))


def is_as_wide(cols: int, terminal: PtyTerminal) -> bool:
    """Whether the clock stands at the right edge of that many columns."""
    return len(terminal.text().partition("\n")[0]) == cols - 1


def test_small_updates_add_up_to_the_whole_screen(tmp_path: Path) -> None:
    """What many partial repaints left on the screen is what one full repaint draws."""
    with (
        simulator("--decode-tps", "60", "--prefill-tps", "2000", has_root=True) as board,
        running(tmp_path, "--url", board.url, "--root", str(board.root)) as terminal,
    ):
        terminal.wait_for(READY)
        ask(terminal, "[[cjk]] [[think]] [[tokens=150]]")
        terminal.wait_for("~150 tokens")
        terminal.wait_for(shows(IDLE_ROW))
        terminal.wait_for("Enter send   F1 help")
        by_updates = [line[:76] for line in terminal.text().splitlines()[1:]]
        for cols in (121, 120):
            terminal.resize(cols, 40)
            terminal.wait_for(partial(is_as_wide, cols))
        at_once = [line[:76] for line in terminal.text().splitlines()[1:]]
        assert by_updates == at_once


def test_the_bottom_line_shows_the_keys_of_what_has_the_focus(tmp_path: Path) -> None:
    with running(tmp_path, "--demo", "--speed", "8") as terminal:
        terminal.wait_for("F1 help")
        terminal.keys("tab")
        terminal.wait_for("Tab prompt")
        terminal.wait_for("y copy")
        terminal.wait_for(lacks("F1 help"))
        terminal.keys("tab")
        terminal.wait_for("F1 help")
        terminal.wait_for(lacks("y copy"))


def test_the_model_that_a_prompt_loads_is_named_while_it_answers(tmp_path: Path) -> None:
    with simulator("--decode-tps", "20") as board:
        httpx.post(f"{board.url}/v1/models/unload", timeout=60)
        with running(tmp_path, "--url", board.url) as terminal:
            terminal.wait_for("no model loaded")
            ask(terminal, "which one? [[tokens=60]]")
            terminal.wait_for(shows(r"~\d+ of 2048"))
            first = terminal.text().splitlines()[0]
            assert "no model" not in first
            [name] = re.findall(r"(?:qwen|gemma)\S+", first)
            terminal.wait_for(shows(rf"(?s)loading included.*p99 \S+ ms  {name} "), 30)
            assert (
                httpx.get(f"{board.url}/v1/models/loaded", timeout=60).json()["model_name"] == name
            )
