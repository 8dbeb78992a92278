"""What a start loads: the command line no library, a command without a screen no screen library,
the dashboard's first frame nothing of what comes after it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.npulse import running
from tui.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
SCREEN_LIBRARIES = {"textual", "rich", "plotext", "pygments", "markdown_it"}
FLEET_LIBRARIES = {"dask", "distributed", "tornado", "cloudpickle"}
"""Of runs on many boards, which most people never begin."""
AFTER_THE_FIRST_FRAME = (
    # Other screens, and what is behind them.
    "tui.bench", "tui.lab", "tui.history", "tui.recording", "tui.timeline", "tui.tap", "tui.sim",
    "tui.exporter", "tui.fleet", "tui.remote.board", "tui.remote.ssh", "tui.screens.bench",
    "tui.screens.board", "tui.screens.help", "tui.screens.palette", "tui.screens.theme_chooser",
    "tui.screens.explain", "tui.core.screen.commands",
    "tui.screens.history", "tui.screens.lab", "tui.screens.models", "tui.screens.settings",
    # The board's readers, and an answer on its way.
    "tui.board", "tui.servers.client", "tui.servers.connection", "tui.servers.exchange",
    "tui.core.turn.turn", "tui.core.turn.meter", "tui.core.expect.decode",
    "tui.core.expect.prefill", "tui.core.theil_sen",
    # Libraries for one of these.
    "httpx._client", "sqlite3", "psutil", "plotext", "pygments", "markdown_it", "yaml",
)  # fmt: skip
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
    assert not _loaded_by(f"import {module}") & (SCREEN_LIBRARIES | FLEET_LIBRARIES)


@pytest.mark.slow
def test_the_first_frame_loads_nothing_of_what_comes_after_it(tmp_path: Path) -> None:
    file = tmp_path / "modules.txt"
    with running(tmp_path, str(file), "--demo", module=("tests.app.first_frame",)) as terminal:
        assert terminal.wait_gone() == 0
    loaded = file.read_text().split()
    assert "tui.screens.dashboard" in loaded
    early = [
        name
        for name in loaded
        if any(name == one or name.startswith(f"{one}.") for one in AFTER_THE_FIRST_FRAME)
    ]
    assert early == []
