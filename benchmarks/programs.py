"""The programs that are measured: npulse, the references, and peers that are installed."""

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
    """What the screen shows when the server has been found; None where it needs none."""
    env: Mapping[str, str] = field(default_factory=dict)

    def command(self, simulator: Simulator) -> list[str]:
        """``argv`` for that simulator."""
        values = {"url": simulator.url, "root": simulator.root, "model": simulator.model}
        return [part.format(**values) for part in self.argv]

    def environment(self, home: Path) -> dict[str, str | None]:
        """Variables to start it with, in an empty home."""
        return {**own_home(home), "TEXTUAL": None, "TEXTUAL_FPS": None, **self.env}


def own_home(home: Path) -> dict[str, str]:
    """Variables that keep a program away from the settings of whoever uses this machine."""
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
"""The discard port: a server that is not there, so that no peer looks for another one."""


def peers() -> list[Program]:
    """Other terminal clients on PATH. They speak to other servers: start and idle only."""
    env = {"OLLAMA_URL": _NO_SERVER, "OLLAMA_HOST": _NO_SERVER}
    found = ((name, shutil.which(name)) for name in _PEERS)
    return [Program(name, (path,), can_answer=False, env=env) for name, path in found if path]
