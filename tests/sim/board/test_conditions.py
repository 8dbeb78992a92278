"""Each lasting fault of the simulated board is found, explained, and has its command."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.board.readers.test_permissions import as_nobody
from tests.waiting import wait_until
from tui.board.advice.diagnosis import Work, why_slow
from tui.board.advice.remedies import remedy, remedy_command
from tui.board.sampler import Sampler
from tui.core.board.finding import Finding
from tui.sim.board.clock_choices import ClockChoices
from tui.sim.board.state import BoardMemo
from tui.sim.board.tree import Tree
from tui.sim.board.tree_moving import Motion
from tui.sim.faults import parse_faults
from tui.sim.profiles import PROFILES, SimOptions

NS = 1_000_000_000
PORT = 8021


@contextmanager
def decoding(fault: str) -> Iterator[Path]:
    """The tree of a board with that fault, which decodes; others may enter its folder."""
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)
    faults, memo = parse_faults([fault]), BoardMemo()
    memo.set_choices(ClockChoices(is_ddr_stuck=faults.ddr_low))
    memo.set_conditions(faults.conditions)
    memo.set_model(PROFILES[0])
    memo.set_activity("decode")
    memo.set_port(PORT)
    with Tree(root, memo, SimOptions(PROFILES[0], faults=faults)) as tree:
        tree.grow()
        yield root
    assert os.access(root / "sys/kernel/debug", os.R_OK)
    shutil.rmtree(root)


def wait_found(root: Path, is_there: Callable[[dict[str, Finding]], bool]) -> None:
    """Samples the board until a diagnosis says that; some readings are differences."""
    sampler = Sampler(root)
    sampler.watch_server(PORT)

    def look() -> bool:
        time.sleep(0.3)
        snapshot = sampler.sample()
        findings = why_slow(snapshot, Work("decode", neighbours=sampler.others()))
        return is_there({finding.rule: finding for finding in findings})

    try:
        wait_until(look)
    finally:
        sampler.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "rule", "words", "command"),
    [
        ("ddr-low", "ddr-clock", "low clock", "echo performance | sudo tee /sys/class/devfreq"),
        ("hot", "heat", "too hot", "echo 255 | sudo tee /sys/class/hwmon/hwmon7/pwm1"),
        ("swap", "memory-pressure", "RAM is short", "npulse models unload"),
        ("background-load", "cpu-others", "big CPU cores", "taskset -acp 0,1,2,3 5187"),
    ],
)
def test_a_lasting_fault_is_found_with_its_command(
    fault: str, rule: str, words: str, command: str
) -> None:
    def is_there(findings: dict[str, Finding]) -> bool:
        one = findings.get(rule)
        is_named = one is not None and str(one.command).startswith(command)
        return one is not None and words in one.title and is_named

    with decoding(fault) as root:
        wait_found(root, is_there)


def test_the_load_is_for_root_alone() -> None:
    def read() -> list[object]:
        snapshot = Sampler(root).sample()
        reading = snapshot.get("npu.load")
        way = remedy("npu.load", reading, snapshot)
        return [
            reading.value,
            str(reading.reason),
            way,
            remedy_command("npu.load", reading, snapshot),
        ]

    with decoding("no-permission") as root:
        # Root reads whatever it wants on a real board; here it shall see what others see.
        for told in (as_nobody(read), read()):
            assert isinstance(told, list)
            assert told[:2] == [None, "no permission"]
            assert "Only root can read the NPU load" in told[2]
            assert told[3] == "sudo npulse setup-npu-access --install"


@pytest.mark.parametrize(
    ("fault", "slower"), [("hot", 1.6), ("swap", 1.3), ("background-load", 1.25)]
)
def test_it_slows_every_token(fault: str, slower: float) -> None:
    memo = BoardMemo()
    memo.set_conditions(parse_faults([fault]).conditions)
    assert memo.now.lasting_factor == pytest.approx(slower)
    assert memo.now.prefill_factor == (1.6 if fault == "hot" else 1.0)


def test_a_fan_that_is_told_to_turn_cools_the_board() -> None:
    memo, motion = BoardMemo(), Motion(1, 1.0, 0)
    memo.set_conditions(parse_faults(["hot"]).conditions)
    memo.set_activity("decode")
    temp = "sys/class/thermal/thermal_zone0/temp"
    files = motion.files(memo.now, 0)
    assert int(files[temp]) > 81_000
    assert files["sys/class/hwmon/hwmon7/pwm1"] == b"0\n"
    memo.set_choices(replace(memo.now.choices, fan_pwm=255))
    seconds = 0
    while motion.is_overheated:
        seconds += 1
        assert seconds < 60
        files = motion.files(memo.now, seconds * NS)
        memo.set_overheated(motion.is_overheated)
    assert seconds > 5
    assert int(files[temp]) < 75_000
    assert memo.now.lasting_factor == 1.0


def test_unloading_the_model_ends_the_pressure() -> None:
    memo, motion = BoardMemo(), Motion(1, 1.0, 0)
    memo.set_conditions(parse_faults(["swap"]).conditions)
    memo.set_model(PROFILES[0])
    pressure = "proc/pressure/memory"
    assert b"avg10=23.40" in motion.files(memo.now, 0)[pressure]
    memo.set_model(None)
    assert b"some avg10=0.00" in motion.files(memo.now, NS)[pressure]
