"""The /sys and /proc tree is complete, moves with the server, and is written safely."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from tests.sim.simulator import ask, running
from tests.waiting import wait_until
from tui.board.sampler import Sampler
from tui.sim.board.state import BoardMemo, BoardState
from tui.sim.board.tree_moving import LEVELS, Motion
from tui.sim.server.spawn import Simulator

LOAD = "sys/kernel/debug/rknpu/load"
IDLE = "NPU load:  Core0:  0%, Core1:  0%, Core2:  0%,\n"
NS = 1_000_000_000


def _cores(text: str) -> list[int]:
    return [int(pct) for pct in re.findall(r"Core\d: +(\d+)%", text)]


def _field(root: Path, name: str) -> int:
    found = re.search(rf"^{name}: +(\d+) kB$", (root / "proc/meminfo").read_text(), re.MULTILINE)
    assert found is not None, name
    return int(found[1])


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running("--speed", "10", has_root=True) as simulator:
        yield simulator


def _root(simulator: Simulator) -> Path:
    assert simulator.root is not None
    return simulator.root


def test_it_says_that_it_is_simulated(simulator: Simulator) -> None:
    assert (_root(simulator) / "npulse-simulated").read_text() == "qwen3-4b\n"


def test_files_of_the_idle_board(simulator: Simulator) -> None:
    root = _root(simulator)
    for path, content in {
        LOAD: IDLE,
        "proc/device-tree/model": "RK3588 OPi 5 Max\0",
        "proc/device-tree/compatible": "rockchip,rk3588-orangepi-5-max\0rockchip,rk3588\0",
        "sys/module/rknpu/version": "0.9.8\n",
        "sys/class/devfreq/fdab0000.npu/load": "100@1000000000Hz\n",
        "sys/class/devfreq/dmc/load": "3@534000000Hz\n",
        "sys/devices/platform/fdab0000.npu/power/runtime_status": "suspended\n",
        "sys/class/thermal/thermal_zone6/type": "npu-thermal\n",
        "sys/class/thermal/thermal_zone0/trip_point_2_temp": "115000\n",
        "sys/class/hwmon/hwmon7/name": "pwmfan\n",
        "sys/devices/system/cpu/cpufreq/policy0/scaling_available_frequencies": (
            "408000 600000 816000 1008000 1200000 1416000 1608000 1800000 \n"
        ),
    }.items():
        assert (root / path).read_bytes() == content.encode(), path


def test_the_server_process_is_found_by_its_port(simulator: Simulator) -> None:
    root = _root(simulator)
    port = int(simulator.url.rpartition(":")[2])
    row = next(line for line in (root / "proc/net/tcp").read_text().splitlines() if " 0A " in line)
    assert row.split()[1] == f"0100007F:{port:04X}"
    inode = row.split()[9]
    links = {os.readlink(entry) for entry in (root / "proc/4242/fd").iterdir()}  # noqa: PTH115
    assert {f"socket:[{inode}]", "/dev/dri/renderD129"} <= links


def test_our_own_sampler_reads_everything(simulator: Simulator) -> None:
    sampler = Sampler(_root(simulator))
    sampler.sample()
    time.sleep(0.3)
    snapshot = sampler.sample()
    for name in (
        "npu.load", "npu.freq", "npu.max_freq", "npu.governor", "npu.temp", "npu.driver",
        "ddr.freq", "ddr.governor", "soc.temp", "ram.total", "ram.available", "ram.model",
        "board.model", "board.soc", "board.simulated",
    ):  # fmt: skip
        assert snapshot.get(name).reason is None, name


@pytest.mark.slow
def test_it_moves_with_the_server() -> None:
    with running("--speed", "4", "--prefill-tps", "40", has_root=True) as simulator:
        root = _root(simulator)
        load, status = root / LOAD, root / "sys/devices/platform/fdab0000.npu/power/runtime_status"
        ddr = root / "sys/class/devfreq/dmc/cur_freq"
        interrupts = (root / "proc/interrupts").read_text()
        answer = threading.Thread(
            target=ask, args=(simulator.url, "many words " * 60 + "[[tokens=20]]")
        )
        answer.start()
        wait_until(lambda: min(_cores(load.read_text())) > 85, shown="prefill")
        prefill = _cores(load.read_text())
        assert status.read_text() == "active\n"
        assert int(ddr.read_text()) == 2_400_000_000
        wait_until(lambda: _cores(load.read_text())[2] in range(50, 70), shown="decode")
        decode = _cores(load.read_text())
        answer.join()
        wait_until(lambda: load.read_text() == IDLE)
        wait_until(lambda: status.read_text() == "suspended\n")
        wait_until(lambda: int(ddr.read_text()) == 534_000_000)
        assert (root / "proc/interrupts").read_text() != interrupts
    assert sum(prefill) > sum(decode) > 150


def test_memory_follows_the_loaded_model(simulator: Simulator) -> None:
    root = _root(simulator)
    with httpx.Client(base_url=simulator.url, timeout=20) as client:
        full_kb = _field(root, "MemAvailable")
        assert _field(root, "Shmem") > 4_600_000
        client.post("/v1/models/unload")
        wait_until(lambda: _field(root, "MemAvailable") > full_kb + 4_600_000)
        empty_kb = _field(root, "Unevictable")
        assert empty_kb == 0
        client.post("/v1/models/load", json={"model": "gemma3-1b"})
        wait_until(lambda: 800_000 < _field(root, "Unevictable") < 1_300_000)
        status = (root / "proc/4242/status").read_text()
        # The peak is that of the process: it never falls.
        assert int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) == 5027 * 1024
        assert int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) == 1243 * 1024
        # A typo forgets the model without freeing it.
        client.post("/v1/models/load", json={"model": "typo"})
        client.post("/v1/models/load", json={"model": "qwen3-0.6b"})
        wait_until(lambda: _field(root, "Unevictable") > 1_700_000)


def test_open_files_go_on_showing_the_present(simulator: Simulator) -> None:
    """Files are written in place: a descriptor that a reader keeps stays good."""
    fd = os.open(_root(simulator) / LOAD, os.O_RDONLY)
    try:
        assert os.pread(fd, 4096, 0).decode() == IDLE
        answer = threading.Thread(target=ask, args=(simulator.url, "[[tokens=20]]"))
        answer.start()
        wait_until(lambda: max(_cores(os.pread(fd, 4096, 0).decode())) > 50)
        answer.join()
        wait_until(lambda: os.pread(fd, 4096, 0).decode() == IDLE)
    finally:
        os.close(fd)


@pytest.mark.slow
def test_no_reader_ever_sees_a_broken_file(simulator: Simulator) -> None:
    root = _root(simulator)
    whole = {
        LOAD: re.compile(rb"NPU load: ( Core\d: {0,2}\d{1,3}%,){3}\n"),
        "sys/class/devfreq/dmc/load": re.compile(rb"\d{1,3}@\d+Hz\n+"),
        "proc/meminfo": re.compile(rb"([A-Za-z]+: +\d+ kB\n){20}"),
        "sys/class/thermal/thermal_zone0/temp": re.compile(rb"\d{5}\n"),
    }
    answer = threading.Thread(target=ask, args=(simulator.url, "[[tokens=30]]"))
    answer.start()
    reads = 0
    while answer.is_alive() or reads < 500:
        for path, shape in whole.items():
            data = (root / path).read_bytes()
            assert shape.fullmatch(data), (path, data)
            reads += 1
    answer.join()


def test_a_run_may_end_while_a_model_is_loaded() -> None:
    memo = BoardMemo()
    seen: list[str] = []
    memo.on_change = lambda: seen.append(memo.now.activity)
    memo.set_activity("prefill")
    memo.set_activity("decode")
    memo.set_loading(True)
    memo.set_activity("idle")
    memo.set_loading(False)
    assert seen == ["prefill", "decode", "loading", "idle"]


def test_temperatures_drift_to_a_plateau_and_back() -> None:
    motion = Motion(seed=0, speed=1, start_ns=0)
    path = "sys/class/thermal/thermal_zone6/temp"
    temps = []
    for second in range(400):
        state = BoardState(activity="decode" if 20 <= second < 220 else "idle")
        files = motion.files(state, second * NS)
        temps.append(int(files[path]))
    assert temps[19] == pytest.approx(43_400, abs=1_000)
    assert temps[25] < temps[60] < temps[219]
    assert temps[219] == pytest.approx(64_700, abs=1_500)
    assert temps[240] < temps[219]
    assert temps[399] == pytest.approx(43_400, abs=1_500)


def test_counters_only_grow_at_the_rate_of_the_level() -> None:
    motion = Motion(seed=0, speed=1, start_ns=0)
    counts = []
    for second in range(11):
        files = motion.files(BoardState(activity="decode"), second * NS)
        row = next(line for line in files["proc/interrupts"].splitlines() if b" 142 " in line)
        counts.append(int(row.split()[1]))
    rates = [after - before for before, after in pairwise(counts)]
    assert set(rates) == {LEVELS["decode"].jobs_per_s[0]}


def test_sizes_stay_within_one_read() -> None:
    motion = Motion(seed=0, speed=1, start_ns=0)
    for second in range(20):
        files = motion.files(BoardState(activity="decode", port=65535), second * NS)
        assert max(map(len, files.values())) < 4096
