"""Access to the NPU's load: the files that have it, and a systemd unit that makes one readable.

Only root may enter /sys/kernel/debug (mode 0700), although the driver's own files in it are
world-readable. The unit bind-mounts the driver's folder alone to /run/npu: nothing else of debugfs
is opened, no process stays, and npulse itself never needs root.
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
"""No Private or Protect option: with one, systemd would give the unit a mount namespace of its own,
and no other process would see the mount."""


def load_rungs(files: Files, wall_s: float) -> list[Rung]:
    """Every file that the NPU's load may come from, in the order in which they are tried, each with
    its loads or the reason why it has none. ``wall_s`` is the wall time (UNIX, s)."""
    candidates = run_paths(files) or [f"{OPEN_DIR}/load"]
    return [read_rung(files, path, wall_s) for path in (PROC_LOAD, *candidates, DEBUGFS_LOAD)]


def install(root: Path = Path("/"), run: Run = run_command) -> Outcome:
    """Write the unit file, verify it, enable and start it; no change where it is active already.

    Needs root and a running systemd. Raises UnitError.
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
    # The restart also renews a mount of a driver that was unloaded since.
    switch_on(run, UNIT_NAME)
    return Outcome(True, f"{UNIT_NAME} is installed: every user can read {OPEN_DIR}/load now.")


def remove(root: Path = Path("/"), run: Run = run_command) -> Outcome:
    """Disable and stop the unit, and delete its file. Needs root. Raises UnitError."""
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
