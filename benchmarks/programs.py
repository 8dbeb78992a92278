"""The measured programs: npulse, the references, and installed similar programs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.simulator import REPOSITORY, Simulator


@dataclass(frozen=True, slots=True)
class Program:
    """How to start a program.

    ``{url}``, ``{root}`` and ``{model}`` in ``argv`` stand for the simulator's.
    """

    name: str
    argv: tuple[str, ...]
    can_answer: bool = True
    ready_text: str | None = None
    """Text on the screen once the server was found; None if the program needs no server."""
    env: Mapping[str, str] = field(default_factory=dict)

    def command(self, simulator: Simulator) -> list[str]:
        """The command line for this simulator."""
        values = {"url": simulator.url, "root": simulator.root, "model": simulator.model}
        return [part.format(**values) for part in self.argv]

    def environment(self, home: Path) -> dict[str, str | None]:
        """Environment variables for it, with an empty home folder."""
        return {**own_home(home), "TEXTUAL": None, "TEXTUAL_FPS": None, **self.env}


def own_home(home: Path) -> dict[str, str]:
    """Environment variables that keep a program from reading this user's settings."""
    places = {"CONFIG": "config", "DATA": "data", "STATE": "state", "CACHE": "cache"}
    return {
        "HOME": str(home),
        **{f"XDG_{place}_HOME": str(home / folder) for place, folder in places.items()},
    }


def npulse() -> Program | None:
    """npulse as it is installed beside this interpreter, or from the checkout."""
    script = Path(sys.executable).parent / "npulse"
    if script.exists():
        command: tuple[str, ...] = (str(script),)
    elif (REPOSITORY / "tui" / "start.py").exists():
        command = (sys.executable, "-m", "tui")
    else:
        return None
    return Program(
        "npulse",
        (*command, "--url", "{url}", "--root", "{root}"),
        ready_text="qwen3",
        env={"NPULSE_GENERATION__MAX_TOKENS": "100000", "PYTHONPATH": str(REPOSITORY)},
    )


def _reference(name: str, *, can_answer: bool = True) -> Program:
    module = f"benchmarks.references.{name}"
    arguments = ("--url", "{url}", "--model", "{model}") if can_answer else ()
    return Program(
        name,
        (sys.executable, "-m", module, *arguments),
        can_answer,
        env={"PYTHONPATH": str(REPOSITORY)},
    )


BARE = _reference("bare", can_answer=False)
MARKDOWN = _reference("markdown")
LOG = _reference("log")

_PEERS = ("oterm", "elia", "parllama")
_NO_SERVER = "http://127.0.0.1:9"
"""An address without a server (the discard port), so that no program searches for another one."""


def peers() -> list[Program]:
    """Other terminal clients on PATH. They use other servers, so only start and idle are
    measured."""
    env = {"OLLAMA_URL": _NO_SERVER, "OLLAMA_HOST": _NO_SERVER}
    found = ((name, shutil.which(name)) for name in _PEERS)
    return [Program(name, (path,), can_answer=False, env=env) for name, path in found if path]
