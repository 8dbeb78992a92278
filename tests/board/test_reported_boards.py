"""Boards as their owners reported them: what `doctor` and `board` say about each tree."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tui.board import one_shot
from tui.cli import main

DATA = Path(__file__).parent / "data"
Doctor = Callable[[str], str]
Readings = Callable[[str], dict[str, dict[str, object]]]
COMMAND = re.compile(r"^ +\$ (.*)$", re.MULTILINE)


def run(name: str, root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with tarfile.open(DATA / f"{name}.tgz") as archive:
        archive.extractall(root)
    capsys.readouterr()
    main([*words, "--root", str(root / name)])
    return capsys.readouterr().out


def again(root: Path, capsys: pytest.CaptureFixture[str]) -> str:
    main(["doctor", "--root", str(root)])
    return capsys.readouterr().out


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No figure of these trees moves: the time between two looks at one changes none."""
    monkeypatch.setattr(one_shot, "WINDOW_S", 0.1)


@pytest.fixture(scope="module")
def told() -> dict[str, str]:
    """What `doctor` said of each tree."""
    return {}


@pytest.fixture
def doctor(tmp_path: Path, capsys: pytest.CaptureFixture[str], told: dict[str, str]) -> Doctor:
    def say(name: str) -> str:
        if name not in told:
            told[name] = run(name, tmp_path, capsys, "doctor")
        return told[name]

    return say


@pytest.fixture
def readings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Readings:
    def read(name: str) -> dict[str, dict[str, object]]:
        found = json.loads(run(name, tmp_path, capsys, "board", "--json"))["readings"]
        assert isinstance(found, dict)
        return found

    return read


@pytest.mark.parametrize("name", ["docker", "docker-procload", "compat-empty"])
def test_a_container_on_a_board_is_a_board(name: str, doctor: Doctor) -> None:
    text = doctor(name)
    assert "no Rockchip NPU" not in text
    assert "rknpu 0.9.8" in text
    assert "NPU load: " in text


@pytest.mark.parametrize("name", ["docker", "compat-empty"])
def test_a_container_is_told_what_its_host_must_do(name: str, doctor: Doctor) -> None:
    text = doctor(name)
    for command in COMMAND.findall(text):
        assert "mount" not in command
        assert "setup-npu-access" not in command
        assert "sudo" not in command
    if name == "docker":
        assert "On the host, run npulse setup-npu-access --install" in text


@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv", "proc/1/cgroup"])
def test_a_container_that_shows_the_device_tree_is_one(
    mark: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("rk3576-300mhz", tmp_path, capsys, "doctor")
    root = tmp_path / "rk3576-300mhz"
    assert "| sudo tee" in "".join(COMMAND.findall(again(root, capsys)))
    path = root / mark
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("12:pids:/docker/0123456789abcdef\n")
    text = again(root, capsys)
    assert "sudo" not in "".join(COMMAND.findall(text))
    assert "run on its host: echo performance | sudo tee" in text


def test_advice_is_a_field_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checks = json.loads(run("vendor-no-dmc", tmp_path, capsys, "doctor", "--json"))["checks"]
    found = {check["id"]: check for check in checks}["slow.ddr-firmware"]
    assert found["command"] is None
    assert "update the boot loader" in found["advice"]
    assert "update the boot loader" not in found["detail"]


def test_a_kernel_of_ones_own_is_not_the_vendors(doctor: Doctor) -> None:
    text = doctor("dkms-618")
    assert "vendor kernel" not in text
    assert "boot firmware" not in text
    assert "no driver for the memory clock" in text


@pytest.mark.parametrize("path", sorted(DATA.glob("*.tgz")), ids=lambda path: path.stem)
def test_what_stands_as_a_command_is_one(path: Path, doctor: Doctor) -> None:
    for command in COMMAND.findall(doctor(path.stem)):
        assert re.match(r"(?:sudo|echo|npulse|taskset) ", command)


def test_advice_is_a_sentence_of_its_finding(doctor: Doctor) -> None:
    text = doctor("vendor-no-dmc")
    assert "update the boot loader" in text
    assert "$ The" not in text


@pytest.mark.parametrize("name", ["throttle-78", "throttle-gpu-77", "throttle-no-cap"])
def test_the_kernels_thermal_governor_is_no_users_limit(name: str, doctor: Doctor) -> None:
    text = doctor(name)
    assert "thermal governor" in text
    assert "below 75 °C" in text
    assert "the board is cool" not in text
    assert "max_freq" not in "".join(COMMAND.findall(text))


def test_a_limit_in_the_cool_is_the_users(doctor: Doctor) -> None:
    text = doctor("user-limit")
    assert "the board is cool" in text
    assert "scaling_max_freq" in text


def test_a_slow_npu_and_slow_cores_are_found(doctor: Doctor) -> None:
    text = doctor("rk3576-300mhz")
    assert "300 MHz of 950 MHz" in text
    node = "/sys/class/devfreq/27700000.npu/governor"
    assert f"echo performance | sudo tee {node}" in COMMAND.findall(text)
    assert "scaling_governor" in doctor("interactive-408")


@pytest.mark.parametrize(
    ("name", "load"),
    [("load-429496", [99, 99, 100]), ("rv1126b", [48]), ("rk3566-noopp", [35])],
)
def test_load_in_every_spelling(name: str, load: list[int], readings: Readings) -> None:
    value = readings(name)["npu.load"]["value"]
    assert (value if isinstance(value, list) else [value]) == load


@pytest.mark.parametrize("name", ["bogus-temp", "tcpm"])
def test_a_bogus_sensor_gives_nothing(name: str, readings: Readings) -> None:
    found = readings(name)
    assert found["power.w"]["value"] is None
    if name == "bogus-temp":
        assert found["soc.temp"]["value"] == pytest.approx(43, abs=1)


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[str], Path]:
    def unpack(name: str) -> Path:
        with tarfile.open(DATA / f"{name}.tgz") as archive:
            archive.extractall(tmp_path)
        return tmp_path / name

    return unpack


