"""The run that goes on by itself: how it is begun, found again, and reached.

It is a process in a session of its own (see :mod:`tui.bench.detached`), so neither leaving the
screen, nor closing npulse, nor losing the SSH line ends it, and nothing that a screen does delays
its clock. Beside its events lies ``current.json``, which says where they are; that is how a screen
that opens later finds it.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from tui.bench import controls, runs
from tui.bench.detached import EVENTS_FOLDER, Detached, is_alive
from tui.bench.events import from_json
from tui.core.sanitize import clean_line

MARK_FILE = "current.json"
MAX_WORDS = 400
TAIL_BYTES = 8192


class _Mark(msgspec.Struct, frozen=True):
    pid: int
    events: str


def launch(verb: Literal["run", "resume"], arguments: Sequence[str], folder: Path) -> Detached:
    """Begins ``npulse bench run`` or ``resume`` and marks it. Raises RunError."""
    place = folder / EVENTS_FOLDER
    path = place / f"{os.getpid()}-{os.urandom(4).hex()}.jsonl"
    words = [sys.executable, "-m", "tui.bench", verb, *arguments]
    try:
        place.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            process = subprocess.Popen(
                [*words, "--folder", str(folder), "--ui", "jsonl"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=_environment(),
                start_new_session=True,
            )
        mark = _Mark(process.pid, path.name)
        runs.write_whole(place / MARK_FILE, msgspec.json.encode(mark))
    except OSError as error:
        raise runs.RunError(f"cannot start the run: {error.strerror or 'unknown'}") from None
    return Detached(process.pid, path)


def _environment() -> dict[str, str]:
    """Ours, with the way to this package where it is not installed."""
    home = str(Path(__file__).resolve().parents[1])
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{home}{os.pathsep}{known}" if known else home}


def running(folder: Path) -> Detached | None:
    """The marked run, if it still goes on."""
    place = folder / EVENTS_FOLDER
    try:
        mark = msgspec.json.decode((place / MARK_FILE).read_bytes(), type=_Mark)
    except (OSError, msgspec.DecodeError):
        return None
    events = place / Path(mark.events).name
    if not events.is_file() or not is_alive(mark.pid) or not _is_bench(mark.pid):
        return None
    return Detached(mark.pid, events)


def _is_bench(pid: int) -> bool:
    """Whether that process is a benchmark: numbers of processes are used again."""
    try:
        return b"tui.bench" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def holder(folder: Path) -> str | None:
    """The benchmark that holds the lock of this folder: ``prompts (pid 42)``. None if it is free.

    Asking takes the lock shared for an instant; a run that begins in it is refused and can be begun
    again.
    """
    try:
        with (folder / runs.LOCK_FILE).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return clean_line(file.read(200).decode("utf-8", "replace"), 60) or "unknown"
    except OSError:
        return None
    return None


def tell(run: Detached, folder: str, word: controls.Word) -> None:
    """Asks the run for something. Before it has a folder it only understands an end.

    Raises OSError.
    """
    if folder:
        controls.tell(Path(folder), word)
    elif word == "abort" and is_alive(run.pid):
        os.kill(run.pid, signal.SIGINT)


def last_words(run: Detached) -> str:
    """What the process said outside of its events: why it did not even begin."""
    try:
        with run.events.open("rb") as file:
            file.seek(max(0, run.events.stat().st_size - TAIL_BYTES))
            data = file.read()
    except OSError:
        return ""
    lines = [line for line in data.split(b"\n") if line.strip() and from_json(line) is None]
    if not lines:
        return ""
    said = clean_line(lines[-1].decode("utf-8", "replace"), MAX_WORDS)
    return said.removeprefix("npulse bench: ")
