"""Every fix that a finding offers can be done and undone, and says the same as its command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.board import tree_files, trees
from tests.board.boards import Board
from tui.board.advice.diagnosis import Work, why_slow
from tui.board.advice.fixes import npu_access, runtime_log
from tui.board.advice.root_writer import is_known_command
from tui.board.runtime_log.source import LogSource
from tui.core.board.reading import Reading, Snapshot
from tui.fixes.applying import Applied
from tui.fixes.change import BoardPlace, is_believable
from tui.fixes.writers import DirectWriter
from tui.settings.board_changes import BoardChanges

NPU = "sys/class/devfreq/fdab0000.npu"
CPU = "sys/devices/system/cpu/cpufreq/policy6"
COOL = {"sys/class/thermal/thermal_zone0/temp": "50000\n"}
BOARDS = {
    "ddr-clock": trees.mistuned(),
    "npu-clock": {**trees.decoding(), f"{NPU}/cur_freq": "600000000\n"},
    "cpu-governor": {
        **trees.decoding(),
        **tree_files.policy(4, "4 5", 408000, 2304000, "interactive"),
        **tree_files.policy(6, "6 7", 408000, 2304000, "interactive"),
    },
    "user-limit": {**trees.hot(), **COOL},
    "heat": trees.hot(),
}


@pytest.mark.parametrize("rule", BOARDS)
def test_it_is_done_and_undone(rule: str, tmp_path: Path) -> None:
    with Board(tmp_path / "board", BOARDS[rule]) as board:
        snapshot = board.settled()
        finding = next(f for f in why_slow(snapshot, Work("decode")) if f.rule == rule)
        fix = finding.fix
        assert fix is not None
        assert fix.rule == rule
        assert finding.command is not None
        for write in fix.writes:
            assert write.path in finding.command
            assert f"echo {write.value} |" in finding.command
        place, memory = BoardPlace(board.root), BoardChanges(tmp_path / "state")
        before = [place.read(write.path) for write in fix.writes]
        applied = Applied(fix, place, DirectWriter(place), memory)
        change = applied.apply()
        assert is_believable(change)
        assert [place.read(write.path) for write in fix.writes] == [w.value for w in fix.writes]
        assert applied.undo().left == ()
        assert [place.read(write.path) for write in fix.writes] == before


def test_in_a_container_nothing_is_offered(tmp_path: Path) -> None:
    tree = {**trees.mistuned(), ".dockerenv": ""}
    with Board(tmp_path, tree) as board:
        snapshot = board.settled()
        readings = {**snapshot.readings, "board.container": Reading("docker")}
        inside = Snapshot(snapshot.t_ns, snapshot.time, readings)
        found = why_slow(inside, Work("decode"))
        assert [finding.fix for finding in found] == [None] * len(found)
        assert npu_access(inside, is_container=True) is None


def test_access_to_the_load_is_a_command_with_a_way_back() -> None:
    absent = Reading.absent("no permission", "%", "/sys/kernel/debug/rknpu/load")
    fix = npu_access(Snapshot(0, 0.0, {"npu.load": absent}), is_container=False)
    assert fix is not None
    assert all(is_known_command(command) for command in (*fix.commands, *fix.undo_commands))
    assert (fix.commands[0][-1], fix.undo_commands[0][-1]) == ("--install", "--remove")
    assert fix.is_lasting


@pytest.mark.parametrize(
    ("source", "is_offered"),
    [
        (LogSource("journal", "rkllm.service", 1, has_variable=False), True),
        (LogSource("journal", "rkllm@a.service", 1, has_variable=False), True),
        (LogSource("journal", "rkllm.service", 1, has_variable=True), False),
        (LogSource("journal", "rkllm.service", 1, has_variable=None), False),
        (LogSource("journal", "../../x.service", 1, has_variable=False), False),
        (LogSource("journal", "a b.service", 1, has_variable=False), False),
        (LogSource("docker", "rkllm.service", 1, has_variable=False), False),
        (None, False),
    ],
)
def test_a_drop_in_is_offered_where_systemd_runs_the_server(
    source: LogSource | None, is_offered: bool
) -> None:
    assert (runtime_log(source) is not None) is is_offered
