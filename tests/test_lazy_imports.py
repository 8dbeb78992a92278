"""What a start loads: the command line no library, a command without a screen no screen library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tui.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
SCREEN_LIBRARIES = {"textual", "rich", "plotext", "pygments", "markdown_it"}
HEADLESS = tuple(module for module, _ in COMMANDS.values())


def _loaded_by(statement: str) -> set[str]:
    """The top-level packages that a fresh interpreter has after that statement."""
    shown = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in shown.stdout.split()}


def test_the_command_line_itself_loads_no_library() -> None:
    before = _loaded_by("pass")
    loaded = _loaded_by("import tui.cli") - before - {"tui"} - set(sys.stdlib_module_names)
    assert loaded == set()


@pytest.mark.parametrize("module", HEADLESS)
def test_a_command_without_a_screen_loads_no_screen(module: str) -> None:
    assert not _loaded_by(f"import {module}") & SCREEN_LIBRARIES
