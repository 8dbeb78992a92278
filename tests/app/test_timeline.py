"""The timeline in a real terminal: it follows an answer, is looked at in every size, and plays the
answer again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.sim.simulator import running as simulator
from tests.terminal.pty_terminal import PtyTerminal

FAST = ("--decode-tps", "20", "--prefill-tps", "500", "--fault", "throttle=10-45")


def is_inside(terminal: PtyTerminal) -> bool:
    """Whether every curve has room for its name and its scale."""
    rows = terminal.text().split("\n")
    return any(row.startswith(" rate ") for row in rows) and any("tok/s" in row for row in rows)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "curves"), [((80, 24), 2), ((120, 40), 5), ((200, 60), 8)])
def test_it_follows_an_answer_and_plays_it_again(
    tmp_path: Path, size: tuple[int, int], curves: int
) -> None:
    with (
        simulator(*FAST, has_root=True) as board,
        running(
            tmp_path, "--url", board.url, "--root", str(board.root), size=size,
            env={"NPULSE_BOARD__INTERVAL_S": "0.5"},
        ) as terminal,
    ):  # fmt: skip
        terminal.wait_for("qwen3-4b")
        terminal.type("why? [[tokens=55]]")
        terminal.keys("enter", "alt+t")
        terminal.wait_for("following")
        terminal.wait_for(is_inside)
        terminal.wait_for("complete")
        terminal.wait_for("throttled")
        terminal.keys("t")
        terminal.wait_for("1000 → 600 MHz")
        names = ("rate", "NPU", "NPU clock", "heat", "gap", "DDR", "CPU clock", "DDR clock")
        rows = terminal.text().split("\n")
        assert sum(any(row.startswith(f" {name} ") for row in rows) for name in names) >= curves
        assert any("│" in row for row in rows)
        terminal.keys("space")
        terminal.wait_for("replay of")
        terminal.keys("escape")
        terminal.wait_for("complete")
        terminal.wait_for(is_inside)
