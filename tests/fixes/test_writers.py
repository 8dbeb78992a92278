"""The process that sudo starts writes what the fix names, and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.board import tree_files, trees
from tui.board.advice import root_writer
from tui.core.board.fix import FileWrite, Fix
from tui.fixes.change import BoardPlace, FixError
from tui.fixes.writers import DirectWriter, SudoWriter, needs_root, open_writer

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
        with pytest.raises(FixError, match="it does not exist"):
            writer.write(DDR, "performance", "kernel")
        with pytest.raises(FixError, match="not part of this fix"):
            writer.write(NPU, "performance", "kernel")
        with pytest.raises(FixError, match="not part of a fix"):
            writer.run(["rm", "-r", "x"])
    finally:
        writer.close()
    with pytest.raises(FixError, match="has ended"):
        writer.write(DDR, "performance", "kernel")


@pytest.mark.parametrize("script", ["exit 1", "echo 'not in the sudoers file' >&2; exit 1", "echo"])
def test_a_refusal_is_one_sentence(place: BoardPlace, tmp_path: Path, script: str) -> None:
    with pytest.raises(FixError, match="sudo did not grant root rights; nothing was changed"):
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
        {"write": DDR, "value": "performance", "kind": "config"},
        {"write": "/sys/class/devfreq/../../power/state", "value": "mem", "kind": "kernel"},
        {"run": ["systemctl", "poweroff"]},
        {"run": ["systemctl", "daemon-reload", "--root=/tmp"]},
        {"run": ["npulse", "setup-npu-access", "--install"]},
        {"run": ["/tmp/npulse", "setup-npu-access", "--install"]},
        {"run": [sys.executable, "-m", "tui", "setup-npu-access", "--install"]},
        {"run": ["sh", "-c", "reboot", "setup-npu-access", "--install"]},
        {"run": [["systemctl"], "daemon-reload"]},
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


# What must not lead root elsewhere ---------------------------------------------------------------


def test_a_link_in_a_tree_leads_root_nowhere(place: BoardPlace, tmp_path: Path) -> None:
    """The tree may be somebody else's, and change while root works."""
    outside = tmp_path / "shadow"
    attribute = place.root / DDR.lstrip("/")
    writer = DirectWriter(place)
    for make in (attribute.symlink_to, attribute.hardlink_to):
        outside.write_text("root:*:\n")
        attribute.unlink()
        make(outside)
        with pytest.raises(FixError, match="a link leads from there"):
            writer.write(DDR, "performance", "kernel")
        assert outside.read_text() == "root:*:\n"
    attribute.unlink()
    # A folder, a pipe that nobody reads, and a link to another attribute of the tree.
    attribute.mkdir()
    with pytest.raises(FixError):
        writer.write(DDR, "performance", "kernel")
    attribute.rmdir()
    os.mkfifo(attribute)
    with pytest.raises(FixError):
        writer.write(DDR, "performance", "kernel")
    attribute.unlink()
    attribute.symlink_to(place.root / NPU.lstrip("/").replace("governor", "cur_freq"))
    with pytest.raises(FixError, match="a link leads from there"):
        writer.write(DDR, "performance", "kernel")


def test_links_within_a_tree_are_those_of_sysfs(place: BoardPlace) -> None:
    """``/sys/class/devfreq/dmc`` is one."""
    folder = (place.root / DDR.lstrip("/")).parent
    folder.rename(place.root / "sys/dmc-device")
    folder.symlink_to("../../dmc-device")
    DirectWriter(place).write(DDR, "performance", "kernel")
    assert (place.root / "sys/dmc-device/governor").read_text() == "performance\n"


def test_on_a_real_board_only_files_of_sysfs_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = (re.compile(".*"), re.compile(".*"))
    monkeypatch.setattr(root_writer, "_KERNEL", (known,))
    file = tmp_path / "governor"
    file.write_text("old\n")
    with pytest.raises(FixError, match="a link leads from there"):
        DirectWriter(BoardPlace(Path("/"))).write(str(file), "performance", "kernel")
    assert file.read_text() == "old\n"


