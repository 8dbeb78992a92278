"""A start of npulse with nothing but its own libraries, for a Python that has no test libraries.

Imports every module, then runs the command line against a folder that is no board.
"""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import tempfile

import tui

STARTS_AT_ONCE = "__main__"
OF_EXTRAS = ("prometheus_client", "opentelemetry", "distributed")
"""Libraries that npulse runs without; modules that need one are imported by those who have it."""


def import_all() -> list[str]:
    """Imports every module of the package; their names."""
    names = [m.name for m in pkgutil.walk_packages(tui.__path__, "tui.")]
    imported = [name for name in names if name.rpartition(".")[2] != STARTS_AT_ONCE]
    for name in imported:
        _import(name)
    return imported


def _import(name: str) -> None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith(OF_EXTRAS):
            raise


def run(*arguments: str) -> str:
    """What npulse writes; raises CalledProcessError where it ends in an error."""
    command = [sys.executable, "-m", "tui", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    assert len(import_all()) > 100
    assert run("--version") == f"npulse {tui.__version__}\n"
    with tempfile.TemporaryDirectory() as nothing:
        assert run("board", "--json", "--root", nothing).startswith('{"t_ns"')


if __name__ == "__main__":
    main()
