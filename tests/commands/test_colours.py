"""Colours of the commands: on a terminal alone, and not where somebody said so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.terminal.pty_terminal import PtyTerminal
from tui.commands.parser import Parser
from tui.commands.stdout_paper import stdout_paper
from tui.core.text.printed import PLAIN, Paper

COMMANDS = (["board"], ["history", "list"], ["bench", "list"])


def output(terminal: PtyTerminal) -> bytes:
    terminal.wait_gone()
    return terminal.raw


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("way", ["NO_COLOR", "--no-color"])
def test_no_colour_where_somebody_said_so(arguments: list[str], way: str, tmp_path: Path) -> None:
    env = {"NO_COLOR": "1"} if way == "NO_COLOR" else {}
    more = ["--no-color"] if way == "--no-color" else []
    with running(tmp_path, *arguments, *more, env=env, size=(60, 30)) as terminal:
        assert b"\x1b[" not in output(terminal)


def test_colours_on_a_terminal_and_no_line_longer_than_it(tmp_path: Path) -> None:
    with running(tmp_path, "board", size=(60, 200)) as terminal:
        raw = output(terminal)
        assert b"\x1b[1mBoard\x1b[0m" in raw
        assert all(len(line.rstrip()) <= 60 for line in terminal.text().splitlines())


def test_a_pipe_is_no_terminal(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as file:
        assert stdout_paper(file, {"TERM": "xterm"}) == PLAIN


def test_what_a_terminal_is_told_by_its_surroundings() -> None:
    primary, secondary = os.openpty()
    try:
        with open(secondary, "w", closefd=False) as stream:
            assert stdout_paper(stream, {"TERM": "xterm", "COLUMNS": "44"}) == Paper(
                44, has_colours=True
            )
            assert stdout_paper(stream, {"TERM": "xterm", "NO_COLOR": "1"}).has_colours is False
            assert stdout_paper(stream, {"TERM": "dumb"}).has_colours is False
            assert stdout_paper(stream, {}) == PLAIN
    finally:
        os.close(primary)
        os.close(secondary)


def test_every_command_takes_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    made = Parser(prog="x")
    made.add_subparsers(dest="verb").add_parser("y")
    assert vars(made.parse_args(["y", "--no-color"])) == {"verb": "y"}
    assert os.environ["NO_COLOR"] == "1"
