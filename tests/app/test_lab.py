"""The lab in a real terminal: ten prompts, two variants, killed in the middle, resumed, judged."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.app.npulse import running
from tests.app.test_dashboard import READY
from tests.sim.simulator import running as simulator
from tests.sim.simulator import truth
from tests.terminal.pty_terminal import PtyTerminal
from tests.waiting import wait_until
from tui.bench.model.suite import load_builtin
from tui.bench.store import document
from tui.lab import store
from tui.lab.lab_document import LabDocument
from tui.lab.model.records import LabRun
from tui.lab.sets.from_suite import table_of
from tui.lab.sets.starter import as_toml

pytestmark = pytest.mark.slow
TOKENS = 30
CLOCK_MS = 1.0
"""How well the kernel's clock of arrivals is known in the clock of the board's log."""


def done(count: int) -> Callable[[PtyTerminal], bool]:
    """Whether so many answers are told as over."""

    def is_so(terminal: PtyTerminal) -> bool:
        found = re.search(r"(\d+)/20 answers", terminal.text())
        return found is not None and int(found[1]) >= count

    return is_so


def the_run(folders: store.LabFolders) -> LabRun:
    return store.find_run(folders, "last")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_ten_prompts_from_the_set_to_the_verdicts(tmp_path: Path, size: tuple[int, int]) -> None:
    folders = store.lab_folders(tmp_path / "data" / "npulse")
    path = folders.sets / "ten.toml"
    store.save_set(path, as_toml(table_of(load_builtin("prompts"))))
    log = tmp_path / "truth.jsonl"
    with (
        simulator("--speed", "25", "--tokens", str(TOKENS), "--truth", str(log)) as board,
        running(tmp_path, "--url", board.url, size=size) as terminal,
    ):
        terminal.wait_for(READY)
        terminal.keys("f8")
        terminal.wait_for("20 requests")
        terminal.keys("enter")
        terminal.wait_for("running")
        terminal.wait_for(done(3))
        os.kill(the_run(folders).pid, signal.SIGKILL)
        terminal.wait_for("interrupted")
        terminal.wait_for("It was killed")
        kept = re.search(r"(\d+)/20", terminal.text())
        assert kept is not None
        assert 3 <= int(kept[1]) < 20
        terminal.keys("r")
        terminal.wait_for("complete 20/20 answers", 120)
        terminal.keys("v")
        terminal.wait_for(lambda shown: shown.text().count(" in all") == 2)
        terminal.keys("escape")
        terminal.wait_for("complete 20/20 answers")
        terminal.keys("enter")
        terminal.wait_for("use its settings")
        terminal.keys("escape")
        terminal.wait_for("complete 20/20 answers")
        terminal.keys("g")
        terminal.wait_for("pair 1 of 10")
        assert "terse" not in terminal.text()
        terminal.keys("1")
        terminal.wait_for("pair 2 of 10")
        terminal.keys("0")
        terminal.wait_for("pair 3 of 10")
        terminal.keys("escape")
        terminal.wait_for("complete 20/20 answers")
        terminal.keys("w")
        terminal.wait_for("report.md")
        terminal.keys("ctrl+q")
        assert terminal.wait_gone() == 0
        assert terminal.left_behind() == []
        assert terminal.foreign_escapes() == []
        run = the_run(folders)
        wait_until(lambda: (folders.runs / run.id / "report.csv").is_file())
        _check_export(folders.runs / run.id / "report.json", log, _stamps(folders, run))


def _stamps(folders: store.LabFolders, run: LabRun) -> dict[int | None, tuple[int, ...]]:
    """When each request was sent, and when its chunks arrived."""
    loaded = [document.load(folders.bench / part.run_id) for part in run.parts if part.run_id]
    return {
        request.t.t0_ns: one.stamps[request.key]
        for one in loaded
        for request in one.document.requests
        if request.key in one.stamps
    }


def _check_export(path: Path, log: Path, stamps: dict[int | None, tuple[int, ...]]) -> None:
    """The matrix is complete, and every number is that of the board."""
    found = msgspec.json.decode(path.read_bytes(), type=LabDocument)
    assert found.outcome == "complete"
    assert [one.verdict for one in found.judgements] == ["better", "same"]
    assert all(one.is_blind for one in found.judgements)
    requests = truth(log, "request")
    tokens = truth(log, "token")
    assert len(found.answers) == 20
    timed = 0
    for answer in found.answers:
        assert answer.t0_ns is not None
        at = min(entry["t_ns"] for entry in requests if entry["t_ns"] >= answer.t0_ns)
        number = next(entry["request"] for entry in requests if entry["t_ns"] == at)
        said = [token for token in tokens if token["request"] == number]
        assert answer.text.strip() == "".join(token["text"] for token in said).strip()
        assert answer.tokens == len(said) == TOKENS
        if "buffered_stream" in answer.taint:
            # A busy npulse read all of it at once: there is no time of a first token then.
            assert answer.ttft_ms is None
            continue
        timed += 1
        assert answer.ttft_ms is not None
        # The kernel stamps a chunk while the board writes it, whatever else the machine does.
        # Chunks that wait for a busy npulse are read at once, with the stamp of the last of them.
        arrived = stamps[answer.t0_ns]
        last = said[arrived.count(arrived[0]) - 1]
        low_ms = (said[0]["t_ns"] - answer.t0_ns) / 1e6
        high_ms = (last["written_ns"] - answer.t0_ns) / 1e6
        assert low_ms - CLOCK_MS <= answer.ttft_ms <= high_ms + CLOCK_MS
    assert timed >= 15
