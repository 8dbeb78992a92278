"""What a hostile model or server sends never reaches the terminal as more than text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.npulse import REPOSITORY, environment, running
from tests.core.hostile import raw_controls
from tests.sim.simulator import running as simulator

pytestmark = pytest.mark.slow


def test_the_dashboard_shows_a_hostile_answer_as_text(tmp_path: Path) -> None:
    with (
        simulator("--decode-tps", "200", "--prefill-tps", "4000") as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        terminal.wait_for("is ready on")
        terminal.type("[[hostile]] [[tokens=150]]")
        terminal.keys("enter")
        terminal.wait_for("~150 tokens")
        terminal.keys("f7")
        terminal.wait_quiet()
        assert terminal.foreign_escapes() == []
        terminal.keys("ctrl+q")
        assert terminal.wait_gone() == 0
        assert terminal.left_behind() == []


@pytest.mark.parametrize("arguments", [[], ["--stats"], ["--json"]])
def test_ask_prints_a_hostile_answer_as_text(tmp_path: Path, arguments: list[str]) -> None:
    with simulator("--decode-tps", "500", "--prefill-tps", "4000") as board:
        env = {k: v for k, v in environment(tmp_path).items() if v is not None}
        prompt = "[[hostile]] [[tokens=150]]"
        done = subprocess.run(
            [sys.executable, "-m", "tui", "ask", prompt, "--url", board.url, *arguments],
            capture_output=True, cwd=REPOSITORY, env=env, timeout=60, check=True,
        )  # fmt: skip
    assert len(done.stdout) > 200
    for output in (done.stdout, done.stderr):
        assert raw_controls(output.decode("utf-8")) == []
