"""The dashboard says of an answer that it was slower than this model usually is."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.core.expect.past import answer
from tests.expect.kept import keep
from tests.history.made import ORIGIN, opened
from tests.sim.simulator import running as simulator


def kept(home: Path, url: str, count: int) -> None:
    """Earlier answers of the simulated model, at 50 tok/s."""
    folder = home / "data" / "npulse" / "history"
    folder.mkdir(parents=True)
    origin = replace(ORIGIN, url=url, is_simulated=True)
    with closing(opened(folder)) as connection:
        past = [answer(n, prompt=20, base_ms=20, slope_ms=0, tokens=40 + n) for n in range(count)]
        keep(connection, past, origin=origin)


@pytest.mark.slow
def test_a_slow_answer_is_told_below_it(tmp_path: Path) -> None:
    with simulator("--decode-tps", "25", "--prefill-tps", "500") as board:
        kept(tmp_path, board.url, 20)
        with running(tmp_path, "--url", board.url) as terminal:
            terminal.wait_for(lambda now: "qwen3-4b" in now.text())
            terminal.type("hello [[tokens=40]]")
            terminal.type("\r")
            terminal.wait_for("slower than usual at this depth")
