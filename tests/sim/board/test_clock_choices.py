"""What is written into the tree's governors and limits changes the simulated board's speed."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from tests.sim.simulator import ask, running, truth
from tests.waiting import wait_until
from tui.sim.board.clock_choices import ClockChoices, Device, chosen
from tui.sim.board.tree_still import DDR, NPU, still_files

GOVERNOR = f"{DDR}/governor"


def _gap_ms(log: Path, request: int) -> float:
    times = [entry["t_ns"] for entry in truth(log, "token", request)]
    return float(median(after - before for before, after in pairwise(times))) / 1e6


@pytest.mark.slow
def test_a_low_memory_clock_costs_half_until_its_governor_is_another(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    arguments = ("--fault", "ddr-low", "--truth", str(log), "--speed", "20")
    with running(*arguments, has_root=True) as simulator:
        assert simulator.root is not None
        clock = simulator.root / DDR / "cur_freq"
        ask(simulator.url, "[[tokens=12]]")
        assert clock.read_text() == "534000000\n"
        (simulator.root / GOVERNOR).write_text("performance\n")
        wait_until(lambda: clock.read_text() == "2400000000\n")
        ask(simulator.url, "[[tokens=12]]")
        (simulator.root / GOVERNOR).write_text("dmc_ondemand\n")
        wait_until(lambda: clock.read_text() == "534000000\n")
    assert _gap_ms(log, 1) / _gap_ms(log, 2) == pytest.approx(2.2, abs=0.15)


def test_each_start_is_another_boot() -> None:
    boots = []
    for _ in range(2):
        with running(has_root=True) as simulator:
            assert simulator.root is not None
            boots.append((simulator.root / "proc/sys/kernel/random/boot_id").read_text())
    assert boots[0] != boots[1]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path, data in still_files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    return tmp_path


def test_an_untouched_tree_has_every_clock_at_its_highest(root: Path) -> None:
    # The limit of the NPU is written by what moves.
    own = {f"{NPU}/max_freq": b"600000000\n"}
    (root / NPU / "max_freq").write_bytes(own[f"{NPU}/max_freq"])
    found = chosen(root, ClockChoices(), own)
    assert found == ClockChoices()
    assert (found.decode_factor, found.prefill_factor) == (1, 1)


@pytest.mark.parametrize("text", ["", "turbo\n", "\x00", "2400000000000000000000\n", "-5\n"])
def test_what_no_kernel_takes_changes_nothing(root: Path, text: str) -> None:
    for name in ("governor", "max_freq"):
        (root / DDR / name).write_text(text)
    assert chosen(root, ClockChoices(), {}) == ClockChoices()


def test_limits_and_governors_slow_down(root: Path) -> None:
    (root / NPU / "max_freq").write_text("450000000\n")
    (root / "sys/devices/system/cpu/cpufreq/policy4/scaling_governor").write_text("powersave\n")
    found = chosen(root, ClockChoices(), {})
    assert found.npu_hz == 400_000_000
    assert found.prefill_factor == 2.5
    assert found.cpu_mhz(1, 2304) == 408
    assert found.decode_factor > 1.5
    highest = replace(found, npu=Device("performance", 1_000_000_000))
    assert highest.prefill_factor == 1
