"""Temperatures, trips, throttling and the fan."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.board import tree_files, trees
from tests.board.boards import Board, path_of
from tui.board.readers.files import Files

ZONE = "sys/class/thermal/thermal_zone"
SOC, NPU = f"{ZONE}0/temp", f"{ZONE}6/temp"
NPU_LIMIT = "sys/class/devfreq/fdab0000.npu/max_freq"


@pytest.mark.parametrize("raw", ["", "0\n", "-5000\n", "190000\n", "N/A\n", "44.3\n"])
def test_what_is_no_temperature(raw: str, tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle() | {f"{ZONE}1/temp": raw}) as board:
        reading = board.settled().get("temp.bigcore0")
    assert reading.value is None
    assert str(reading.reason).startswith("unreadable (")


@pytest.mark.parametrize("kind", ["npu-thermal", "npu_thermal\n", "NPU-thermal\n", "npu\n"])
def test_zone_by_its_kind(kind: str, tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle() | {f"{ZONE}6/type": kind}) as board:
        reading = board.settled().get("npu.temp")
    assert (reading.value, reading.flags) == (43.4, ())


def test_zones_that_were_renumbered_are_found_again(tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle()) as board:
        assert board.settled().number("npu.temp") == 43.4
        kinds = ["npu-thermal", *list(trees.IDLE_TEMPS)[:-1]]
        board.change(tree_files.zones({kind: 50000 + 100 * n for n, kind in enumerate(kinds)}))
        readings = [board.after(1) for _ in range(7)]
        assert readings[-1].number("npu.temp") == 50.0
        assert readings[-1].number("soc.temp") == 50.1


def test_hwmon_twins_are_not_counted_twice(tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle()) as board:
        names = [name for name in board.settled().readings if name.startswith("temp.")]
    assert len(names) == 7


def test_two_zones_of_one_kind_both_show(tmp_path: Path) -> None:
    tree = tree_files.without(trees.idle(), "sys/class/thermal/")
    for number, value in enumerate((40000, 41000)):
        tree |= {f"{ZONE}{number}/type": "acpitz\n", f"{ZONE}{number}/temp": f"{value}\n"}
    with Board(tmp_path, tree) as board:
        snapshot = board.settled()
    assert (snapshot.number("temp.acpitz"), snapshot.number("temp.acpitz.1")) == (40.0, 41.0)


def test_a_zone_that_says_try_again(tmp_path: Path) -> None:
    """EAGAIN for one sample: that zone is absent, the rest stays, and it comes back."""
    failing: set[int] = set()

    def pread(fd: int, size: int, offset: int) -> bytes:
        if failing and path_of(fd).endswith("thermal_zone6/temp"):
            raise OSError(errno.EAGAIN, "try again")
        return os.pread(fd, size, offset)

    with Board(tmp_path, trees.idle(), Files(tmp_path, pread=pread)) as board:
        assert board.settled().number("temp.npu") == 43.4
        failing.add(1)
        snapshot = board.after(2)
        assert snapshot.get("temp.npu").reason == "unreadable (EAGAIN)"
        assert snapshot.get("npu.temp").flags == ("fallback",)
        failing.clear()
        assert board.after(1).number("temp.npu") == 43.4


def test_package_zone_is_the_soc_on_mainline(tmp_path: Path) -> None:
    with Board(tmp_path, trees.mainline()) as board:
        reading = board.settled().get("soc.temp")
    assert (reading.value, reading.flags) == (44.3, ())


def test_critical_trip_is_assumed_only_on_a_rockchip(tmp_path: Path) -> None:
    tree = {name: text for name, text in trees.idle().items() if "trip_point" not in name}
    with Board(tmp_path, tree) as board:
        reading = board.settled().get("thermal.trip_critical")
    assert (reading.value, reading.flags) == (115.0, ("assumed",))


def limited(board: Board, limit_hz: int, soc: int) -> str | None:
    board.change({NPU_LIMIT: f"{limit_hz}\n", SOC: f"{soc}\n"})
    board.after(1)
    return board.after(1).text("throttle")


def test_a_low_limit_on_a_cool_board_is_the_users(tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle()) as board:
        for _ in range(3):
            assert limited(board, 800_000_000, 50_000) == "limited by user"
        assert board.after(0).get("npu.max_freq").flags == ("limited",)
        # It stays the user's when the board gets warm later ...
        assert limited(board, 800_000_000, 86_000) == "limited by user"
        # ... and a lower one on top of it is not.
        assert limited(board, 700_000_000, 86_000) == "capped"


def test_heat_does_not_flap(tmp_path: Path) -> None:
    """The cap is called thermal from 85 °C until below 80 °C."""
    with Board(tmp_path, trees.idle()) as board:
        assert limited(board, 1_000_000_000, 84_000) == "none"
        assert limited(board, 800_000_000, 86_000) == "capped"
        states = [limited(board, 800_000_000, soc) for soc in (84_000, 86_000, 84_500, 80_100)]
        assert states == ["capped"] * 4
        assert limited(board, 1_000_000_000, 79_000) == "none"


def test_a_cap_found_at_start_on_a_hot_board_is_thermal(tmp_path: Path) -> None:
    with Board(tmp_path, trees.hot() | {SOC: "82000\n"}) as board:
        assert board.settled().text("throttle") == "capped"


@pytest.mark.parametrize(
    ("hysteresis", "state"),
    [("10000\n", "throttling"), ("2000\n", "limited by user"), ("much\n", "limited by user")],
)
def test_a_trip_holds_until_its_own_hysteresis(hysteresis: str, state: str, tmp_path: Path) -> None:
    """The lowest passive trip stands at 75 °C. One whose hysteresis cannot be read has 2 °C."""
    tree = trees.idle() | {f"{SOC.rpartition('/')[0]}/trip_point_0_hyst": hysteresis}
    with Board(tmp_path, tree) as board:
        assert limited(board, 1_000_000_000, 76_000) == "none"
        assert limited(board, 800_000_000, 76_000) == "throttling"
        assert limited(board, 800_000_000, 66_000) == state


def test_cooling_device_alone_is_throttling(tmp_path: Path) -> None:
    tree = trees.decoding() | {"sys/class/thermal/cooling_device2/cur_state": "3\n"}
    with Board(tmp_path, tree) as board:
        reading = board.settled().get("throttle")
    assert (reading.value, reading.flags) == ("throttling", ("cpufreq-cpu6 3/10",))


def test_a_running_fan_is_no_throttling(tmp_path: Path) -> None:
    with Board(tmp_path, trees.mainline()) as board:
        assert board.settled().text("throttle") == "none"


HWMON_FAN = "sys/class/hwmon/hwmon7"
PWM = "sys/class/pwm/pwmchip2/pwm"


def pwm_channel(number: int, enable: int, duty: int, polarity: str) -> tree_files.Tree:
    return {
        f"{PWM}{number}/enable": f"{enable}\n",
        f"{PWM}{number}/period": "50000\n",
        f"{PWM}{number}/duty_cycle": f"{duty}\n",
        f"{PWM}{number}/polarity": f"{polarity}\n",
    }


@pytest.mark.parametrize(("raw", "percent"), [("0", 0.0), ("255", 100.0), ("51", 20.0)])
def test_fan_drive(raw: str, percent: float, tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle() | {f"{HWMON_FAN}/pwm1": raw}) as board:
        assert board.settled().get("fan.pwm").value == percent


def test_fan_drive_beyond_its_range(tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle() | {f"{HWMON_FAN}/pwm1": "300\n"}) as board:
        assert board.settled().get("fan.pwm").reason == "unreadable (implausible)"


def test_fan_with_a_tachometer(tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle() | {f"{HWMON_FAN}/fan1_input": "2400\n"}) as board:
        assert board.settled().get("fan.rpm").value == 2400


def test_fan_by_its_pwm_channel(tmp_path: Path) -> None:
    """The first channel is off and belongs to something else; the second one is inverted."""
    tree = tree_files.without(trees.idle(), HWMON_FAN)
    tree |= pwm_channel(0, 0, 0, "normal") | pwm_channel(1, 1, 10000, "inversed")
    with Board(tmp_path, tree) as board:
        reading = board.settled().get("fan.pwm")
    assert (reading.value, reading.flags) == (80.0, ("assumed",))


def test_channels_that_are_off_are_no_fan(tmp_path: Path) -> None:
    tree = tree_files.without(trees.idle(), HWMON_FAN) | pwm_channel(0, 0, 0, "normal")
    with Board(tmp_path, tree) as board:
        assert board.settled().get("fan.pwm").reason == "no fan exposed"


def test_power_only_from_a_sensor(tmp_path: Path) -> None:
    sensor = "sys/class/hwmon/hwmon9"
    tree = trees.idle() | {f"{sensor}/name": "fusb302\n", f"{sensor}/curr1_input": "0\n"}
    with Board(tmp_path, tree) as board:
        assert board.settled().get("power.w").reason == "no sensor"
    with Board(tmp_path / "b", tree | {f"{sensor}/power1_input": "7250000\n"}) as board:
        assert board.settled().get("power.w").value == 7.25
    with Board(tmp_path / "c", tree | {f"{sensor}/power1_input": "0\n"}) as board:
        assert board.settled().get("power.w").value is None
