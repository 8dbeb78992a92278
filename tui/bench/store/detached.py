"""Starts a benchmark as a detached process, and follows its journal.

The process is ``python -m tui bench run ...`` in a session of its own. Any process can follow its
journal (:mod:`tui.bench.store.active_run`) and send it control words through a file in the run's
folder (:func:`tui.bench.store.controls.tell`).
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from tui.bench.model.events import Event, Finished, from_json
from tui.bench.store import active_run
from tui.bench.store.folder import boards_folder
from tui.bench.store.runs import RunError
from tui.core.process import is_running
from tui.core.text.sanitize import clean_line
from tui.files.private import create_private

FOLLOW_S = 0.25
READ_BYTES = 1 << 18
MAX_WORDS = 400
TAIL_BYTES = 8192
CLOCK_TICK_S = 0.02
"""Resolution of file times, which advance with the kernel's timer tick."""


@dataclass(frozen=True, slots=True)
class Detached:
    """A benchmark in a process of its own.

    ``folder`` has its current.json: the folder of runs, or :func:`.folder.boards_folder` of it.
    ``since_s`` is when it started (UNIX, s); ``said`` is the file with its stdout and stderr, None
    if another process started it.
    """

    pid: int
    folder: Path
    since_s: float = 0.0
    said: Path | None = None

    def is_of_boards(self, folder: Path) -> bool:
        """Whether it is one of many boards, below that folder of all runs."""
        return self.folder == boards_folder(folder)


def start(
    verb: Literal["run", "resume"],
    arguments: Sequence[str],
    folder: Path,
    *,
    command: Literal["bench", "lab"] = "bench",
    is_of_boards: bool = False,
) -> Detached:
    """Start ``npulse bench run`` or ``resume``, or those of the lab, with these arguments.

    ``folder`` is the folder of benchmark runs; that of the lab's runs is beside it.
    ``is_of_boards``: the arguments distribute the run to several boards. Raises RunError.
    """
    since_s = time.time() - CLOCK_TICK_S
    try:
        path = active_run.new_journal(folder).with_suffix(".txt")
        own = folder if command == "bench" else folder.parent
        place = ["--folder", str(own), "--ui", "none"]
        with os.fdopen(create_private(path, os.O_WRONLY | os.O_APPEND), "ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "tui", command, verb, *arguments, *place],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=_environment(),
                start_new_session=True,
            )
    except OSError as error:
        raise RunError(f"cannot start the run: {error.strerror or 'unknown'}") from None
    return Detached(process.pid, boards_folder(folder) if is_of_boards else folder, since_s, path)


def _environment() -> dict[str, str]:
    """This process's environment, with the package's folder in PYTHONPATH in case it is not
    installed."""
    home = str(Path(__file__).resolve().parents[3])
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{home}{os.pathsep}{known}" if known else home}


def running(folder: Path) -> Detached | None:
    """The benchmark that somebody began: that of this machine's NPU, else one of many boards."""
    for place in (folder, boards_folder(folder)):
        found = active_run.running(place)
        if found is not None:
            return Detached(found.pid, place)
    return None


def is_alive(pid: int) -> bool:
    """Whether the process is running. Reaps a child that has ended."""
    try:
        finished, _ = os.waitpid(pid, os.WNOHANG)
        if finished == pid:
            return False
    except ChildProcessError:
        pass
    return is_running(pid)


async def follow(run: Detached) -> AsyncIterator[Event]:
    """Yield all events from the first, also of a run that has ended; the last is Finished.

    If the process died without that event, yields a Finished with outcome failed. Raises OSError.
    """
    rest = b""
    with _Tail(run) as tail:
        while True:
            was_alive = is_alive(run.pid)
            data = tail.read()
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                event = from_json(line)
                if event is not None:
                    yield event
                if isinstance(event, Finished):
                    return
            if not data and not was_alive:
                sentence = last_words(run) or "The benchmark ended without a result."
                yield Finished(outcome="failed", sentence=sentence)
                return
            # A long run has megabytes of events: let other tasks run in between.
            await asyncio.sleep(0 if data else FOLLOW_S)


class _Tail:
    """Reads a run's journal, first the temporary one, then the final one, which begins with the
    same events."""

    def __init__(self, run: Detached) -> None:
        self._run = run
        self._path: Path | None = None
        self._file: BinaryIO | None = None
        self._taken = 0

    def __enter__(self) -> _Tail:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def read(self) -> bytes:
        """New bytes, at most ``READ_BYTES``. Raises OSError."""
        self._look()
        data = b"" if self._file is None else self._file.read(READ_BYTES)
        self._taken += len(data)
        return data

    def _look(self) -> None:
        """Open the journal that the run's mark names, if it is another one."""
        found = active_run.told_by(self._run.folder, self._run.pid, self._run.since_s)
        if found is None or found.journal == self._path:
            return
        try:
            fd = os.open(found.journal, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            # The run has just changed its journal; the next call reads its new mark.
            return
        if self._file is not None:
            self._file.close()
        self._file, self._path = os.fdopen(fd, "rb"), found.journal
        self._file.seek(found.offset + self._taken)


def last_words(run: Detached) -> str:
    """The last line of the process's output, such as why it did not start; empty without one."""
    if run.said is None:
        return ""
    try:
        with run.said.open("rb") as file:
            file.seek(max(0, run.said.stat().st_size - TAIL_BYTES))
            lines = [line for line in file.read().split(b"\n") if line.strip()]
    except OSError:
        return ""
    said = clean_line(lines[-1].decode("utf-8", "replace"), MAX_WORDS) if lines else ""
    return said.removeprefix("npulse bench: ")
