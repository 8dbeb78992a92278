"""``npulse doctor``: what is read from where, what is missing, and the command for it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.board import tree_files, trees
from tui.commands.doctor import main
from tui.core.screen.doctor_check import Check


def doctor(
    capsys: pytest.CaptureFixture[str], root: Path, *checks: Check
) -> tuple[int, dict[str, dict[str, str]], dict[str, Any]]:
    code = main(["--json", "--root", str(root)], lambda _: checks)
    found = json.loads(capsys.readouterr().out)
    return code, {check["id"]: check for check in found["checks"]}, found


def test_all_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree_files.write(trees.decoding(), tmp_path)
    code, checks, found = doctor(capsys, tmp_path)
    assert code == 0
    assert found["needs_attention"] is False
    assert checks["npu.load"]["detail"] == "read from /sys/kernel/debug/rknpu/load"
    assert checks["npu.driver"]["status"] == "ok"
    assert [rung["path"] for rung in found["npu_load"]] == [
        "/proc/rknpu/load",
        "/run/npu/load",
        "/sys/kernel/debug/rknpu/load",
    ]
    assert found["npu_load"][2]["loads"] == [86, 84, 61]
    assert set(found["board"]) == {"t_ns", "time", "readings"}


@pytest.mark.parametrize(
    ("tree", "check", "words"),
    [
        (trees.mistuned(), "slow.ddr-clock", "534 MHz of 2400 MHz"),
        (trees.hot(), "slow.heat", "npu 800 of 1000 MHz"),
        (trees.no_driver(), "npu.driver", "RKLLM needs the vendor kernel"),
        (trees.no_debugfs(), "npu.load", "sudo mount -t debugfs"),
        (
            tree_files.without(trees.decoding(), "sys/class/devfreq/dmc"),
            "slow.ddr-firmware",
            "no dmc device",
        ),
    ],
)
def test_what_needs_attention(
    tree: tree_files.Tree,
    check: str,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tree_files.write(tree, tmp_path)
    code, checks, found = doctor(capsys, tmp_path)
    assert code == 1
    assert found["needs_attention"] is True
    assert checks[check]["status"] == "attention"
    said = checks[check]
    assert words in f"{said['detail']} {said['command']} {said['advice']}"


def test_a_missing_driver_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree_files.write(trees.no_driver(), tmp_path)
    _, checks, _ = doctor(capsys, tmp_path)
    assert (checks["npu.load"]["status"], checks["npu.load"]["detail"]) == ("note", "no driver")
    assert "runs on this machine" in str(checks["server.pid"]["detail"])


def test_a_closed_debugfs_has_its_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read everything, so the kernel's answer is given for it."""
    tree_files.write(trees.decoding(), tmp_path)
    real = os.open

    def closed(path: str, flags: int, *rest: int) -> int:
        if "/kernel/debug/" in str(path):
            raise PermissionError(13, "denied")
        return real(path, flags, *rest)

    from tui.board.readers import files

    defaults = dict(files.Files.__init__.__kwdefaults__ or {})
    monkeypatch.setattr(files.Files.__init__, "__kwdefaults__", {**defaults, "open_file": closed})
    code, checks, _ = doctor(capsys, tmp_path)
    assert code == 1
    assert checks["npu.load"]["command"] == "sudo npulse setup-npu-access --install"
    assert "/sys/kernel/debug/rknpu/load: no permission" in checks["npu.load"]["detail"]
    assert "jobs a second is shown instead" in checks["npu.load"]["detail"]


def test_a_laptop_is_fine_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree_files.write(trees.laptop(), tmp_path)
    code, checks, _ = doctor(capsys, tmp_path)
    assert code == 0
    assert "npulse --demo" in checks["npu"]["detail"]


@pytest.mark.slow
def test_checks_of_others_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree_files.write(trees.decoding(), tmp_path)
    hostile = Check("server", "attention", "server\x1b[2J", "no answer\nsecond line", "run\x07 it")
    code, checks, _ = doctor(capsys, tmp_path, hostile)
    assert code == 1
    assert "\x1b" not in checks["server"]["title"]
    assert main(["--root", str(tmp_path)], lambda _: [hostile]) == 1
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "ATTENTION  server" in text
    assert "1 thing needs attention." in text


def test_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree_files.write(trees.mistuned() | {"npulse-simulated": "qwen3-4b\n"}, tmp_path)
    assert main(["--root", str(tmp_path)], lambda _: ()) == 1
    text = capsys.readouterr().out
    assert "SIMULATED, profile qwen3-4b" in text
    assert "$ echo performance | sudo tee /sys/class/devfreq/dmc/governor" in text
    assert "/sys/kernel/debug/rknpu/load: can be read" in text
    assert text.endswith("1 thing needs attention.\n")


def test_root_that_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(tmp_path / "nowhere")]) == 2
    assert "there is no such directory" in capsys.readouterr().err
