"""Arguments and control channel (pause, skip, abort) of a detached benchmark process.

The process has a session of its own (:mod:`tui.bench.store.detached`). So it continues after
leaving the screen, closing npulse, or losing the SSH connection, and a screen cannot delay its
measurements.
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
"""Options of a connection to a remote board. The last one is only used if ssh had to ask for a
password or passphrase."""
NO_SERVER = "no server answers yet; a run needs one"
"""Why a run of benchmark or lab cannot begin."""


@dataclass(frozen=True, slots=True)
class BenchPlace:
    """Server, model and board of a run. ``root``: root directory of the board's /sys and /proc, if
    it is not this machine's."""

    url: str
    label: str
    model: str | None = None
    size_bytes: int | None = None
    context_tokens: int | None = None
    root: Path | None = None
    is_elsewhere: bool = False
    """Whether the board is another machine, although the server's address is local (a tunnel)."""
    is_simulated: bool = False
    own_login: tuple[str, ...] | None = None
    """Values of the options :data:`LOGIN_OPTIONS`, in their order, for a connection of the run's
    own to that machine, so that the run does not depend on this npulse."""


def place_arguments(place: BenchPlace | None) -> list[str]:
    """The arguments for server and board; None: all boards of the config."""
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
    """The arguments after the suite. Joined by ``=``, as a value may begin with a dash."""
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
    """Send a control word to the run. Before the run has a folder, only ``abort`` works.

    Raises OSError.
    """
    if folder:
        controls.tell(Path(folder), word)
    elif word == "abort" and is_alive(run.pid):
        os.kill(run.pid, signal.SIGINT)
