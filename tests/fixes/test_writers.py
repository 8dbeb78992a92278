"""The process that sudo starts writes what the fix names, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.board import tree_files, trees
from tui.board.advice import root_writer
from tui.core.board.fix import FileWrite, Fix
from tui.fixes.change import BoardPlace, FixError
from tui.fixes.writers import SudoWriter, needs_root, open_writer

DDR = "/sys/class/devfreq/dmc/governor"
NPU = "/sys/class/devfreq/fdab0000.npu/governor"


@pytest.fixture
def place(tmp_path: Path) -> BoardPlace:
    tree_files.write(trees.mistuned(), tmp_path / "board")
    return BoardPlace(tmp_path / "board")


def sudo(folder: Path, script: str) -> str:
    """A program that takes the place of sudo."""
    path = folder / "sudo"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_it_writes_and_says_what_fails(place: BoardPlace, tmp_path: Path) -> None:
    writer = SudoWriter(place, [DDR], sudo(tmp_path, 'exec "$@"'))
    try:
        writer.write(DDR, "performance", "kernel")
        assert place.read(DDR) == "performance"
        (place.root / DDR.lstrip("/")).unlink()
        with pytest.raises(FixError, match="it is not there"):
            writer.write(DDR, "performance", "kernel")
        with pytest.raises(FixError, match="none of this fix"):
            writer.write(NPU, "performance", "kernel")
        with pytest.raises(FixError, match="none of a fix"):
            writer.run(["rm", "-r", "x"])
    finally:
        writer.close()
    with pytest.raises(FixError, match="has ended"):
        writer.write(DDR, "performance", "kernel")


@pytest.mark.parametrize("script", ["exit 1", "echo 'not in the sudoers file' >&2; exit 1", "echo"])
def test_a_refusal_is_one_sentence(place: BoardPlace, tmp_path: Path, script: str) -> None:
    with pytest.raises(FixError, match="sudo did not give the rights of root; nothing was changed"):
        SudoWriter(place, [DDR], sudo(tmp_path, script))


def test_without_sudo(place: BoardPlace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FixError, match="there is no sudo here"):
        open_writer([DDR], place, is_by_sudo=True)


def test_who_needs_root(place: BoardPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    fix = Fix("ddr-clock", "x", (FileWrite(DDR, "performance"),))
    assert not needs_root(fix, place)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not needs_root(fix, place)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert needs_root(fix, place)


@pytest.mark.parametrize(
    "order",
    [
        {"write": DDR, "value": "performance; reboot", "kind": "kernel"},
        {"write": DDR, "value": "a\nb", "kind": "kernel"},
        {"write": DDR, "value": None, "kind": "kernel"},
        {"write": DDR, "value": 3, "kind": "kernel"},
        {"write": "/etc/passwd", "value": "x", "kind": "config"},
        {"write": [DDR], "value": "performance", "kind": "kernel"},
        {"run": ["systemctl", "poweroff"]},
        {"run": "reboot"},
        {"run": []},
        [],
        None,
    ],
)
def test_the_process_takes_no_other_order(place: BoardPlace, order: Any) -> None:
    command = [sys.executable, "-I", root_writer.__file__, place.key, DDR, "/etc/passwd"]
    done = subprocess.run(
        command, input=json.dumps(order) + "\nno json\n", capture_output=True, text=True, check=True
    )
    ready, *answers = done.stdout.splitlines()
    assert ready == "ready"
    assert all(isinstance(json.loads(answer)["error"], str) for answer in answers)
    assert len(answers) == 2
    assert place.read(DDR) == "dmc_ondemand"
