"""``npulse ask --progress``: the phase, its progress and the time left, on stderr."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from types import FrameType
from typing import TextIO

from tui.commands.parser import Parser, complain
from tui.core.expect.outlook import NpuSeen, Outlook, outlook
from tui.core.expect.wait_words import eta_text, long_wait, short_wait
from tui.core.screen.attention import Attention, done_words
from tui.core.screen.terminal_signals import OFF, SIGNALS, signals_of
from tui.core.text import format as fmt
from tui.core.turn.turn import Turn
from tui.core.turn.turn_stats import TurnStats
from tui.expect.expectations import Expectations
from tui.servers.connection_state import Server
from tui.servers.loop import EventLoopThread
from tui.settings.history_options import history_file
from tui.settings.schema import HistorySection, UiSection

LIVE_EVERY_S = 0.5
LINE_EVERY_S = 15.0
FIRST_LINE_S = 1.0
"""A wait shorter than this needs no line of its own."""
DEFAULT_NOTIFY = "bell,desktop,progress"
CLEAR = "\r\x1b[K"


class ProgressLine:
    """A row that is rewritten in a terminal; elsewhere a line now and then.

    ``is_shared``: the answer's own text goes to the same terminal, so that the row is gone before
    the first word of it.
    """

    def __init__(self, expectations: Expectations, stream: TextIO, *, is_shared: bool) -> None:
        self._expectations = expectations
        self._stream = stream
        self._is_live = stream.isatty()
        self._is_shared = is_shared and self._is_live
        self._shown = ""
        self._next_s = 0.0 if self._is_live else time.monotonic() + FIRST_LINE_S

    def tell(self, turn: Turn) -> None:
        """Call it often; it writes at its own rate. It does not print waits for a busy server."""
        now_s = time.monotonic()
        if turn.wait is not None or turn.phase.is_over:
            self.clear()
            return
        if now_s < self._next_s:
            return
        self._next_s = now_s + (LIVE_EVERY_S if self._is_live else LINE_EVERY_S)
        stats, view = _view(turn, self._expectations)
        if stats.tokens and self._is_shared:
            return
        self._write(progress_words(stats, view, is_short=self._is_live))

    def before_text(self) -> None:
        """Called before text of the answer is printed."""
        if self._is_shared:
            self.clear()

    def clear(self) -> None:
        """Take the row away."""
        if self._shown:
            self._stream.write(CLEAR)
            self._stream.flush()
            self._shown = ""

    def _write(self, words: str) -> None:
        if not self._is_live:
            complain("npulse ask", words)
        elif words != self._shown:
            self._stream.write(f"{CLEAR}{words}")
            self._stream.flush()
            self._shown = words


def progress_words(stats: TurnStats, view: Outlook, *, is_short: bool) -> str:
    """``prefill 12 s of ~41 s (29 %)``, then ``123 tokens, 3.14 tok/s, ~2:10 left``."""
    if view.awaited != "tokens":
        words = short_wait(view) if is_short else long_wait(view)
        return words if view.share is None else f"{words}, {view.share * 100:.0f} %"
    parts = [f"{fmt.marked(str(stats.tokens), stats.tokens_source)} tokens"]
    rate_tps = stats.rate_now_tps or stats.decode_tps
    if rate_tps is not None:
        parts.append(f"{fmt.marked(fmt.rate(rate_tps), stats.tokens_source)} tok/s")
    if stats.silent_s is not None:
        parts.append(f"no token for {fmt.long_seconds(stats.silent_s)}")
    elif view.left is not None:
        parts.append(f"{eta_text(view.left)} left")
    elif view.left_most_s is not None:
        parts.append(f"at most {fmt.long_seconds(view.left_most_s)} left")
    return ", ".join(parts)


class AskProgress:
    """Progress and notifications of one command, as ``--progress`` and ``--notify`` say."""

    def __init__(self, options: argparse.Namespace, ui: UiSection, history: HistorySection) -> None:
        self._expectations = Expectations(lambda: history_file() if history.enabled else None)
        self._row: ProgressLine | None = None
        if options.progress:
            is_shared = sys.stdout.isatty()
            self._row = ProgressLine(self._expectations, sys.stderr, is_shared=is_shared)
        self._attention = Attention(
            signals_of(notify_words(options.notify, ui.notify), os.environ),
            _to_terminal,
            os.environ,
            has_focus=False,
        )
        self._next_s = 0.0

    def begin(self, loop: EventLoopThread, turn: Turn, server: Server) -> None:
        """Called when the prompt is sent: looks up earlier answers."""
        if self._row is not None or self._attention.is_wanted:
            loop.submit(self._expectations.follow(turn, server))
        if self._attention.needs_progress:
            signal.signal(signal.SIGTSTP, self._suspend)

    def tell(self, turn: Turn) -> None:
        """Call it often."""
        if self._row is not None:
            self._row.tell(turn)
        now_s = time.monotonic()
        if not self._attention.needs_progress or turn.phase.is_over or now_s < self._next_s:
            return
        self._next_s = now_s + LIVE_EVERY_S
        stats, view = _view(turn, self._expectations)
        self._attention.show(view.share, progress_words(stats, view, is_short=True))

    def before_text(self) -> None:
        """Called before text of the answer is printed."""
        if self._row is not None:
            self._row.before_text()

    def end(self, turn: Turn) -> None:
        """The answer is over, in whatever way."""
        if self._row is not None:
            self._row.clear()
        if self._attention.is_wanted:
            self._attention.done(done_words(turn.model, turn.status))
            self._attention.clear()

    def _suspend(self, number: int, frame: FrameType | None) -> None:
        """On Ctrl+Z: removes the progress from the terminal's tab while the process is stopped."""
        self._attention.clear()
        os.kill(os.getpid(), signal.SIGSTOP)


def add_progress_options(parser: Parser) -> None:
    """``--progress`` and ``--notify``."""
    parser.add_argument(
        "--progress",
        action="store_true",
        help="show the current phase and its progress on stderr, estimated from earlier answers",
    )
    parser.add_argument(
        "--notify",
        nargs="?",
        const="",
        metavar="HOW",
        type=notify_option,
        help="notify at the end of the answer: bell, desktop, osc9, osc777, osc99, "
        "progress, title, separated by commas; without HOW, [ui] notify or bell,desktop,progress",
    )


def notify_option(text: str) -> str:
    """Checks the signals of ``--notify``. Raises ArgumentTypeError for an unknown one."""
    unknown = [word for word in text.split(",") if word.strip() not in ("", OFF, *SIGNALS)]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0][:40]!r} is none of {', '.join(SIGNALS)}")
    return text


def notify_words(option: str | None, configured: str) -> str:
    """The signals of ``--notify``; none without it."""
    if option is None:
        return OFF
    return option or (configured if configured != OFF else DEFAULT_NOTIFY)


def _view(turn: Turn, expectations: Expectations) -> tuple[TurnStats, Outlook]:
    now_ns = time.perf_counter_ns()
    stats = turn.stats(now_ns)
    view = outlook(
        stats,
        expectations.known(turn),
        NpuSeen(),
        t0_ns=turn.t0_ns,
        now_ns=now_ns,
        is_first=not turn.request.is_follow_up,
    )
    return stats, view


def _to_terminal(sequence: str) -> None:
    """Writes to stdout or stderr, whichever is a terminal."""
    for stream in (sys.stderr, sys.stdout):
        if stream.isatty():
            stream.write(sequence)
            stream.flush()
            return
