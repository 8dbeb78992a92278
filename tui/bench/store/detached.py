"""A run in a process of its own, which outlives the screen and the terminal that began it.

The process is ``python -m tui bench run ...`` in a session of its own; its events go to a file
that anybody can follow (:mod:`tui.bench.store.active_run`), and it takes words (pause, skip,
abort, ...) from a file in the folder of the run (:func:`tui.bench.store.controls.tell`).
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tui.bench.model.events import Event, Finished, from_json
from tui.bench.store.active_run import new_events
from tui.bench.store.private_files import create_private
from tui.bench.store.runs import RunError

FOLLOW_S = 0.25
READ_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Detached:
    """A benchmark in a process of its own."""

    pid: int
    events: Path


def start(verb: Literal["run", "resume"], arguments: Sequence[str], folder: Path) -> Detached:
    """Starts ``npulse bench run`` or ``resume`` with these arguments. Raises RunError.

    What the process says outside of its events is between them in the same file.
    """
    try:
        path = new_events(folder)
        place = ["--folder", str(folder), "--ui", "none", "--events", str(path)]
        with os.fdopen(create_private(path, os.O_WRONLY | os.O_APPEND), "ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "tui", "bench", verb, *arguments, *place],
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
    home = str(Path(__file__).resolve().parents[3])
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{home}{os.pathsep}{known}" if known else home}


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
            data = file.read(READ_BYTES)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                event = from_json(line)
                if event is not None:
                    yield event
                if isinstance(event, Finished):
                    return
            if not data and not was_alive:
                yield Finished(outcome="failed", sentence="The benchmark ended without a result.")
                return
            # A run of hours has megabytes of events: others get their turn in between.
            await asyncio.sleep(0 if data else FOLLOW_S)
