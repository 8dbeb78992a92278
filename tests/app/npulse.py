"""Starts npulse in a real terminal, beside a real simulator."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.terminal.pty_terminal import PtyTerminal

REPOSITORY = Path(__file__).resolve().parents[2]


def environment(home: Path) -> dict[str, str | None]:
    """A home of its own: no config, no state of the one who runs the tests."""
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")]),
    }


@contextmanager
def running(
    home: Path,
    *arguments: str,
    size: tuple[int, int] = (120, 40),
    env: Mapping[str, str | None] | None = None,
    module: tuple[str, ...] = ("tui",),
    read_rate: int | None = None,
) -> Iterator[PtyTerminal]:
    """npulse with these arguments in a terminal."""
    command = [sys.executable, "-m", *module, *arguments]
    variables = {**environment(home), **(env or {})}
    with PtyTerminal(command, size=size, env=variables, cwd=home, read_rate=read_rate) as terminal:
        yield terminal