def cooling_devices(root: Path) -> dict[str, Path]:
    folders = (root / "sys/class/thermal").glob("cooling_device*")
    return {(folder / "type").read_text().strip(): folder for folder in folders}


@pytest.mark.parametrize("change", ["at rest", "unreadable", "gone"])
def test_past_a_passive_trip_a_limit_is_heat_whatever_the_cooling_devices_say(
    change: str, tree: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root = tree("throttle-78")
    for folder in cooling_devices(root).values():
        if change == "at rest":
            (folder / "cur_state").write_text("0\n")
        elif change == "unreadable":
            (folder / "cur_state").write_text("\n")
        else:
            (folder / "type").unlink()
    text = again(root, capsys)
    assert "the board is cool" not in text
    assert "below 75 °C" in text
    assert "max_freq" not in "".join(COMMAND.findall(text))


@pytest.mark.parametrize(
    ("trip_c", "kind", "is_heat"),
    [(75, "passive", True), (80, "passive", False), (75, "active", False), (75, "hot", False)],
)
def test_only_a_passive_trip_that_is_passed_makes_a_limit_heat(
    trip_c: int,
    kind: str,
    is_heat: bool,
    tree: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = tree("throttle-78")
    for folder in cooling_devices(root).values():
        (folder / "cur_state").write_text("0\n")
    for path in (root / "sys/class/thermal").glob("thermal_zone*/trip_point_*_temp"):
        other = path.with_name(path.name.replace("_temp", "_type"))
        if other.read_text().strip() == "passive":
            path.write_text(f"{trip_c}000\n")
            other.write_text(f"{kind}\n")
    text = again(root, capsys)
    assert ("thermal governor" in text) == is_heat
    assert ("limits" in text or "limited" in text) != is_heat


def test_a_cooling_device_claims_its_own_cluster_alone(
    tree: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """In the cool, cpu4's device acts still: its limit is the kernel's, cpu6's is the user's."""
    root = tree("throttle-78")
    for path in (root / "sys/class/thermal").glob("thermal_zone*/temp"):
        path.write_text("60000\n")
    policy = root / "sys/devices/system/cpu/cpufreq/policy6/scaling_max_freq"
    assert policy.exists()
    policy.write_text("1200000\n")
    commands = "".join(COMMAND.findall(again(root, capsys)))
    assert "policy6/scaling_max_freq" in commands
    assert "policy4/scaling_max_freq" not in commands
