"""``npulse history trend``: a table and JSON of how fast each model was."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.npulse import REPOSITORY, environment
from tests.core.expect.past import answer
from tests.core.expect.test_trend import history
from tests.expect.kept import keep
from tests.history.made import ORIGIN, opened
from tui.commands.history_trend import day_of, trend_lines
from tui.core.expect.trend import trend_of
from tui.core.text.printed import Paper, cells_of
from tui.core.turn.model_key import ModelKey


def trend(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {k: v for k, v in environment(home).items() if v is not None}
    done = subprocess.run(
        [sys.executable, "-m", "tui", "history", "trend", *arguments],
        capture_output=True, text=True, cwd=REPOSITORY, env=variables, timeout=60,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """28 days of one model that becomes a fifth slower, and five answers of another."""
    folder = tmp_path / "data" / "npulse" / "history"
    folder.mkdir(parents=True)
    with closing(opened(folder)) as connection:
        keep(connection, history(28, 3, 0.2))
        other = replace(ORIGIN, model="gemma3-1b", is_simulated=True)
        keep(connection, [answer(n) for n in range(5)], origin=other)
    return tmp_path


def test_a_table_says_what_became_slower(home: Path) -> None:
    shown = trend(home, "--model", "QWEN")
    assert shown.returncode == 0
    lines = shown.stdout.splitlines()
    assert lines[0] == "qwen3-4b on 127.0.0.1: 84 answers"
    assert "% slower a week" in lines[-2]
    assert lines[-1].startswith("  prefill: steady")
    assert max(map(len, lines)) <= 100
    assert "gemma" not in shown.stdout


def test_json_has_everything(home: Path) -> None:
    other, main = json.loads(trend(home, "--json").stdout)
    assert (other["model"], other["is_simulated"], other["decode"]) == ("gemma3-1b", True, None)
    assert main["decode"]["pct_a_week"] == pytest.approx(-4.8, abs=1.0)
    assert main["decode"]["is_steady"] is False
    assert main["prefill"]["is_steady"] is True
    assert sum(day["answers"] for day in main["days"]) == main["answers"] == 84
    assert main["days"][0]["conditions"]["npu_hz"] == 1e9


def test_a_model_that_never_answered_is_said_to(home: Path) -> None:
    shown = trend(home, "--model", "llama")
    assert (shown.returncode, shown.stdout) == (0, "")
    assert "no answer of a model named 'llama' is kept yet" in shown.stderr


def test_without_a_history_it_says_so(tmp_path: Path) -> None:
    shown = trend(tmp_path)
    assert shown.returncode == 1
    assert "nothing is kept yet" in shown.stderr


def test_colours_and_columns_follow_the_paper() -> None:
    key = ModelKey("qwen3\x1b[2J", "127.0.0.1", is_simulated=True)
    found = trend_of(history(12, 3, 0.4), day_of)
    plain = "\n".join(trend_lines(key, found, Paper(80))).splitlines()
    assert max(map(cells_of, plain)) <= 80
    assert "\x1b" not in "".join(plain)
    coloured = trend_lines(key, found, Paper(80, has_colours=True))
    assert coloured[0].startswith("\x1b[33mSIMULATED\x1b[0m \x1b[1mqwen3")
    assert any(line.startswith("  \x1b[33mdecode: ") for line in coloured)
    assert "  \x1b[2mday\x1b[0m" in coloured[1]
