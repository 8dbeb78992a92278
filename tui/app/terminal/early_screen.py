"""The terminal before the framework is loaded: takes it over, draws the known frame, stores keys.

Loading the framework takes a few hundred milliseconds. Meanwhile the terminal is in raw mode. What
is typed is kept in order, whatever it is, for the driver; text is shown in the prompt at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
import time
from types import FrameType
from typing import Any

from tui.app.terminal.early_keys import IFLAG, EarlyKeys, TimedKeys, typed_in_lines
from tui.app.terminal.known_frame import PROMPT_ROW, FrameRows, Size, at_time, escapes
from tui.core.screen.colours import ANSWER_S, QUESTION, ColourAnswer

ENTER = "\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?7l"
"""Other screen, no cursor, marks around pastes, no wrap."""
LEAVE = b"\x1b[?2004l\x1b[?7h\x1b[?1049l\x1b[?25h"
"""Sequence that restores the terminal."""
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
LFLAG, CC = 3, 6
"""Indexes in the result of ``termios.tcgetattr``."""


class EarlyScreen:
    """The terminal, held until a driver takes it over or :meth:`leave` gives it back."""

    def __init__(self, rows: FrameRows, size: Size, *, is_asking: bool = False) -> None:
        """``is_asking``: the terminal is asked for its colours, in front of the frame."""
        self._question = f"\x1b[H{QUESTION}" if is_asking else ""
        self.rows: FrameRows = (at_time(rows[0]), *rows[1:])
        self.size = size
        self.attributes: list[Any] | None = None
        """Of the terminal as it was; None while it is not held."""
        self._keys: EarlyKeys | None = None

    @property
    def answer(self) -> ColourAnswer:
        """What the terminal has said of its colours so far."""
        return ColourAnswer() if self._keys is None else self._keys.answer

    @property
    def is_held(self) -> bool:
        return self.attributes is not None

    def open(self) -> bool:
        """Take the terminal over and draw; False where it cannot be had."""
        try:
            attributes = termios.tcgetattr(0)
        except termios.error:
            return False
        for number in ENDING_SIGNALS:
            signal.signal(number, self._ended_by)
        signal.signal(signal.SIGTSTP, self._stopped)
        self.attributes = attributes
        self._enter()
        y = len(self.rows) + PROMPT_ROW
        self._keys = EarlyKeys(self.rows[y], y, _write, typed_in_lines(0, attributes))
        return True

    def hand_over(self) -> tuple[list[Any], TimedKeys]:
        """The driver has the terminal from now on. Gives its attributes as they were before, and
        what was typed. The prompt's row is not known any more."""
        assert self.attributes is not None
        assert self._keys is not None
        attributes, self.attributes = self.attributes, None
        typed = self._keys.stop()
        if self._keys.has_text:
            self.rows = (*self.rows[:PROMPT_ROW], (), *self.rows[PROMPT_ROW + 1 :])
        return attributes, typed

    def leave(self) -> None:
        """Give the terminal back; nothing where it is not held."""
        if self.attributes is None:
            return
        self._wait_for_answer()
        self._restore(self.hand_over()[0])
        for number in (*ENDING_SIGNALS, signal.SIGTSTP):
            usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, usual)

    def _wait_for_answer(self) -> None:
        """What the terminal answers later would be typed into the shell."""
        end_s = time.monotonic() + ANSWER_S
        while self._question and not self.answer.is_complete and time.monotonic() < end_s:
            time.sleep(0.005)

    def _enter(self) -> None:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(0, termios.TCSANOW, raw_of(self.attributes or []))
        _write((ENTER + self._question + escapes(self.rows)).encode())

    def _restore(self, attributes: list[Any]) -> None:
        """What was not shown yet is dropped: nobody may be reading the terminal."""
        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(2, termios.TCOFLUSH)
            os.set_blocking(2, False)
        _write(LEAVE)
        with contextlib.suppress(OSError, termios.error):
            os.set_blocking(2, True)
            termios.tcsetattr(0, termios.TCSANOW, attributes)

    def _ended_by(self, number: int, _: FrameType | None) -> None:
        """Nothing is open yet that would have to be closed."""
        if self.attributes is not None:
            self._restore(self.attributes)
        os._exit(128 + number)

    def _stopped(self, _number: int, _frame: FrameType | None) -> None:
        """The shell has its terminal while npulse stands still."""
        if self.attributes is not None:
            self._restore(self.attributes)
        os.kill(os.getpid(), signal.SIGSTOP)
        if self.attributes is not None:
            self._enter()
            if self._keys is not None:
                _write(self._keys.shown)


def raw_of(attributes: list[Any]) -> list[Any]:
    """The same attributes with every key as a byte of its own, as the framework's driver has it."""
    raw = list(attributes)
    raw[LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
    raw[IFLAG] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
    raw[CC] = list(raw[CC])
    raw[CC][termios.VMIN] = 1
    return raw


def has_foreground() -> bool:
    """Whether all three streams are this terminal and this process is the one that uses it."""
    try:
        return all(os.isatty(number) for number in range(3)) and os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


def _write(data: bytes) -> None:
    """To stderr, as the framework draws."""
    with contextlib.suppress(OSError):
        sys.stderr.flush()
        while data:
            data = data[os.write(2, data) :]
