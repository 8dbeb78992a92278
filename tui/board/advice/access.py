"""Access to the NPU's load: the files that have it, and a systemd unit that makes one readable.

debugfs is closed to all but root, though the driver's own files in it are readable by design. The
unit bind-mounts just that one folder to /run/npu; nothing else of debugfs is opened, nothing runs
afterwards, and npulse itself never needs root.
"""

from __future__ import annotations

from pathlib import Path

from tui.board.advice.systemd import (
    Outcome,
    Run,
    UnitError,
    is_on,
    is_systemd_here,
    read_file,
    remove_unit,
    require_root,
    run_command,
    switch_on,
    verify,
    write_file,
)
from tui.board.readers.files import Files
from tui.board.readers.npu_load import (
    DEBUGFS_DIR,
    DEBUGFS_LOAD,
    PROC_LOAD,
    Rung,
    read_rung,
    run_paths,
)

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


def load_rungs(files: Files, wall_s: float) -> list[Rung]:
    """Every file that the NPU's load may come from, in the order that they are tried, each with
    what it gives now or why it gives nothing."""
    candidates = run_paths(files) or [f"{OPEN_DIR}/load"]
    return [read_rung(files, path, wall_s) for path in (PROC_LOAD, *candidates, DEBUGFS_LOAD)]


def install(root: Path = Path("/"), run: Run = run_command) -> Outcome:
    """Write the unit, check it, switch it on. Does nothing where all of that is done already.

    Raises UnitError. Needs root, and a system that systemd runs.
    """
    require_root("npulse setup-npu-access --install")
    _require_systemd(root)
    path = root / UNIT_PATH.lstrip("/")
    is_new = read_file(path) != UNIT
    if is_new:
        verify(UNIT_NAME, UNIT, run)
        write_file(path, UNIT)
    was_on = is_on(run, UNIT_NAME)
    if not is_new and was_on and (root / OPEN_DIR.lstrip("/") / "load").exists():
        return Outcome(False, f"{UNIT_NAME} is installed and active already.")
    # Its restart also brings a mount up to date that points into a driver that was unloaded.
    switch_on(run, UNIT_NAME)
    return Outcome(True, f"{UNIT_NAME} is installed: every user can read {OPEN_DIR}/load now.")


def remove(root: Path = Path("/"), run: Run = run_command) -> Outcome:
    """Switch the unit off and delete it. Raises UnitError. Needs root."""
    require_root("npulse setup-npu-access --remove")
    path = root / UNIT_PATH.lstrip("/")
    if read_file(path) is None:
        return Outcome(False, f"{UNIT_NAME} is not installed; there is nothing to remove.")
    _require_systemd(root)
    remove_unit(run, path)
    return Outcome(True, f"{UNIT_NAME} is removed; the NPU's load is for root only again.")


def _require_systemd(root: Path) -> None:
    if not is_systemd_here(root):
        raise UnitError(
            "systemd does not run this system; have this run as root at every start instead: "
            f"mkdir -p {OPEN_DIR} && mount --bind {DRIVER_DIR} {OPEN_DIR}"
        )
