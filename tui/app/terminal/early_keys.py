"""Keys typed while the framework loads: stored with times, text echoed at once."""

from __future__ import annotations

import contextlib
import os
import re
import select
import termios
import threading
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Sequence
from typing import Any

from tui.app.terminal.known_frame import Run, cut, row_escapes
from tui.core.screen.colours import REPLY, REPLY_BEGUN, ColourAnswer, with_reply

READ_BYTES = 65_536
IFLAG = 0
"""Index in the result of ``termios.tcgetattr``."""
MARK_CELLS = 3
"""The sign of the prompt and its blanks, before the text."""
_BEGUN_AT_END = re.compile(f"(?:{REPLY_BEGUN.pattern})\\Z")
BACKSPACES = "\x7f\b"

TimedKeys = list[tuple[float, bytes]]
"""What one read gave, with the time of ``time.monotonic`` in seconds after it."""


def typed_in_lines(fd: int, attributes: Sequence[Any]) -> TimedKeys:
    """What was typed while the terminal had these attributes, now that it is raw. Where it took
    whole lines, Enter came as a line feed (ICRNL in termios(3)), which is another key here."""
    data = b""
    with contextlib.suppress(OSError):
        if select.select([fd], [], [], 0)[0]:
            data = os.read(fd, READ_BYTES)
    if attributes[IFLAG] & termios.ICRNL:
        data = data.replace(b"\n", b"\r")
    return [(time.monotonic(), data)] if data else []


class EarlyKeys:
    """Reads the terminal in a thread until :meth:`stop`.

    ``write`` takes what shows a text in the prompt's row. Only what is sure to look like that in
    the prompt is shown: one line of narrow characters. The rest is kept like everything else.
    ``keys`` are what was typed before.
    """

    def __init__(
        self, row: Sequence[Run], y: int, write: Callable[[bytes], None], keys: TimedKeys
    ) -> None:
        self._echo = Echo(row, y)
        self._write = write
        self._keys = keys
        self._replies = Replies()
        for _, data in keys:
            if self._echo.take(self._replies.taken_out(data)):
                write(self._echo.drawn())
        self._wake, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._read, name="early-keys", daemon=True)
        self._thread.start()

    def stop(self) -> TimedKeys:
        """Stops reading; returns what was read."""
        os.write(self._waker, b"x")
        self._thread.join()
        os.close(self._wake)
        os.close(self._waker)
        return self._keys

    @property
    def answer(self) -> ColourAnswer:
        """What the terminal has said of its colours."""
        return self._replies.answer

    @property
    def has_text(self) -> bool:
        """Whether something was typed that is drawn, or may be."""
        return self._echo.has_text

    @property
    def shown(self) -> bytes:
        """What draws the text again."""
        return self._echo.drawn()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while self._wake not in select.select([0, self._wake], [], [])[0]:
                data = os.read(0, READ_BYTES)
                if not data:
                    return
                self._keys.append((time.monotonic(), data))
                if self._echo.take(self._replies.taken_out(data)):
                    self._write(self._echo.drawn())


class Replies:
    """Removes replies of the terminal from what is read."""

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._begun = ""
        """The beginning of a reply whose end has not come."""
        self.answer = ColourAnswer()

    def taken_out(self, data: bytes) -> str:
        """What was typed of this read, as far as it is known to be."""
        text = self._begun + self._decode(data)
        for reply in REPLY.findall(text):
            self.answer = with_reply(self.answer, reply)
        text = REPLY.sub("", text)
        begun = _BEGUN_AT_END.search(text)
        at = len(text) if begun is None else begun.start()
        self._begun = text[at:]
        return text[:at]


class Echo:
    """The text of a prompt in its one row, as far as it is simple."""

    def __init__(self, row: Sequence[Run], y: int) -> None:
        self._place = f"\x1b[{y + 1};1H"
        self._empty = row
        self._columns = sum(len(text) for text, _ in row)
        codes = [code for _, code in cut(row, MARK_CELLS, MARK_CELLS + 2)]
        self._cursor, self._style = codes[0], codes[-1]
        self._ground = row[-1][1]
        self._text = ""
        self._is_over = False

    def take(self, typed: str) -> bool:
        """More keys; whether there is something to draw."""
        before = self._text
        for char in typed:
            if self._is_over:
                break
            if char in BACKSPACES:
                self._text = self._text[:-1]
            elif is_narrow(char) and len(self._text) < self._columns - MARK_CELLS - 2:
                self._text += char
            else:
                self._is_over = True
        return self._text != before

    @property
    def has_text(self) -> bool:
        return bool(self._text) or self._is_over

    def drawn(self) -> bytes:
        """What draws the prompt's row."""
        row = self._empty
        if self._text:
            blank = " " * (self._columns - MARK_CELLS - len(self._text) - 1)
            text = ((self._text, self._style), (" ", self._cursor), (blank, self._ground))
            row = (*cut(row, 0, MARK_CELLS), *text)
        return (self._place + row_escapes(row) + "\x1b[0m").encode()


def is_narrow(char: str) -> bool:
    """Whether a character is printed in one cell of its own in every terminal."""
    if not char.isprintable():
        return False
    if char.isascii():
        return True
    import unicodedata

    return (
        unicodedata.east_asian_width(char) not in "WF"
        and not unicodedata.combining(char)
        and unicodedata.category(char)[0] in "LNPS"
    )