DROP_IN = "/etc/systemd/system/rkllm.service.d/npulse-runtime-log.conf"
TEXT = "[Service]\nEnvironment=RKLLM_LOG_LEVEL=1\n"


@pytest.mark.parametrize("link", ["etc", "etc/systemd/system", str(Path(DROP_IN).parent)])
def test_a_linked_folder_takes_no_drop_in(place: BoardPlace, tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    path = place.root / link.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(outside)
    with pytest.raises(FixError, match="a link leads from there"):
        DirectWriter(place).write(DROP_IN, TEXT, "config")
    assert list(outside.iterdir()) == []


def test_a_linked_drop_in_is_replaced_and_not_followed(place: BoardPlace, tmp_path: Path) -> None:
    """Nor is the link that waits at the name of the file before it is renamed."""
    outside, path = tmp_path / "outside", place.root / DROP_IN.lstrip("/")
    outside.write_text("old\n")
    path.parent.mkdir(parents=True)
    path.symlink_to(outside)
    path.with_name(f".{path.name}.new").symlink_to(outside)
    writer = DirectWriter(place)
    writer.write(DROP_IN, TEXT, "config")
    assert (outside.read_text(), path.read_text(), path.is_symlink()) == ("old\n", TEXT, False)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    writer.write(DROP_IN, None, "config")
    assert not path.parent.exists()
    writer.write(DROP_IN, None, "config")


@pytest.mark.parametrize(
    ("path", "value", "is_taken"),
    [
        ("/sys/class/devfreq/fdab0000.npu/max_freq", "1000000000", True),
        ("/sys/class/devfreq/fdab0000.npu/max_freq", "1000000001", False),
        ("/sys/devices/system/cpu/cpufreq/policy4/scaling_max_freq", "408000", True),
        ("/sys/devices/system/cpu/cpufreq/policy4/scaling_max_freq", "99999999", False),
        ("/sys/class/hwmon/hwmon8/pwm1", "255", True),
        ("/sys/class/hwmon/hwmon8/pwm1", "256", False),
        ("/sys/class/devfreq/fdab0000.npu/governor", "userspace", True),
        ("/sys/class/devfreq/fdab0000.npu/governor", "perform", False),
    ],
)
def test_only_values_that_the_kernel_lists(
    place: BoardPlace, path: str, value: str, is_taken: bool
) -> None:
    tree_files.write({**trees.decoding(), "sys/class/hwmon/hwmon8/pwm1": "90\n"}, place.root)
    before = place.read(path)
    if is_taken:
        DirectWriter(place).write(path, value, "kernel")
    else:
        with pytest.raises(FixError, match=r"the kernel rejects this value|no fix writes"):
            DirectWriter(place).write(path, value, "kernel")
    assert place.read(path) == (value if is_taken else before)


def test_root_starts_nothing_that_path_or_the_folder_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a planted systemctl nor a planted npulse, nor a package ``tui`` where it works."""
    mark = tmp_path / "mark"
    for name in ("systemctl", "npulse", "python3"):
        (tmp_path / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "tui").mkdir()
    for name in ("__init__.py", "__main__.py"):
        (tmp_path / "tui" / name).write_text(f"open({str(mark)!r}, 'w')\n")
    access = [*root_writer.own_command(), "setup-npu-access", "--remove"]
    orders = [{"run": ["systemctl", "daemon-reload"]}, {"run": access}]
    done = subprocess.run(
        [sys.executable, "-I", root_writer.__file__, "/"],
        input="".join(json.dumps(order) + "\n" for order in orders),
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}.", "PYTHONPATH": str(tmp_path)},
    )
    assert len(done.stdout.splitlines()) == 3
    assert not mark.exists()


def test_npulse_is_the_program_beside_its_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "npulse").write_text("#!/bin/sh\n")
    (tmp_path / "npulse").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert Path(root_writer.own_command()[0]).is_absolute()
    assert not root_writer.own_command()[0].startswith(str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    assert root_writer.own_command() == (str(tmp_path / "npulse"),)
    (tmp_path / "npulse").unlink()
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    assert root_writer.own_command() == (str(tmp_path / "python3"), "-I", "-m", "tui")
