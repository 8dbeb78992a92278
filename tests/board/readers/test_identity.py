"""What machine it is, by names that differ from kernel to kernel."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.board import tree_files, trees
from tests.board.boards import Board
from tui.board.readers.identity import soc_of

MODEL, COMPATIBLE = "proc/device-tree/model", "proc/device-tree/compatible"


@pytest.mark.parametrize(
    ("compatible", "soc"),
    [
        ("rockchip,rk3588-orangepi-5-max\0rockchip,rk3588\0", "rk3588"),
        ("rockchip,rk3588-orangepi-5-max\0rockchip,rk3588", "rk3588"),
        ("xunlong,orangepi-5-max\0rockchip,rk3588\0", "rk3588"),
        ("rockchip,rk3588s-orangepi-5\0rockchip,rk3588\0", "rk3588"),
        ("xunlong,orangepi-5\0rockchip,rk3588s\0", "rk3588s"),
        ("radxa,radxa-cm3-rpi-cm4-io\0rockchip,rk3566\0", "rk3566"),
        ("vendor,rk9999-board\0rockchip,rk3576\0", "rk3576"),
        ("rockchip,rv1126b-evb\0rockchip,rv1126b\0", "rv1126b"),
        ("rockchip,rk3562-box", "rk3562"),
        ("raspberrypi,4-model-b\0brcm,bcm2711\0", None),
        ("", None),
    ],
)
def test_soc(compatible: str, soc: str | None) -> None:
    assert soc_of(compatible.encode()) == soc


@pytest.mark.parametrize(
    "model", ["RK3588 OPi 5 Max", "Orange Pi 5 Max", "Xunlong Orange Pi 5 Max"]
)
def test_model_strings(model: str, tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle() | {MODEL: f"{model}\0"}) as board:
        snapshot = board.settled()
    assert (snapshot.text("board.model"), snapshot.text("board.soc")) == (model, "rk3588")


def test_model_without_nul(tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle() | {MODEL: "Orange Pi 5 Max"}) as board:
        assert board.settled().text("board.model") == "Orange Pi 5 Max"


def test_empty_model_keeps_the_soc(tmp_path: Path) -> None:
    with Board(tmp_path, trees.idle() | {MODEL: ""}) as board:
        snapshot = board.settled()
    assert snapshot.get("board.model").reason == "unreadable (empty)"
    assert snapshot.text("board.soc") == "rk3588"


def test_device_tree_behind_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    tree = tree_files.without(trees.idle(), "proc/device-tree")
    base = "sys/firmware/devicetree/base"
    tree |= {f"{base}/model": "Orange Pi 5 Max\0", f"{base}/compatible": "a\0rockchip,rk3588\0"}
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/device-tree").symlink_to("/nowhere/devicetree/base")
    with Board(tmp_path, tree) as board:
        snapshot = board.settled()
    assert (snapshot.text("board.model"), snapshot.text("board.soc")) == (
        "Orange Pi 5 Max",
        "rk3588",
    )


def test_names_with_terminal_commands_are_defused(tmp_path: Path) -> None:
    hostile = "Board\x1b]52;c;aGk=\x07\x9b2J‮\nname\0"
    tree = trees.idle() | {MODEL: hostile, "sys/class/thermal/thermal_zone1/type": "\x1b[2Jx"}
    with Board(tmp_path, tree) as board:
        snapshot = board.settled()
    model = str(snapshot.text("board.model"))
    assert model.startswith("Board")
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 or char == "‮" for char in model)
    assert all(name.isprintable() and "\x1b" not in name for name in snapshot.readings)


@given(st.binary(max_size=100))
def test_any_bytes_of_compatible(raw: bytes) -> None:
    soc = soc_of(raw)
    assert soc is None or soc.isalnum()
