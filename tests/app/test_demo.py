"""The demo: its board has a fault, F5 tells the cause, and its command shows a difference."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def right_column(text: str) -> str:
    """Without blanks: a command is folded to the width of its column."""
    return re.sub(r"\s", "", "".join(row.rpartition("│")[2] for row in text.split("\n")))


def test_a_cause_its_command_and_the_difference(tmp_path: Path) -> None:
    with running(tmp_path, "--demo", "--speed", "4") as terminal:
        terminal.wait_for("Something is wrong with this board")
        terminal.type("Why is it slow? [[tokens=900]]")
        terminal.keys("enter")
        terminal.wait_for("! the memory runs at a low clock")
        terminal.keys("f5")
        terminal.wait_for("534 MHz of 2400 MHz")
        wait_until(lambda: "/dmc/governor" in right_column(terminal.text()))
        said = right_column(terminal.text())
        found = re.search(
            r"echoperformance\|tee(/\S+?/npulse-sim-\w+)/sys/class/devfreq/dmc/", said
        )
        assert found is not None
        root = Path(found[1])
        assert root.is_dir()
        command = f"echo performance | tee {root}/sys/class/devfreq/dmc/governor"
        subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)
        terminal.wait_for("2400 MHz of 2400")
        wait_until(lambda: "the memory runs at a low clock" not in terminal.text())


def test_a_demo_without_a_fault(tmp_path: Path) -> None:
    with running(tmp_path, "--demo", "--fault", "none") as terminal:
        terminal.wait_for("is ready on RockchipLlama")
        assert "Something is wrong" not in terminal.text()


def test_the_first_answer_is_whole_and_says_what_there_is_to_see(tmp_path: Path) -> None:
    with running(tmp_path, "--demo", "--speed", "4") as terminal:
        terminal.wait_for("Something is wrong with this board")
        terminal.type("Why is it slow?\r")
        terminal.wait_for("with the command that helps.")
        terminal.wait_for(lambda t: re.search(r" tokens  ~?\d.* tok/s  TTFT", t.text()))
