"""Access to the NPU's load: the files that have it, and a systemd unit that makes one readable.

debugfs is closed to all but root, though the driver's own files in it are readable by design. The
unit bind-mounts just that one folder to /run/npu; nothing else of debugfs is opened, nothing runs
afterwards, and npulse itself never needs root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tui.board.readers.files import Files
from tui.board.readers.npu_load import (
    DEBUGFS_DIR,
    DEBUGFS_LOAD,
    PROC_LOAD,
    Rung,
    read_rung,
    run_paths,
)
from tui.core.text.sanitize import clean_line

UNIT_NAME = "npulse-npu-access.service"
UNIT_PATH = f"/etc/systemd/system/{UNIT_NAME}"
DRIVER_DIR = f"{DEBUGFS_DIR}/rknpu"
OPEN_DIR = "/run/npu"
UNIT = f"""\
# Lets every user read the load of the Rockchip NPU. Written by: npulse setup-npu-access
# After the rknpu module was loaded again: systemctl restart {UNIT_NAME}
[Unit]
Description=Readable copy of the rknpu folder of debugfs in {OPEN_DIR}
After=sys-kernel-debug.mount systemd-modules-load.service
ConditionPathExists={DRIVER_DIR}

[Service]
Type=oneshot
RemainAfterExit=yes
RuntimeDirectory=npu
RuntimeDirectoryMode=0755
ExecStart=/usr/bin/mount --bind {DRIVER_DIR} {OPEN_DIR}
ExecStop=/usr/bin/umount {OPEN_DIR}

[Install]
WantedBy=multi-user.target
"""
"""No Private or Protect option: with one the mount would stay in a name space of its own."""

SECONDS = 60
MAX_SAID_CHARS = 200


class AccessError(Exception):
    """The unit could not be installed or removed. The message is one sentence with the way out."""


class Outcome(NamedTuple):
    """What installing or removing did."""

    is_changed: bool
    sentence: str


Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


def load_rungs(files: Files, wall_s: float) -> list[Rung]:
    """Every file that the NPU's load may come from, in the order that they are tried, each with
    what it gives now or why it gives nothing."""
    candidates = run_paths(files) or [f"{OPEN_DIR}/load"]
    return [read_rung(files, path, wall_s) for path in (PROC_LOAD, *candidates, DEBUGFS_LOAD)]


def run_command(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a system command and collect what it says. Raises OSError or TimeoutExpired."""
    return subprocess.run(
        list(command), capture_output=True, text=True, timeout=SECONDS, check=False
    )


def install(root: Path = Path("/"), run: Run = run_command) -> Outcome:
    """Write the unit, check it, switch it on. Does nothing where all of that is done already.

    Raises AccessError. Needs root, and a system that systemd runs.
    """
    _require_root("--install")
    _require_systemd(root)
    path = root / UNIT_PATH.lstrip("/")
    is_new = _read(path) != UNIT
    if is_new:
        verify(run)
        _write(path, UNIT)
    is_on = _is(run, "is-enabled") and _is(run, "is-active")
    if not is_new and is_on and (root / OPEN_DIR.lstrip("/") / "load").exists():
        return Outcome(False, f"{UNIT_NAME} is installed and active already.")
    _systemctl(run, "daemon-reload")
    _systemctl(run, "enable", UNIT_NAME)
    # A restart also brings a mount up to date that points into a driver that was unloaded.
    _systemctl(run, "restart", UNIT_NAME)
    return Outcome(True, f"{UNIT_NAME} is installed: every user can read {OPEN_DIR}/load now.")


def remove(root: Path = Path("/"), run: Run = run_command) -> Outcome:
    """Switch the unit off and delete it. Raises AccessError. Needs root."""
    _require_root("--remove")
    path = root / UNIT_PATH.lstrip("/")
    if _read(path) is None:
        return Outcome(False, f"{UNIT_NAME} is not installed; there is nothing to remove.")
    _require_systemd(root)
    _systemctl(run, "disable", "--now", UNIT_NAME)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise AccessError(f"{UNIT_PATH} could not be deleted: {error.strerror}.") from error
    _systemctl(run, "daemon-reload")
    return Outcome(True, f"{UNIT_NAME} is removed; the NPU's load is for root only again.")


def verify(run: Run = run_command) -> bool:
    """Have ``systemd-analyze verify`` check the unit. False where there is no systemd-analyze.

    Raises AccessError with its words if it objects.
    """
    if shutil.which("systemd-analyze") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / UNIT_NAME
        path.write_text(UNIT, encoding="utf-8")
        try:
            done = run(["systemd-analyze", "verify", "--man=no", str(path)])
        except (OSError, subprocess.SubprocessError):
            return False
    objections = [line for line in done.stderr.splitlines() if UNIT_NAME in line]
    if done.returncode != 0 and objections:
        said = clean_line(objections[0], MAX_SAID_CHARS)
        raise AccessError(f"systemd does not take the unit: {said}")
    return done.returncode == 0


def _require_root(option: str) -> None:
    if os.geteuid() != 0:
        raise AccessError(f"This needs root: sudo npulse setup-npu-access {option}")


def _require_systemd(root: Path) -> None:
    if not (root / "run/systemd/system").is_dir() or shutil.which("systemctl") is None:
        raise AccessError(
            "systemd does not run this system; have this run as root at every start instead: "
            f"mkdir -p {OPEN_DIR} && mount --bind {DRIVER_DIR} {OPEN_DIR}"
        )


def _systemctl(run: Run, *arguments: str) -> None:
    words = " ".join(("systemctl", *arguments))
    try:
        done = run(["systemctl", *arguments])
    except (OSError, subprocess.SubprocessError) as error:
        raise AccessError(f"{words} could not be run: {error}.") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        reason = clean_line(said[0], MAX_SAID_CHARS) if said else f"code {done.returncode}"
        raise AccessError(f"{words} failed: {reason}")


def _is(run: Run, question: str) -> bool:
    try:
        return run(["systemctl", question, "--quiet", UNIT_NAME]).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _write(path: Path, text: str) -> None:
    """All of it or nothing: systemd may read the folder at any time."""
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(text, encoding="utf-8")
        new.chmod(0o644)
        new.replace(path)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise AccessError(f"{path} could not be written: {error.strerror}.") from error
