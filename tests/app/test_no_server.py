"""Without a server: the ways to one from inside, and a prompt that stays a prompt."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.app.test_dashboard import READY, lacks, shows
from tests.sim.simulator import running as simulator

pytestmark = pytest.mark.slow

NOBODY = ("--url", "http://127.0.0.1:9")
DRAFT = "do not lose this draft"
SIZES = [(80, 24), (120, 40)]


@pytest.mark.parametrize("size", SIZES)
def test_a_url_that_is_typed_leads_to_its_server(tmp_path: Path, size: tuple[int, int]) -> None:
    with running(tmp_path, *NOBODY, size=size) as terminal:
        terminal.wait_for("No rkllm server answers yet")
        terminal.wait_for("Alt+U   type the URL of a server")
        terminal.wait_for("http://HOST:PORT, Enter connects")
        terminal.type(DRAFT)
        terminal.keys("alt+u")
        terminal.wait_for("Enter connect ")
        terminal.type("ftp://board:1")
        terminal.keys("enter")
        terminal.wait_for("'ftp://board:1' is not the address of a server: give http://HOST:PORT")
        assert " server ftp://board:1" in terminal.text()
        assert DRAFT in terminal.text()
        with simulator("--speed", "10") as board:
            terminal.keys("ctrl+u")
            terminal.type(board.url)
            terminal.wait_for(lacks("is not the address"))
            terminal.keys("enter")
            terminal.wait_for(READY)
            terminal.wait_for(lacks("\n server "))
            assert DRAFT in terminal.text()
            terminal.type(" [[tokens=20]]")
            terminal.keys("enter")
            terminal.wait_for("~20 tokens")


def test_where_nobody_listens_that_is_said_below_the_url(tmp_path: Path) -> None:
    with running(tmp_path, *NOBODY) as terminal:
        terminal.wait_for("http://HOST:PORT, Enter connects")
        terminal.keys("alt+u")
        terminal.type("localhost:10")
        terminal.keys("enter")
        terminal.wait_for(shows(r" server localhost:10 *\n No server listens on .*localhost:10"))
        terminal.keys("escape")
        terminal.wait_for("F1 help")
        terminal.type("a prompt")
        terminal.wait_for("> a prompt")


def test_a_url_that_comes_with_its_key_is_typed_in_its_line(tmp_path: Path) -> None:
    with (
        simulator("--speed", "10") as board,
        running(tmp_path, "--url", board.url, size=(100, 30)) as terminal,
    ):
        terminal.wait_for(READY)
        terminal.type("\x1bulocalhost:1")
        terminal.wait_for(" server localhost:1")
        terminal.type("0\rnext words")
        terminal.wait_for(shows("No server listens on .*localhost:10"))
        assert "> localhost" not in terminal.text()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("keys", [("tab", "d"), ("alt+d",)])
def test_the_demo_is_one_key_away(
    tmp_path: Path, size: tuple[int, int], keys: tuple[str, ...]
) -> None:
    with running(tmp_path, *NOBODY, "--speed", "8", size=size) as terminal:
        terminal.wait_for("Alt+D   start the simulated board; after Tab, d does it too")
        terminal.type("d is a letter here [[tokens=20]]")
        terminal.wait_for("> d is a letter here [[tokens=20]]")
        terminal.wait_for("http://HOST:PORT, Enter connects")
        for key in keys:
            terminal.keys(key)
            if key == "tab":
                terminal.wait_for("d demo")
        terminal.wait_for(READY)
        terminal.wait_for("SIMULATED")
        terminal.wait_for(lacks("\n server "))
        terminal.wait_for("> d is a letter here")
        terminal.keys("enter")
        terminal.wait_for("~20 tokens")
        # With a server there, it is a letter again.
        terminal.keys("tab")
        terminal.wait_for("Tab prompt")
        terminal.type("d")
        terminal.wait_for("> d")
