"""Textual's terminal driver with our input parser, and with signals that leave a clean terminal."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import selectors
import signal
import termios
import threading
import time
from codecs import getincrementaldecoder
from types import FrameType
from typing import Any

from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size

from tui.app.terminal.driven_app import DrivenApp
from tui.app.terminal.early_keys import TimedKeys, typed_in_lines
from tui.app.terminal.early_screen import ENDING_SIGNALS
from tui.app.terminal.hangup import TerminalOutput
from tui.app.terminal.input_parser import InputParser
from tui.core.screen.attention import Attention
from tui.core.screen.colours import ANSWER_S, QUESTION, ColourAnswer, with_reply
from tui.widgets.kit.lean_app import LeanApp

READ_BYTES = 65_536
FORCED_END_S = 3.0
"""How long an end by a signal may take before it is forced: nobody may be reading the terminal."""
OTHER_SCREEN = "\x1b[?1049h"
PLAIN = "\x1b[m"
"""Ends the style that the last frame has left."""
LEAVE = PLAIN.encode() + (
    b"\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[<u"
    b"\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""What gives the terminal back as it was: paste marks, wrap, mouse, keys, screen and cursor."""


class _Clock:
    """Now, or the moment of a key that was typed before."""

    then_s: float | None = None

    def __call__(self) -> float:
        return time.monotonic() if self.then_s is None else self.then_s


