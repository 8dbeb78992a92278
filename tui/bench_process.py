"""What is said to a run in a process of its own, and what it said outside of its events.

It is a process in a session of its own (see :mod:`tui.bench.detached`), so neither leaving the
screen, nor closing npulse, nor losing the SSH line ends it, and nothing that a screen does delays
its clock.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tui.bench import controls
from tui.bench.detached import Detached, is_alive
from tui.bench.events import from_json
from tui.core.text.sanitize import clean_line

MAX_WORDS = 400
TAIL_BYTES = 8192


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
