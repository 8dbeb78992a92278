"""The programs that are measured: npulse, the references, and peers that are installed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Program:
    """How to start a program. ``{url}`` and ``{root}`` in ``argv`` stand for the simulator's."""

    name: str
    argv: tuple[str, ...]
    can_answer: bool = True
    ready_text: str | None = None
    """What the screen shows when the server has been found; None where it needs none."""
    env: Mapping[str, str] = field(default_factory=dict)

    def command(self, url: str, root: Path) -> list[str]:
        return [part.format(url=url, root=root) for part in self.argv]

    def environment(self, home: Path) -> dict[str, str | None]:
        """Variables that keep the program away from whoever's settings lie on this machine."""
        return {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "TEXTUAL": None,
            "TEXTUAL_FPS": None,
            **self.env,
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
    return Program("npulse", (*command, "--url", "{url}", "--root", "{root}"), ready_text="qwen3")


def _reference(name: str, *, can_answer: bool = True) -> Program:
    module = f"benchmarks.references.{name}"
    arguments = ("--url", "{url}") if can_answer else ()
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