class TerminalDriver(LinuxDriver):
    """A terminal that is given back as it was, whatever comes in and whichever signal ends it."""

    _is_suspended = False
    _is_ending = False
    _is_on_screen = False
    """While it starts: the terminal shows its other screen already."""
    _output: TerminalOutput | None = None
    _is_raw_at_once = False
    """No early screen was before: the terminal took whole lines until this driver was there."""
    _woken = -1
    _waker: int | None = None
    """Ends the wait of the thread that reads."""
    _colour_answer = ColourAnswer()
    _asked_s = -math.inf
    _typed_ahead: TimedKeys = []
    """What was typed before this driver was there."""

    def start_application_mode(self) -> None:
        """Take the terminal over. The handlers come first: a signal may come at any moment."""
        self._loop = asyncio.get_running_loop()
        if self._output is None and self._file is not None:
            self._output = TerminalOutput(self._file)
            self._file = self._output  # type: ignore[assignment]
        for number in ENDING_SIGNALS:
            signal.signal(number, self._ended_by)
        self._forget_cells()
        before = self._take_early_screen()
        self._is_raw_at_once = before is None
        self._woken, self._waker = os.pipe()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._is_on_screen = False
        self._ask_for_colours(is_asked=before is not None)
        if before is not None:
            self.attrs_before = before

    def write(self, data: str) -> None:
        """Write to the terminal; one that is on its other screen already is not sent there, which
        could clear it."""
        if not (self._is_on_screen and data == OTHER_SCREEN):
            super().write(data)

    def _ask_for_colours(self, *, is_asked: bool) -> None:
        """One question, in front of the frame that comes next; unless the known frame had it."""
        self._colour_answer = ColourAnswer()
        if isinstance(self._app, DrivenApp):
            self._app.colours.begin()
            if self._app.colours.is_asking:
                self._asked_s = time.monotonic()
            if self._app.colours.is_asking and not is_asked:
                self.write(f"\x1b[H{QUESTION}")
                self.flush()

    def _take_reply(self, reply: str) -> None:
        """A sequence that the terminal sent on its own. In the thread that reads."""
        before, self._colour_answer = self._colour_answer, with_reply(self._colour_answer, reply)
        app = self._app
        if self._colour_answer.is_truecolour != before.is_truecolour and isinstance(app, DrivenApp):
            self._loop.call_soon_threadsafe(app.colours.answered, self._colour_answer)

    def _take_early_screen(self) -> list[Any] | None:
        """The frame that is drawn already stays; gives the terminal's attributes before it."""
        if not isinstance(self._app, DrivenApp) or self._app.launch is None:
            return None
        early = self._app.launch.screen
        if early is None or not early.is_held:
            return None
        attributes, self._typed_ahead = early.hand_over()
        size = Size(*self._get_terminal_size())
        if size == Size(*early.size):
            self._app.cells.adopt(early.rows, size)
        self._is_on_screen = True
        return attributes

    def stop_application_mode(self) -> None:
        """Give the terminal back, without what it was told about answers."""
        end_s = self._asked_s + ANSWER_S
        while not self._colour_answer.is_complete and time.monotonic() < end_s:
            time.sleep(0.005)
        if self._attention is not None:
            self._attention.clear()
        self.write(PLAIN)
        super().stop_application_mode()

    @property
    def _attention(self) -> Attention | None:
        return self._app.attention if isinstance(self._app, DrivenApp) else None

    def _forget_cells(self) -> None:
        """The terminal's other screen is empty when it is taken over."""
        if isinstance(self._app, LeanApp):
            self._app.cells.forget()

    # Signals --------------------------------------------------------------------------------

    def _ended_by(self, number: int, _: FrameType | None) -> None:
        """Not a handler of the loop: that one would not run while a full terminal blocks it."""
        if self._is_ending:
            if number != signal.SIGHUP:
                self._stop_answer()
            return
        self._is_ending = True
        threading.Thread(target=self._force_end, args=(number,), daemon=True).start()
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._end, 128 + number)

    def _end(self, code: int) -> None:
        if isinstance(self._app, DrivenApp):
            self._app.end_with(code)
        else:
            self._app.exit(return_code=code)

    def _stop_answer(self) -> None:
        if isinstance(self._app, DrivenApp):
            self._app.stop_answer()

    @property
    def _has_answer_to_finish(self) -> bool:
        return isinstance(self._app, DrivenApp) and self._app.finishes_without_terminal

    def _let_go(self) -> None:
        """The terminal is not waited for any longer while an answer goes on without it."""
        while self._has_answer_to_finish:
            if self._output is not None:
                self._output.let_go()
            with contextlib.suppress(OSError, termios.error):
                termios.tcflush(self.fileno, termios.TCOFLUSH)
            threading.Event().wait(FORCED_END_S)

    def _force_end(self, number: int) -> None:
        """End the process where the orderly end does not come."""
        is_finishing = number == signal.SIGHUP and self._has_answer_to_finish
        threading.Event().wait(FORCED_END_S)
        if is_finishing:
            self._let_go()
            # Its end is stored after it, however close to this moment it came.
            threading.Event().wait(FORCED_END_S)
        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(self.fileno, termios.TCOFLUSH)
        if self.attrs_before is not None:
            with contextlib.suppress(OSError, termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
        with contextlib.suppress(OSError):
            os.set_blocking(self.fileno, False)
            undo = "" if self._attention is None else self._attention.undo
            os.write(self.fileno, undo.encode() + LEAVE)
            os.set_blocking(self.fileno, True)
        os._exit(128 + number)

    def _sigtstp_application(self, *arguments: object) -> None:
        self._is_suspended = True
        super()._sigtstp_application(*arguments)

    def _sigcont_application(self, *arguments: object) -> None:
        """Only after a stop of our own: timeout and systemd send it beside SIGTERM as well."""
        if self._is_suspended:
            self._is_suspended = False
            super()._sigcont_application(*arguments)

    # Input ----------------------------------------------------------------------------------

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except Exception as error:  # noqa: BLE001
            self._loop.call_soon_threadsafe(self._app._handle_exception, error)

    def run_input_thread(self) -> None:
        """Read until the driver is told to stop, or the terminal is gone."""
        clock = _Clock()
        app = self._app
        bound_keys = app.bound_keys if isinstance(app, DrivenApp) else frozenset()
        parser = InputParser(clock, self._take_reply, bound_keys)
        # What is not UTF-8 is a character of its own and ends nothing.
        decode = getincrementaldecoder("utf-8")("replace").decode
        if self._is_raw_at_once and self.attrs_before is not None:
            self._typed_ahead = typed_in_lines(self.fileno, self.attrs_before)
        for clock.then_s, data in self._typed_ahead:
            for message in (*parser.tick(), *parser.feed(decode(data))):
                self.process_message(message)
        self._typed_ahead, clock.then_s = [], None
        with selectors.SelectSelector() as selector, os.fdopen(self._woken, "rb") as woken:
            selector.register(self.fileno, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if any(key.fd == self.fileno for key, _ in selector.select(parser.wait_s)):
                    try:
                        data = os.read(self.fileno, READ_BYTES)
                    except OSError:
                        data = b""
                    if not data:
                        self._loop.call_soon_threadsafe(self._end, 129)
                        return
                    for message in parser.feed(decode(data)):
                        self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)

    def disable_input(self) -> None:
        """Read nothing from now on. The thread that reads waits for its end as for a key."""
        waker, self._waker = self._waker, None
        if waker is not None:
            with contextlib.suppress(OSError):  # it has ended already
                os.write(waker, b"x")
            os.close(waker)
        super().disable_input()
