"""A program in a real pty: what a person at a terminal sees and does, for tests and benchmarks.

The reader is a thread that only stamps and keeps bytes and answers the queries of a terminal, so a
program is never held up by the drawing of its output; the screen is drawn when it is asked for.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import LIMIT_S

from .escapes import Escape, foreign_escapes, made_by_npulse
from .keys import key_bytes
from .modes import Modes
from .screen import TerminalScreen
from .slow_line import SlowLine

ENVIRONMENT = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
_UNSET = ("LC_ALL", "LC_CTYPE", "NO_COLOR", "TERM_PROGRAM", "TMUX", "COLUMNS", "LINES")
"""Variables of whoever runs the tests that would change what a program draws."""

_QUERY = re.compile(
    rb"\x1b\[(?:(?P<da1>0?c)|(?P<da2>>0?c)|(?P<status>5n)|(?P<cursor>6n)|\?(?P<mode>\d+)\$p)"
    rb"|\x1b\](?P<colour>1[01]);\?(?:\x07|\x1b\\)"
)
_QUERY_BEGUN = re.compile(rb"\x1b(?:\[[>?\d$]{0,8}|\](?:1(?:[01](?:;\??\x1b?)?)?)?)?\Z")
_READ_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Chunk:
    """One read: ``t_ns`` is ``perf_counter_ns`` right after it."""

    t_ns: int
    data: bytes


class TerminalTimeoutError(AssertionError):
    """Something did not appear, or a program did not end, in time. Says what the screen showed."""


class PtyTerminal:
    """Runs ``argv`` in a pty of ``size`` (columns, rows).

    ``env`` adds to the environment (None takes a name away). ``read_rate`` is the number of bytes a
    second that the terminal takes, as a slow SSH link does; None takes them as they come. It may be
    changed while the program runs.
    """

    def __init__(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        size: tuple[int, int] = (120, 40),
        env: Mapping[str, str | None] | None = None,
        cwd: str | Path | None = None,
        read_rate: int | None = None,
    ) -> None:
        self.chunks: list[Chunk] = []
        self.bytes_out = 0
        self.screen = TerminalScreen(*size)
        self._drawn_chunks = 0
        self._size = size
        self._resized_at: list[tuple[int, tuple[int, int]]] = []
        self.read_rate = read_rate
        self._query_rest = b""
        self._typing = threading.Lock()
        self._answers: deque[bytes] = deque()
        self._master, self._slave = pty.openpty()
        os.set_blocking(self._master, False)
        self._set_size(*size)
        self._termios = termios.tcgetattr(self._slave)
        self._wake_read, self._wake_write = os.pipe()
        self.started_ns = time.perf_counter_ns()
        self.process = self._start(argv, env or {}, cwd)
        self._reader = threading.Thread(target=self._read, name="pty-reader", daemon=True)
        self._reader.start()

    def _start(
        self,
        argv: Sequence[str | os.PathLike[str]],
        env: Mapping[str, str | None],
        cwd: str | Path | None,
    ) -> subprocess.Popen[bytes]:
        variables = {k: v for k, v in os.environ.items() if k not in _UNSET}
        for name, value in {**ENVIRONMENT, **env}.items():
            variables.pop(name, None)
            if value is not None:
                variables[name] = value
        try:
            return subprocess.Popen(
                [os.fspath(part) for part in argv],
                stdin=self._slave,
                stdout=self._slave,
                stderr=self._slave,
                env=variables,
                cwd=cwd,
                start_new_session=True,
                preexec_fn=_take_terminal,
            )
        except BaseException:
            for fd in (self._master, self._slave, self._wake_read, self._wake_write):
                os.close(fd)
            raise

    def __enter__(self) -> PtyTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- reading ---------------------------------------------------------------------------------

    def _read(self) -> None:
        """The reader thread: until the program has ended and nothing is left to read."""
        line = SlowLine()
        while True:
            # Asked before the wait: output written before the end is then seen by the read below.
            is_over = self.process.poll() is not None
            ready, _, _ = select.select([self._master, self._wake_read], [], [], 0.05)
            if self._wake_read in ready:
                return
            if self._master not in ready:
                if is_over:
                    return
                continue
            rate = self.read_rate
            limit = _READ_BYTES if rate is None else line.allowed(rate)
            if limit < 1:
                time.sleep(0.01)
                continue
            try:
                data = os.read(self._master, limit)
            except OSError:
                return
            line.passed(0 if rate is None else len(data))
            self._keep(data)

    def _keep(self, data: bytes) -> None:
        self.chunks.append(Chunk(time.perf_counter_ns(), data))
        self.bytes_out += len(data)
        if b"\x1b" not in data and not self._query_rest:
            return
        data = self._query_rest + data
        end = 0
        for query in _QUERY.finditer(data):
            end = query.end()
            self._answers.append(self._answer(query))
        begun = _QUERY_BEGUN.search(data, max(end, len(data) - 16))
        self._query_rest = b"" if begun is None else data[begun.start() :]
        self._flush_answers()

    def _answer(self, query: re.Match[bytes]) -> bytes:
        """What an xterm with synchronised output, and without resize reports, answers."""
        if query["mode"] is not None:
            return b"\x1b[?%s;%d$y" % (query["mode"], 2 if query["mode"] == b"2026" else 0)
        if query["colour"] is not None:
            rgb = b"d5d5/dcdc/e4e4" if query["colour"] == b"10" else b"0e0e/1313/1818"
            return b"\x1b]%s;rgb:%s\x1b\\" % (query["colour"], rgb)
        if query["cursor"] is not None:
            # Rare, and only right with everything before it drawn: worth drawing here.
            at_query = TerminalScreen(*self._size)
            at_query.feed(self.raw)
            col, row = at_query.cursor
            return b"\x1b[%d;%dR" % (row + 1, col + 1)
        if query["status"] is not None:
            return b"\x1b[0n"
        return b"\x1b[?62;22c" if query["da1"] is not None else b"\x1b[>41;390;0c"

    @property
    def raw(self) -> bytes:
        """Everything that the program wrote."""
        return b"".join(chunk.data for chunk in list(self.chunks))

    def bytes_between(self, from_ns: int, to_ns: int) -> int:
        """Bytes that arrived in that time."""
        return sum(len(c.data) for c in list(self.chunks) if from_ns <= c.t_ns < to_ns)

    def draw(self) -> TerminalScreen:
        """The screen with everything on it that has arrived by now."""
        while self._drawn_chunks < len(self.chunks):
            while self._resized_at and self._resized_at[0][0] <= self._drawn_chunks:
                self.screen.resize(*self._resized_at.pop(0)[1])
            self.screen.feed(self.chunks[self._drawn_chunks].data)
            self._drawn_chunks += 1
        while self._resized_at:
            self.screen.resize(*self._resized_at.pop(0)[1])
        return self.screen

    def text(self) -> str:
        """The screen as text, drawn up to now."""
        return self.draw().text()

    # -- waiting ---------------------------------------------------------------------------------

    def wait_for(
        self,
        what: str | Callable[[PtyTerminal], object],
        seconds: float = LIMIT_S,
        poll: float = 0.02,
    ) -> None:
        """Wait until a text is on the screen, or a condition holds.

        Raises TerminalTimeoutError, also as soon as the program has ended without it.
        """
        deadline = time.monotonic() + seconds
        while True:
            is_over = not self._reader.is_alive()
            if what in self.text() if isinstance(what, str) else what(self):
                return
            if is_over or time.monotonic() > deadline:
                why = f"the program ended ({self.exit_code})" if is_over else f"{seconds:g} s"
                name = repr(what) if isinstance(what, str) else "the condition"
                raise TerminalTimeoutError(f"no {name}: {why}; the screen:\n{self.text()}")
            time.sleep(poll)

    def wait_quiet(self, quiet: float = 0.3, seconds: float = LIMIT_S) -> None:
        """Wait until nothing has arrived for ``quiet`` seconds. Raises TerminalTimeoutError."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            last_ns = self.chunks[-1].t_ns if self.chunks else self.started_ns
            left = quiet - (time.perf_counter_ns() - last_ns) / 1e9
            if left <= 0 or not self._reader.is_alive():
                return
            time.sleep(left)
        raise TerminalTimeoutError(f"not quiet within {seconds:g} s; the screen:\n{self.text()}")

    def wait_gone(self, seconds: float = LIMIT_S) -> int:
        """Wait for the end of the program and of its output; its exit code (-n after signal n).

        Raises TerminalTimeoutError.
        """
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TerminalTimeoutError(
                f"still running after {seconds:g} s; the screen:\n{self.text()}"
            ) from None
        self._reader.join(seconds)
        return code

    def wait_stopped(self) -> None:
        """Wait until the kernel has stopped the program, as Ctrl+Z does: SIGCONT before that moment
        would be lost. Raises TerminalTimeoutError."""
        stat = Path(f"/proc/{self.process.pid}/stat")
        self.wait_for(lambda _: stat.read_text().rpartition(")")[2].split()[0] == "T")

    @property
    def exit_code(self) -> int | None:
        """None while the program runs; -n after signal n."""
        return self.process.poll()

    # -- what a person does ----------------------------------------------------------------------

    def _write_some(self, data: bytes) -> int:
        """Bytes that the program's input took; 0 where it is full."""
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            select.select([], [self._master], [], 0.05)
            return 0

    def _flush_answers(self) -> None:
        """Send answers to queries, unless someone is typing: then they go right after it.

        The reader never waits for a program that does not read, or both would wait for ever.
        """
        while self._answers and self._typing.acquire(blocking=False):
            try:
                with contextlib.suppress(OSError):
                    self._write_some(self._answers.popleft())
            finally:
                self._typing.release()

    def send(self, data: bytes, seconds: float = LIMIT_S) -> None:
        """Bytes as they are. Raises TerminalTimeoutError where the program does not take them."""
        deadline = time.monotonic() + seconds
        with self._typing:
            while data:
                data = data[self._write_some(data) :]
                if data and time.monotonic() > deadline:
                    raise TerminalTimeoutError(
                        f"the program does not read its input: {len(data)} bytes left"
                    )
        self._flush_answers()

    def type(self, text: str) -> None:
        """Type a text, all at once."""
        self.send(text.encode())

    def keys(self, *names: str, pause: float = 0.02) -> None:
        """Press keys (``enter``, ``ctrl+q``, ``f1``, ...), each followed by ``pause`` seconds."""
        for name in names:
            self.send(key_bytes(name))
            time.sleep(pause)

    def paste(self, text: str) -> None:
        """Paste a text: bracketed where the program asked for that, else as if typed."""
        data = text.encode()
        self.send(b"\x1b[200~" + data + b"\x1b[201~" if self.modes().is_on(2004) else data)

    def click(self, col: int, row: int, button: int = 0) -> None:
        """Press and release a mouse button on a cell (from 0); 64 and 65 turn the wheel."""
        place = f"{col + 1};{row + 1}"
        up = "" if button >= 64 else f"\x1b[<{button};{place}m"
        self.send(f"\x1b[<{button};{place}M{up}".encode())

    def resize(self, cols: int, rows: int) -> None:
        """Change the size of the window; the program gets SIGWINCH."""
        self._size = (cols, rows)
        self._resized_at.append((len(self.chunks), (cols, rows)))
        self._set_size(cols, rows)

    def _set_size(self, cols: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def signal(self, number: int) -> None:
        """Send a signal to the program, if it still runs."""
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """Close the terminal under the program, as a dropped SSH line does (it gets SIGHUP).

        Nothing can be read or typed afterwards.
        """
        os.write(self._wake_write, b".")
        self._reader.join()
        for fd in (self._master, self._slave):
            os.close(fd)
        self._master = self._slave = -1

    # -- what it leaves behind -------------------------------------------------------------------

    def modes(self) -> Modes:
        """The modes that the output so far has set."""
        modes = Modes()
        modes.feed(self.raw)
        return modes

    def is_raw(self) -> bool:
        """Whether keys reach the program one by one and are not echoed by the kernel."""
        return not termios.tcgetattr(self._slave)[3] & (termios.ECHO | termios.ICANON)

    def left_behind(self) -> list[str]:
        """What the program did not put back: modes of the terminal, settings of the tty.

        Empty when the terminal is clean.
        """
        left = self.modes().left_on()
        if termios.tcgetattr(self._slave) != self._termios:
            left.append("tty settings")
        return left

    def foreign_escapes(self, is_ours: Callable[[Escape], bool] = made_by_npulse) -> list[Escape]:
        """Every escape sequence in the output that ``is_ours`` does not accept."""
        return foreign_escapes(self.raw, is_ours)

    def close(self) -> None:
        """End the program if it still runs (SIGTERM, then SIGKILL) and give the pty back."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._reader.is_alive():
            os.write(self._wake_write, b".")
            self._reader.join()
        for fd in (self._master, self._slave, self._wake_read, self._wake_write):
            if fd >= 0:
                os.close(fd)
        self._master = self._slave = self._wake_read = self._wake_write = -1


def _take_terminal() -> None:
    """In the child: make the pty its controlling terminal, so that it gets SIGWINCH and SIGHUP."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
