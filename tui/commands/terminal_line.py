"""Checks the bandwidth to the terminal, for the advice to use ``--low-bandwidth``."""

from __future__ import annotations

import os
import re
import termios
from collections.abc import Mapping

from tui.core.screen.doctor_check import Check

SLOW_ANSWER_S = 0.15
"""A connection with this round trip is a modem, a satellite or a bad radio link."""
ENOUGH_BAUD = 19_200
"""A serial line has ten bits for a byte (8N1); the dashboard sends up to 1,200 bytes a second."""
COMMAND = "npulse --low-bandwidth"
ADVICE = (
    "It draws every 5 seconds and at once after a key: 300 bytes a second in place of up to 1,200. "
    "The settings of the dashboard switch it, low_bandwidth in [ui] of the config keeps it."
)
_SERIAL = re.compile(r"/dev/tty(?!\d+$).+")
"""Serial devices; not tty1 and the like, which are consoles, nor pts/1."""


def is_over_ssh(env: Mapping[str, str]) -> bool:
    """Whether sshd has set up this session (ssh(1), ENVIRONMENT)."""
    return bool(env.get("SSH_CONNECTION") or env.get("SSH_TTY"))


def serial_baud(number: int = 1) -> int | None:
    """Baud rate of a serial line; None where the file is not one."""
    try:
        if not _SERIAL.fullmatch(os.ttyname(number)):
            return None
        speed = termios.tcgetattr(number)[5]
    except (OSError, termios.error):
        return None
    names = (name for name in dir(termios) if re.fullmatch(r"B\d+", name))
    return next((int(name[1:]) for name in names if getattr(termios, name) == speed), None)


def line_check(env: Mapping[str, str], baud: int | None, answer_s: float | None) -> Check | None:
    """The check's result; None for a local terminal.

    ``answer_s`` is how long the terminal took to answer a question, None where it did not.
    """
    if baud is not None:
        return _check(f"A serial line of {baud} baud", is_slow=baud < ENOUGH_BAUD)
    if not is_over_ssh(env):
        return None
    if answer_s is None:
        return _check("Over SSH; the delay of the connection is not known", is_slow=False)
    time_ms = round(answer_s * 1000)
    said = f"Over SSH; the terminal answers after {time_ms} ms"
    return _check(said, is_slow=answer_s >= SLOW_ANSWER_S)


def _check(said: str, *, is_slow: bool) -> Check:
    if is_slow:
        detail = f"{said}: that is slow; low bandwidth helps there."
        return Check("line", "note", "line", detail, COMMAND, ADVICE)
    return Check("line", "ok", "line", f"{said}. Where traffic is expensive: {COMMAND}.")
