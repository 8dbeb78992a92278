"""``npulse board``: prints one snapshot of the board, or a stream of them."""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from tui.board.advice.report import to_json, to_text, write_out
from tui.board.one_shot import one_shot
from tui.board.sampler import Sampler
from tui.commands.exit_code import ExitCode
from tui.commands.parser import Parser, add_root_option
from tui.commands.stdout_paper import stdout_paper
from tui.core.board.reading import Snapshot

MIN_INTERVAL_S = 0.1


def parser() -> Parser:
    """The options of ``npulse board``."""
    options = Parser(
        prog="npulse board",
        description="Shows the board: NPU, memory, clocks, temperatures. Needs no root rights; "
        "what cannot be read is shown with the reason.",
    )
    options.add_argument(
        "--json", action="store_true", help="print one JSON object per snapshot, one per line"
    )
    add_root_option(options)
    options.add_argument("--watch", action="store_true", help="print snapshots until interrupted")
    options.add_argument(
        "--interval",
        metavar="S",
        type=_interval,
        default=1.0,
        help=f"seconds between two snapshots of --watch, at least {MIN_INTERVAL_S} (default 1)",
    )
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code: 0 whatever is absent, 2 for a wrong use."""
    try:
        options = parser().parse_args(argv)
    except SystemExit as end:
        return int(end.code or 0)
    sampler = Sampler(options.root, interval_s=options.interval)
    try:
        if options.watch:
            with _ended_by_signals() as waker:
                _watch(sampler, options.json, options.interval, waker)
        else:
            _print(one_shot(sampler, time.sleep), options.json)
    except BrokenPipeError:
        # The reader has left; the interpreter must not fail once more when it flushes.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        sampler.close()
    return ExitCode.OK


class _Waker:
    """Sleeps that a signal handler can end, without an exception in the middle of a write."""

    def __init__(self) -> None:
        self.is_over = False
        self._read_fd, self._write_fd = os.pipe()
        os.set_blocking(self._write_fd, False)

    def sleep(self, seconds: float) -> None:
        """Wait, or return at once when the end has come."""
        if not self.is_over and seconds > 0:
            select.select([self._read_fd], [], [], seconds)

    def end(self, signal_number: int, frame: FrameType | None) -> None:
        """Handler of SIGINT and SIGTERM."""
        self.is_over = True
        with suppress(OSError):
            os.write(self._write_fd, b".")

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._read_fd)
        os.close(self._write_fd)


def _watch(sampler: Sampler, is_json: bool, interval_s: float, waker: _Waker) -> None:
    """Print at fixed times, so that the time of reading and writing does not accumulate."""
    snapshot = one_shot(sampler, waker.sleep)
    due_s = time.monotonic()
    while not waker.is_over:
        _print(snapshot, is_json, is_stream=True)
        due_s = max(due_s + interval_s, time.monotonic())
        waker.sleep(due_s - time.monotonic())
        if not waker.is_over:
            snapshot = sampler.sample()


@contextmanager
def _ended_by_signals() -> Iterator[_Waker]:
    waker = _Waker()
    before = {
        number: signal.signal(number, waker.end) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield waker
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        waker.close()


def _print(snapshot: Snapshot, is_json: bool, *, is_stream: bool = False) -> None:
    if is_json:
        text = json.dumps(to_json(snapshot), allow_nan=False) + "\n"
    else:
        text = to_text(snapshot, stdout_paper()) + ("\n" if is_stream else "")
    write_out(text)


def _interval(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not MIN_INTERVAL_S <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"a number of seconds from {MIN_INTERVAL_S}, not {text!r}")
    return seconds
