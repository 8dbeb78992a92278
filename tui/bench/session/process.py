"""Arguments and control channel (pause, skip, abort) of a detached benchmark process.

It is in a session of its own (see :mod:`tui.bench.store.detached`), so neither leaving the
screen, nor closing npulse, nor losing the SSH line ends it, and nothing that a screen does delays
its clock.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from tui.bench.model.screen import RunWish
from tui.bench.store import controls
from tui.bench.store.detached import Detached, is_alive
from tui.core.types import GenerationSettings

LOGIN_OPTIONS = ("--board", "--url", "--ssh-socket")
"""The last one only where ssh would have to ask for something again."""


@dataclass(frozen=True, slots=True)
class BenchPlace:
    """The server, model and board that a run would measure. ``root``: where /sys and /proc of a
    board lie that is not this machine."""

    url: str
    label: str
    model: str | None = None
    size_bytes: int | None = None
    context_tokens: int | None = None
    root: Path | None = None
    is_elsewhere: bool = False
    """The board is another machine, whose server only seems to be on this one."""
    is_simulated: bool = False
    own_login: tuple[str, ...] | None = None
    """What the options of :data:`LOGIN_OPTIONS` take, one after the other, to reach that machine
    anew: so the run outlives this npulse, and reads that board."""


def place_arguments(place: BenchPlace | None) -> list[str]:
    """Where the server and its board are; None is all boards of the config."""
    if place is None:
        return ["--boards=all"]
    if place.own_login is not None:
        pairs = zip(LOGIN_OPTIONS, place.own_login, strict=False)
        return [f"{option}={value}" for option, value in pairs]
    made = [f"--url={place.url}"]
    if place.is_elsewhere:
        made.append("--no-board")
    if place.root is not None:
        made.append(f"--root={place.root}")
    return made


def run_arguments(
    wish: RunWish, place: BenchPlace | None, settings: GenerationSettings
) -> list[str]:
    """What comes after the suite. Joined by =, for a name may begin with a dash."""
    made = [*place_arguments(place), f"--seed={wish.seed}"]
    if place is not None and place.model is not None:
        made.append(f"--model={place.model}")
    if wish.runs is not None:
        made.append(f"--runs={wish.runs}")
    if wish.is_quick:
        made.append("--quick")
    if wish.max_time_s is not None:
        made.append(f"--max-time={wish.max_time_s:g}s")
    return [
        *made,
        f"--temperature={settings.temperature}",
        f"--top-p={settings.top_p}",
        f"--top-k={settings.top_k}",
        f"--repeat-penalty={settings.repeat_penalty}",
    ]


def tell(run: Detached, folder: str, word: controls.Word) -> None:
    """Asks the run for something. Before it has a folder it only understands an end.

    Raises OSError.
    """
    if folder:
        controls.tell(Path(folder), word)
    elif word == "abort" and is_alive(run.pid):
        os.kill(run.pid, signal.SIGINT)
