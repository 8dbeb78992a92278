"""``npulse doctor`` names the line to the terminal where it is a thin one."""

from __future__ import annotations

import os
import pty
from contextlib import suppress

import pytest

from tui.commands.terminal_line import COMMAND, SLOW_ANSWER_S, line_check, serial_baud

SSH = {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}


def test_a_terminal_on_this_machine_has_no_line() -> None:
    assert line_check({}, None, 2.0) is None


@pytest.mark.parametrize(
    ("env", "baud", "answer_s", "status", "words"),
    [
        (SSH, None, SLOW_ANSWER_S * 2, "note", "after 300 ms"),
        ({"SSH_TTY": "/dev/pts/3"}, None, 0.02, "ok", "after 20 ms"),
        (SSH, None, None, "ok", "is not known"),
        ({}, 9600, None, "note", "9600 baud"),
        ({}, 1_500_000, 0.001, "ok", "1500000 baud"),
    ],
)
def test_a_slow_line_profits(
    env: dict[str, str], baud: int | None, answer_s: float | None, status: str, words: str
) -> None:
    check = line_check(env, baud, answer_s)
    assert check is not None
    assert (check.id, check.status) == ("line", status)
    assert words in check.detail
    assert (check.command == COMMAND) == (status == "note")
    assert COMMAND in f"{check.detail} {check.command}"


def test_a_pty_is_no_serial_line() -> None:
    ours, theirs = pty.openpty()
    try:
        assert serial_baud(theirs) is None
    finally:
        for number in (ours, theirs):
            with suppress(OSError):
                os.close(number)
