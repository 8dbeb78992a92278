"""Installing and removing the unit, with stand-ins for systemd's programs on the path."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from tui.board.advice import root_writer
from tui.board.advice.access import UNIT, UNIT_NAME, install, remove
from tui.board.advice.systemd import UnitError, verify
from tui.commands import setup_npu_access


class System:
    """A root folder and a PATH with programs that note how they were called."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.bin = folder / "bin"
        self.log = folder / "log"
        self.unit = self.root / "etc/systemd/system" / UNIT_NAME
        (self.root / "run/systemd/system").mkdir(parents=True)
        self.bin.mkdir()
        self.program("systemctl", "exit 0")

    def program(self, name: str, body: str) -> None:
        path = self.bin / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self.log}"\n{body}\n')
        path.chmod(0o755)

    def calls(self) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    made = System(tmp_path)
    monkeypatch.setenv("PATH", f"{made.bin}:/usr/bin:/bin")
    monkeypatch.setattr(root_writer, "SAFE_PATH", f"{made.bin}:/usr/bin:/bin")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    real = shutil.which
    # Only the stand-ins count: this machine may have systemd's programs.
    monkeypatch.setattr(
        shutil,
        "which",
        lambda name: found if (found := real(name)) and found.startswith(str(made.bin)) else None,
    )
    return made


def test_the_unit_mounts_one_folder_and_nothing_hides_the_mount() -> None:
    assert "mount --bind /sys/kernel/debug/rknpu /run/npu" in UNIT
    assert "ConditionPathExists=/sys/kernel/debug/rknpu" in UNIT
    assert "RuntimeDirectoryMode=0755" in UNIT
    for line in UNIT.splitlines():
        assert not line.startswith(("Private", "Protect"))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_takes_the_unit() -> None:
    assert verify(UNIT_NAME, UNIT)


def test_install_then_again_then_remove(system: System) -> None:
    outcome = install(system.root)
    assert outcome.is_changed
    assert system.unit.read_text() == UNIT
    assert system.unit.stat().st_mode & 0o777 == 0o644
    assert system.calls() == [
        f"systemctl is-enabled --quiet {UNIT_NAME}",
        f"systemctl is-active --quiet {UNIT_NAME}",
        "systemctl daemon-reload",
        f"systemctl enable {UNIT_NAME}",
        f"systemctl restart {UNIT_NAME}",
    ]
    (system.root / "run/npu").mkdir()
    (system.root / "run/npu/load").write_text("NPU load:  0%\n")
    assert not install(system.root).is_changed
    assert not [call for call in system.calls() if " is-" not in call]
    assert remove(system.root).is_changed
    assert not system.unit.exists()
    assert system.calls() == [
        f"systemctl disable --now {UNIT_NAME}",
        "systemctl daemon-reload",
    ]
    assert not remove(system.root).is_changed
    assert system.calls() == []


def test_a_mount_that_went_away_is_brought_back(system: System) -> None:
    """After the module was loaded again the old mount is empty."""
    install(system.root)
    system.calls()
    assert install(system.root).is_changed
    assert system.calls()[-3:] == [
        "systemctl daemon-reload",
        f"systemctl enable {UNIT_NAME}",
        f"systemctl restart {UNIT_NAME}",
    ]


def test_an_older_unit_is_replaced(system: System) -> None:
    install(system.root)
    system.unit.write_text("[Unit]\nDescription=old\n")
    assert install(system.root).is_changed
    assert system.unit.read_text() == UNIT


def test_a_unit_that_systemd_refuses_is_not_written(system: System) -> None:
    system.program("systemd-analyze", f'echo "{UNIT_NAME}:3: bad line" >&2; exit 1')
    with pytest.raises(UnitError, match=r"rejects the unit.*bad line"):
        install(system.root)
    assert not system.unit.exists()


def test_a_systemctl_that_fails_is_quoted(system: System) -> None:
    system.program("systemctl", 'echo "Access denied" >&2; exit 4')
    with pytest.raises(UnitError, match="daemon-reload failed: Access denied"):
        install(system.root)


def test_without_systemd_the_command_is_told(system: System) -> None:
    (system.root / "run/systemd/system").rmdir()
    with pytest.raises(UnitError, match="mount --bind /sys/kernel/debug/rknpu /run/npu"):
        install(system.root)
    assert not system.unit.exists()


def test_a_folder_that_cannot_be_written(system: System) -> None:
    (system.root / "etc").write_text("in the way")
    with pytest.raises(UnitError, match="could not be written"):
        install(system.root)


@pytest.mark.parametrize("option", ["--install", "--remove"])
def test_only_root(
    option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert setup_npu_access.main([option]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert f"sudo npulse setup-npu-access {option}" in said.err


def test_printing_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def never(command: Sequence[str]) -> NoReturn:
        raise AssertionError(command)

    assert setup_npu_access.main([], run=never) == 0
    said = capsys.readouterr()
    assert said.out == UNIT
    assert "--install" in said.err


def test_both_at_once_is_a_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert setup_npu_access.main(["--install", "--remove"]) == 2


def test_what_systemctl_says_is_cleaned(system: System) -> None:
    system.program("systemctl", "printf '\\033[31mno\\302\\233 bus\\342\\200\\256\\n' >&2; exit 1")
    with pytest.raises(UnitError, match="bus") as failed:
        install(system.root)
    assert not set(str(failed.value)) & set("\x1b\x9b\u202e")
