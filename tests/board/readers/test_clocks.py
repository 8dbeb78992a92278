"""Clocks and loads of NPU, memory, GPU and CPU."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.board import tree_files, trees
from tests.board.boards import Board
from tui.board.readers import parse
from tui.board.readers.cpu import parse_stat
from tui.board.readers.ddr import peak_bandwidth_gbps
from tui.board.readers.reasons import UnreadableError

NPU = "sys/class/devfreq/fdab0000.npu"
DMC = "sys/class/devfreq/dmc"
CPUFREQ = "sys/devices/system/cpu/cpufreq"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"1000000000\n", 1_000_000_000),
        (b"1000000000", 1_000_000_000),
        (b"  600000000  \n", 600_000_000),
        (b"", "empty"),
        (b"0\n", "implausible"),
        (b"-300000000", "implausible"),
        (b"1e9", "malformed"),
        (b"1000000000 x", "malformed"),
        (b"9" * 400, "malformed"),
        ("١٢٣".encode(), "malformed"),
    ],
)
def test_forms_of_a_clock(raw: bytes, value: int | str, tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle() | {f"{NPU}/cur_freq": raw}) as board:
        reading = board.after(0).get("npu.freq")
    if isinstance(value, int):
        assert reading.value == value
    else:
        assert (reading.value, reading.reason) == (None, f"unreadable ({value})")


def test_missing_limits_leave_the_rest(tmp_path: Path) -> None:
    tree = tree_files.without(trees.hot(), f"{NPU}/max_freq", f"{NPU}/available_frequencies")
    with Board(tmp_path, tree) as board:
        snapshot = board.settled()
    assert snapshot.get("npu.max_freq").reason == "not on this kernel"
    assert snapshot.get("npu.table").reason == "not on this kernel"
    assert snapshot.number("npu.freq") == 800e6
    assert snapshot.text("throttle") == "capped"


def test_a_table_with_a_trailing_blank_and_double_entries() -> None:
    assert parse.hertz_table(b"400000000 300000000 400000000 \n") == (300_000_000, 400_000_000)


def test_the_first_load_belongs_to_the_past(tmp_path: Path) -> None:
    """With a governor that polls, from the second sample on; the value then follows the file."""
    with Board(tmp_path, trees.mistuned()) as board:
        assert board.after(0).get("ddr.load").reason == "first sample"
        assert board.after(1).get("ddr.load").value == 97
        board.change({f"{DMC}/load": "250@534000000Hz\n"})
        reading = board.after(1).get("ddr.load")
        assert (reading.value, reading.flags) == (100, ("clamped",))


def test_with_fixed_clocks_also_the_second_does(tmp_path: Path) -> None:
    with Board(tmp_path, trees.decoding()) as board:
        values = [board.after(1).get("ddr.load").value for _ in range(3)]
    assert values == [None, None, 62]


def test_after_a_pause_the_load_is_old_again(tmp_path: Path) -> None:
    with Board(tmp_path, trees.mistuned()) as board:
        board.settled()
        assert board.after(60).get("ddr.load").reason == "first sample"
        assert board.after(1).get("ddr.load").value == 97


@pytest.mark.parametrize("raw", [b"", b"\n", b"100", b"100@", b"@1000000000Hz", b"0@0Hz", b"7%"])
def test_what_is_no_load(raw: bytes, tmp_path: Path) -> None:
    with Board(tmp_path, trees.decoding() | {f"{DMC}/load": raw}) as board:
        snapshot = board.settled()
    assert snapshot.get("ddr.load").value is None
    assert snapshot.get("ddr.bandwidth").value is None
    assert str(snapshot.get("ddr.load").reason).startswith("unreadable")


@pytest.mark.parametrize(
    ("hertz", "gigabytes"), [(2_400_000_000, 38.4), (2_112_000_000, 33.8), (528_000_000, 8.4)]
)
def test_peak_bandwidth_of_rk3588(hertz: int, gigabytes: float) -> None:
    assert round(peak_bandwidth_gbps(hertz, 8), 1) == gigabytes


def test_bandwidth_with_the_older_memory(tmp_path: Path) -> None:
    tree = trees.mistuned() | tree_files.devfreq(
        "dmc",
        available_frequencies="528000000 1068000000 1560000000 2112000000",
        cur_freq="2112000000",
        load="50@2112000000Hz",
    )
    with Board(tmp_path, tree) as board:
        snapshot = board.settled()
    assert snapshot.number("ddr.bandwidth") == pytest.approx(16.9, abs=0.01)
    assert snapshot.number("ddr.peak_bandwidth") == 33.8


def test_vendor_kernel_without_the_memory_node_is_a_finding(tmp_path: Path) -> None:
    with Board(tmp_path, tree_files.without(trees.decoding(), DMC)) as board:
        reading = board.settled().get("ddr.freq")
    assert (reading.reason, reading.flags) == ("no driver", ("firmware",))


def test_gpu_by_any_of_its_names(tmp_path: Path) -> None:
    for number, name in enumerate(("fb000000.gpu-mali", "fb000000.gpu-panthor", "ffa30000.gpu")):
        tree = tree_files.without(trees.idle(), "sys/class/devfreq/fb000000.gpu")
        tree |= tree_files.devfreq(name, cur_freq="300000000", governor="x", load="12@300000000Hz")
        with Board(tmp_path / str(number), tree) as board:
            snapshot = board.settled()
        assert snapshot.number("gpu.load") == 12


def test_no_cpufreq_at_all(tmp_path: Path) -> None:
    with Board(tmp_path, tree_files.without(trees.idle(), CPUFREQ)) as board:
        snapshot = board.settled()
    assert snapshot.get("cpu.freq").reason == "not on this kernel"
    assert snapshot.numbers("cpu.load") == (0.0,) * 8


def test_cpu_clocks_are_hertz(tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle()) as board:
        snapshot = board.settled()
    assert snapshot.numbers("cpu.max_freq") == (1.8e9, 2.304e9, 2.304e9)


def test_an_offline_cpu_keeps_its_place(tmp_path: Path) -> None:
    """cpu5 is off: no row in /proc/stat, and its cluster lists only cpu4."""
    stat = str(trees.idle()["proc/stat"]).replace("cpu5 ", "xpu5 ")
    tree = trees.idle() | {"proc/stat": stat, f"{CPUFREQ}/policy4/related_cpus": "4\n"}
    with Board(tmp_path, tree) as board:
        snapshot = board.settled()
    assert snapshot.get("cpu.load").value == (0.0, 0.0, 0.0, 0.0, 0.0, None, 0.0, 0.0)
    assert snapshot.get("cpu.policy4.cores").value == (4,)


def test_cpu_load_is_busy_over_total(tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle() | {"proc/stat": "cpu0 100 0 100 800 0 0 0 0 0 0\n"}) as board:
        board.after(0)
        board.change({"proc/stat": "cpu0 130 0 110 850 10 0 0 0 0 0\n"})
        assert board.after(1).get("cpu.load").value == (40.0,)


def test_policies_in_numeric_order(tmp_path: Path) -> None:
    tree = tree_files.without(trees.idle(), CPUFREQ)
    for number, top in ((0, 1000), (2, 2000), (10, 3000)):
        tree |= tree_files.policy(number, str(number), top, top * 1000, "performance")
    with Board(tmp_path, tree) as board:
        assert board.settled().numbers("cpu.max_freq") == (1e9, 2e9, 3e9)


def test_driver_version_from_debugfs_where_the_module_has_none(tmp_path: Path) -> None:
    tree = trees.idle() | {"sys/module/rknpu/version": ""}
    with Board(tmp_path, tree) as board:
        reading = board.settled().get("npu.driver")
    assert (reading.value, reading.source) == ("0.9.8", "/sys/kernel/debug/rknpu/version")


def test_voltage_that_cannot_be_read(tmp_path: Path) -> None:
    tree = trees.idle() | {"sys/class/regulator/regulator.12/microvolts": ""}
    with Board(tmp_path, tree) as board:
        assert board.settled().get("npu.volt").reason == "unreadable (empty)"


def test_power_on_share(tmp_path: Path) -> None:
    active = "sys/devices/platform/fdab0000.npu/power/runtime_active_time"
    with Board(tmp_path, trees.decoding() | {active: "1000\n"}) as board:
        board.after(0)
        board.change({active: "2500\n"})
        assert board.after(2).get("npu.duty").value == 75.0


def test_debugfs_clock_is_never_read(tmp_path: Path) -> None:
    """Reading it switches the NPU on."""
    opened: list[str] = []
    import os

    from tui.board.readers.files import Files

    def spy(path: str, flags: int) -> int:
        opened.append(path)
        return os.open(path, flags)

    with Board(tmp_path, trees.decoding(), Files(tmp_path, open_file=spy)) as board:
        board.settled()
    assert any(path.endswith("rknpu/load") for path in opened)
    assert not any(path.endswith("rknpu/freq") for path in opened)


@given(st.binary(max_size=300))
def test_any_bytes_of_stat(raw: bytes) -> None:
    for busy, total in parse_stat(raw).values():
        assert isinstance(busy, int)
        assert isinstance(total, int)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_unreadable(raw: bytes) -> None:
    parsers = (
        parse.hertz,
        parse.kilohertz,
        parse.hertz_table,
        parse.celsius,
        parse.volts,
        parse.pwm_percent,
        parse.governor,
        parse.power_state,
        parse.word,
        parse.version,
        parse.devfreq_load,
    )
    for parser in parsers:
        try:
            value = parser(raw)
        except UnreadableError:
            continue
        assert value is not None
        if isinstance(value, str):
            assert all(ord(char) >= 32 and not 127 <= ord(char) < 160 for char in value)
