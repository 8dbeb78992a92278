"""Models, settings, help, search and copies, by their keys in a real terminal."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.app.test_dashboard import lacks
from tests.sim.simulator import running as simulator
from tests.sim.simulator import truth
from tests.terminal.pty_terminal import PtyTerminal

pytestmark = pytest.mark.slow


FAST = ("--decode-tps", "200", "--prefill-tps", "4000", "--speed", "5")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[PtyTerminal]:
    """npulse beside a fast simulated board, ready for a prompt."""
    log = str(tmp_path / "truth.jsonl")
    with (
        simulator(*FAST, "--truth", log, has_root=True) as board,
        running(tmp_path, "--url", board.url, "--root", str(board.root)) as started,
    ):
        started.wait_for("is ready on")
        yield started


def ask(terminal: PtyTerminal, prompt: str, footer: str) -> None:
    terminal.type(prompt)
    terminal.keys("enter")
    terminal.wait_for(footer)


def test_f2_switches_the_model(terminal: PtyTerminal) -> None:
    terminal.keys("f2")
    terminal.wait_for("guessed from the file name")
    terminal.keys("up")
    terminal.wait_for("fits")
    terminal.keys("enter")
    terminal.wait_for("loading")
    terminal.wait_for("gemma3-1b is loaded")
    terminal.keys("escape")
    terminal.wait_for(lacks("gemma3-1b is loaded"))
    ask(terminal, "hello [[tokens=20]]", "~20 tokens")
    terminal.wait_for("of 4096")


def test_f6_refuses_what_the_server_refuses(terminal: PtyTerminal, tmp_path: Path) -> None:
    terminal.keys("f6")
    terminal.wait_for("settings for the next answers")
    terminal.keys("tab", "tab", "tab", "end", "backspace", "backspace", "backspace")
    terminal.type("0.9")
    terminal.wait_for("repeat_penalty 0.9 is not accepted")
    terminal.keys("enter")
    terminal.wait_quiet()
    assert "settings for the next answers" in terminal.text()
    terminal.keys("backspace", "backspace", "backspace")
    terminal.type("1.3")
    terminal.keys("tab", "end", *["backspace"] * 4)
    terminal.type("33")
    terminal.wait_for("ends an answer that repeats itself")
    terminal.keys("tab", "tab", "space")
    terminal.wait_for(lambda shown: re.search("stop loops +on", shown.text()) is not None)
    terminal.keys("ctrl+s")
    terminal.wait_for("settings saved")
    ask(terminal, "hello [[tokens=90]]", "~33 tokens")
    assert truth(tmp_path / "truth.jsonl", "request", 1)[0]["max_tokens"] == 33
    choices = json.loads((tmp_path / "state" / "npulse" / "state.json").read_text())["choices"]
    assert choices["chat.stop_loops"]["value"] is True


def test_f6_switches_low_bandwidth_and_back(terminal: PtyTerminal, tmp_path: Path) -> None:
    def is_kept() -> bool:
        state = json.loads((tmp_path / "state" / "npulse" / "state.json").read_text())
        return "ui.low_bandwidth" in state["choices"]

    def switch(to: str) -> None:
        terminal.keys("f6")
        terminal.wait_for("for a slow connection: every 5 s")
        terminal.keys(*["tab"] * 8, "space")
        terminal.wait_for(lambda shown: re.search(f"low bandwidth +{to}", shown.text()) is not None)
        terminal.keys("ctrl+s")
        terminal.wait_for("settings saved")

    switch("on")
    assert is_kept()
    terminal.wait_for(lambda shown: seconds_without_bytes(shown) > 2)
    switch("off")
    assert not is_kept()
    before = len(terminal.chunks)
    terminal.wait_for(lambda shown: len(shown.chunks) > before + 3)


def seconds_without_bytes(terminal: PtyTerminal) -> float:
    return (time.perf_counter_ns() - terminal.chunks[-1].t_ns) / 1e9


def test_f6_without_a_server_keeps_to_the_bounds_of_the_config(tmp_path: Path) -> None:
    with running(tmp_path, "--url", "http://127.0.0.1:9") as terminal:
        terminal.wait_for("No rkllm server answers")
        terminal.keys("f6")
        terminal.wait_for("0 to 5")
        terminal.resize(40, 24)
        terminal.wait_for("at least 1")
        terminal.keys("end", *["backspace"] * 3)
        terminal.type("99")
        terminal.wait_for("temperature 99 is not accepted by")
        terminal.keys("enter")
        terminal.wait_quiet()
        assert "settings for the next answers" in terminal.text()


def test_f1_lists_every_key(terminal: PtyTerminal) -> None:
    terminal.keys("f1")
    terminal.wait_for("new line in the prompt")
    terminal.wait_for("Ctrl+Q")
    terminal.keys("escape")
    terminal.wait_for("is ready on")


def test_the_palette_knows_the_keys_and_the_themes(terminal: PtyTerminal) -> None:
    terminal.keys("ctrl+p")
    terminal.wait_for("type what you want to do")
    terminal.type("theme high")
    terminal.wait_for("theme: dark, light, high contrast")
    terminal.keys("enter")
    terminal.wait_for("npulse-light")
    terminal.keys("escape")


def clipboard(terminal: PtyTerminal) -> list[str]:
    parts = terminal.raw.split(b"\x1b]52;c;")[1:]
    return [base64.b64decode(part.split(b"\x07")[0]).decode() for part in parts]


def test_copies_go_to_the_clipboard_as_text(terminal: PtyTerminal) -> None:
    ask(terminal, "[[code]] [[tokens=60]]", "~60 tokens")
    terminal.keys("ctrl+y")
    terminal.wait_for("copied the last answer")
    terminal.keys("alt+y")
    terminal.wait_for("copied the code")
    answer, code = clipboard(terminal)
    assert "```" in answer
    assert "```" not in code
    assert code.strip() in answer
    # Ctrl+Y comes first where keys wait in a queue: it works whatever has the focus.
    terminal.keys("tab", "shift+up")
    terminal.wait_quiet()
    terminal.keys("ctrl+y")
    terminal.wait_for("copied the selection")
    assert "~60 tokens" in clipboard(terminal)[-1]


def test_search_finds_and_steps_through_matches(terminal: PtyTerminal) -> None:
    ask(terminal, "[[prose]] [[tokens=120]]", "~120 tokens")
    terminal.keys("ctrl+f")
    terminal.wait_for("search the transcript")
    terminal.type("the")
    terminal.wait_for("match ")
    terminal.keys("enter", "n")
    terminal.wait_for("match 1 of ")
    terminal.keys("escape", pause=0.5)
    terminal.type("typed into the prompt again")
    terminal.wait_for("typed into the prompt again")


def test_escape_gives_a_search_up_and_sends_nothing(terminal: PtyTerminal, tmp_path: Path) -> None:
    ask(terminal, "[[prose]] [[tokens=40]]", "~40 tokens")
    terminal.keys("ctrl+f")
    terminal.wait_for("search the transcript")
    terminal.type("zzzz")
    terminal.wait_for("no match")
    terminal.keys("escape")
    terminal.wait_for("ask the model")
    terminal.wait_for(lacks("no match"))
    terminal.type("seen while typed")
    terminal.wait_for("> seen while typed")
    terminal.keys("ctrl+f")
    terminal.wait_for("search the transcript")
    terminal.type("40")
    terminal.wait_for("match ")
    terminal.keys("enter", "escape", pause=0.5)
    terminal.wait_for(lacks("match "))
    terminal.keys("ctrl+f")
    terminal.wait_for("/ 40")
    terminal.keys("enter")
    terminal.wait_for("match ")
    assert len(truth(tmp_path / "truth.jsonl", "request")) == 1


def test_regenerate_and_new_conversation(terminal: PtyTerminal, tmp_path: Path) -> None:
    ask(terminal, "first question [[tokens=20]]", "~20 tokens")
    terminal.keys("ctrl+r")
    # What is asked again takes the place of its first answer, which stays in the history.
    terminal.wait_for("answer 2 of 2")
    terminal.keys("ctrl+n")
    terminal.wait_for("is ready on")
    # The panel of the last answers still has it.
    terminal.wait_for(lambda shown: not re.search("you +first question", shown.text()))
    ask(terminal, "second question [[tokens=10]]", "~10 tokens")
    sizes = [event["prompt_tokens"] for event in truth(tmp_path / "truth.jsonl", "request")]
    assert sizes[0] == sizes[1]


def test_a_click_in_the_bottom_line_does_what_the_key_does(terminal: PtyTerminal) -> None:
    row = terminal.text().splitlines()[-1]
    terminal.click(row.index("help") + 1, 39)
    terminal.wait_for("new line in the prompt")


@pytest.mark.parametrize(("fault", "said"), [("html-error", "500"), ("busy", "server busy")])
def test_the_prompt_comes_back_on_an_error(fault: str, said: str, tmp_path: Path) -> None:
    with (
        simulator(*FAST, "--fault", fault) as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        terminal.wait_for("is ready on")
        terminal.type("do not lose this")
        terminal.keys("enter")
        terminal.wait_for(said)
        if fault == "busy":  # it is waited for, until the user takes the prompt back
            terminal.keys("escape")
        terminal.wait_for(lambda shown: "> do not lose this" in shown.text())


def test_a_paste_of_100_kb_is_taken_at_once(terminal: PtyTerminal) -> None:
    terminal.paste("\n".join(f"a pasted line with number {n}" for n in range(3400)))
    terminal.wait_for("[pasted 3400 lines #1]")
    terminal.type(" and typed on")
    terminal.wait_for("#1] and typed on")
