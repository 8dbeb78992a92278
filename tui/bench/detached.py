"""A run in a process of its own, which outlives the screen and the terminal that began it.

The process is ``python -m tui.bench run ... --ui jsonl`` in a session of its own; its events go to
a file that anybody can follow, and it takes words (pause, resume, skip, abort) from a file in the
folder of the run (:func:`tui.bench.controls.tell`).
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tui.bench.events import Event, Finished, from_json
from tui.bench.runs import RunError

FOLLOW_S = 0.25
EVENTS_FOLDER = "detached"


@dataclass(frozen=True, slots=True)
class Detached:
    """A run that goes on by itself."""

    pid: int
    events: Path


def start(arguments: Sequence[str], folder: Path) -> Detached:
    """Starts ``npulse bench run`` with these arguments. Raises RunError."""
    place = folder / EVENTS_FOLDER
    try:
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"{os.getpid()}-{os.urandom(4).hex()}.jsonl"
        with path.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "tui.bench", "run", *arguments, "--ui", "jsonl"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=_environment(),
                start_new_session=True,
            )
    except OSError as error:
        raise RunError(f"cannot start the run: {error.strerror or 'unknown'}") from None
    return Detached(process.pid, path)


def _environment() -> dict[str, str]:
    """Ours, with the way to this package where it is not installed."""
    environment = dict(os.environ)
    home = str(Path(__file__).resolve().parents[2])
    known = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = f"{home}{os.pathsep}{known}" if known else home
    return environment


def is_alive(pid: int) -> bool:
    """Whether that process runs; a finished child that nobody waited for does not."""
    try:
        finished, _ = os.waitpid(pid, os.WNOHANG)
        if finished == pid:
            return False
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def follow(run: Detached) -> AsyncIterator[Event]:
    """Every event from the first on, also of a run that is over. Ends with Finished.

    Where the process died without saying so, a Finished of ours ends it.
    """
    rest = b""
    with run.events.open("rb") as file:
        while True:
            was_alive = is_alive(run.pid)
            data = file.read()
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                event = from_json(line)
                if event is not None:
                    yield event
                if isinstance(event, Finished):
                    return
            if not data and not was_alive:
                yield Finished(outcome="failed", sentence="The run ended without a word.")
                return
            await asyncio.sleep(FOLLOW_S)
