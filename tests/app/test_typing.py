"""Where keys, pastes and clicks go, in a real terminal: nothing is glued, lost or done twice."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.app.test_dashboard import shows
from tests.servers.cases import case, models_then, script
from tests.servers.raw_server import free_port, raw_server
from tests.sim.simulator import running as simulator
from tests.terminal.pty_terminal import PtyTerminal
from tui.screens.dashboard import STRAY_ESC_S

pytestmark = pytest.mark.slow

READY = "is ready on"


def tokens(terminal: PtyTerminal) -> int:
    """How many tokens of the answer have come."""
    found = re.search(r"~(\d+) of 2048", terminal.text())
    return int(found[1]) if found else 0


def goes_on(terminal: PtyTerminal) -> None:
    """The answer is still coming."""
    before = tokens(terminal)
    terminal.wait_for(lambda shown: tokens(shown) > before)


@pytest.mark.parametrize("name", ["case", "slow"])
async def test_keys_that_come_with_enter_are_the_next_prompt(name: str, tmp_path: Path) -> None:
    async with raw_server(models_then(script(case(f"typed-ahead/{name}"), 0.5))) as served:

        def typed() -> None:
            with running(tmp_path, "--url", served.url, size=(100, 30)) as terminal:
                terminal.wait_for(READY)
                if name == "slow":
                    terminal.type("first\r")
                    terminal.wait_for("word0")
                terminal.type("hello\rnext words")
                if name == "case":
                    terminal.wait_for(shows(r"you +hello"))
                    terminal.wait_for(shows("> next words"))
                    terminal.wait_for("Answer one.")
                else:
                    terminal.wait_for("an answer is running; stop it first")
                    terminal.wait_for(shows(r"> hello *\n +next words"))
                    terminal.wait_for("word19")
                    terminal.wait_for(shows(r"> hello *\n +next words"))

        await asyncio.to_thread(typed)
        prompts = [asked.json["messages"] for asked in served.asked if asked.method == "POST"]
        first = "hello" if name == "case" else "first"
        assert [message[-1]["content"] for message in prompts] == [first]  # type: ignore[index]


async def test_what_is_sent_before_the_first_look_is_over_is_answered(tmp_path: Path) -> None:
    async with raw_server(models_then(script(case("typed-ahead/case"), 0.5))) as served:

        def typed() -> None:
            with running(tmp_path, "--url", served.url, size=(100, 30)) as terminal:
                terminal.type("hello\rnext words")
                terminal.wait_for("Answer one.")
                terminal.wait_for(shows("> next words"))
                assert "not sent" not in terminal.text()

        await asyncio.to_thread(typed)
    prompts = [asked.json["messages"] for asked in served.asked if asked.method == "POST"]
    assert [message[-1]["content"] for message in prompts] == ["hello"]  # type: ignore[index]


def test_what_is_sent_before_a_look_that_finds_nothing_stays_in_the_prompt(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with running(tmp_path, "--url", url, size=(100, 30)) as terminal:
        terminal.type("hello\rnext words")
        terminal.wait_for("No server listens")
        terminal.wait_for(shows(r"> hello *\n +next words"))
        terminal.wait_for("No rkllm server answers yet")
        assert "you  hello" not in terminal.text()


def test_keys_while_an_answer_comes(tmp_path: Path) -> None:
    with (
        simulator("--decode-tps", "20") as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        terminal.wait_for(READY)
        terminal.type("first [[tokens=2000]]\r\x11")
        terminal.wait_for("an answer is running; ^Q again quits")
        terminal.keys("ctrl+n")
        terminal.wait_for("an answer is running; stop it first")
        goes_on(terminal)

        terminal.keys("f5")
        terminal.wait_for("Esc back")
        terminal.type("\x1b")
        terminal.wait_for(lambda shown: "Esc back" not in shown.text())
        terminal.type("\x1b")
        goes_on(terminal)
        assert "stopped  " not in terminal.text()

        terminal.click(20, 3)
        terminal.type("yes, ")
        terminal.paste("pasted\n")
        terminal.wait_for(shows("> yes, pasted"))
        assert "copied" not in terminal.text()
        terminal.keys("tab", "y")
        terminal.wait_for("copied the answer")
        terminal.type("\tcy")
        terminal.wait_for(shows("> yes, pasted *\n +cy"))

        time.sleep(STRAY_ESC_S)
        terminal.keys("ctrl+c")
        terminal.wait_for("stopped; Ctrl+C again quits")
        terminal.wait_for("stopped  ")
        terminal.keys("ctrl+c")
        assert terminal.wait_gone() == 0


def test_what_is_typed_is_not_glued_to_a_prompt_that_comes_back(tmp_path: Path) -> None:
    with (
        simulator("--decode-tps", "20") as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        terminal.wait_for(READY)
        terminal.type("first [[tokens=2000]]\r")
        terminal.wait_for(lambda shown: tokens(shown) > 2)
        terminal.keys("escape")
        terminal.wait_for("stopped  ")
        terminal.type("second\r")
        terminal.wait_for("server still finishing")
        terminal.keys("escape")
        terminal.wait_for("> second")
        terminal.type("and more")
        terminal.wait_for(shows(r"> second *\n +and more"))


def test_a_failed_prompt_comes_back_for_itself(tmp_path: Path) -> None:
    with (
        simulator("--decode-tps", "200", "--fault", "cut=5") as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        terminal.wait_for(READY)
        terminal.type("do not lose this\r")
        terminal.wait_for("> do not lose this")
        terminal.type("next")
        terminal.wait_for(shows(r"> do not lose this *\n +next"))


def test_ctrl_q_twice_ends_it_while_an_answer_comes(tmp_path: Path) -> None:
    with (
        simulator("--decode-tps", "20") as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        terminal.wait_for(READY)
        terminal.type("first [[tokens=2000]]\r\x11\x11")
        assert terminal.wait_gone() == 0


def test_a_burst_in_which_keys_and_commands_alternate(tmp_path: Path) -> None:
    """One write: what each key does depends on the one before it."""
    with simulator() as board, running(tmp_path, "--url", board.url) as terminal:
        terminal.wait_for(READY)
        # A search, a screen that opens and closes, the focus on its way, a letter taken back.
        terminal.type("a\x06x\rb\x1b[15~\x1b[15~\t\tc\x7fd")
        terminal.wait_for("> abd")
