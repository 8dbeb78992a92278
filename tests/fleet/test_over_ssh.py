"""Workers that are begun over a real sshd, with nothing listening beyond it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.npulse import REPOSITORY
from tests.fleet.boards import SimulatedBoard, numbered, simulated, told_by
from tests.remote.sshd import Sshd, needs_sshd, sshd
from tests.waiting import wait_until
from tui.fleet.connect import FleetPlan
from tui.remote.address import BoardAddress
from tui.remote.ssh import SshOptions

pytestmark = [needs_sshd, pytest.mark.slow]


def installed_npulse(folder: Path) -> Path:
    """A folder with an ``npulse`` that leaves its process number there."""
    folder.mkdir()
    program = folder / "npulse"
    program.write_text(
        f"#!/bin/sh\necho $$ >{folder}/pid\nexport XDG_DATA_HOME={folder}/data "
        f"XDG_CONFIG_HOME={folder}/config XDG_STATE_HOME={folder}/state PYTHONPATH={REPOSITORY}\n"
        f'exec {sys.executable} -m tui "$@"\n'
    )
    program.chmod(0o755)
    return folder


def address(there: Sshd, board: SimulatedBoard, name: str) -> BoardAddress:
    root = str(board.simulator.root)
    return replace(there.address, name=name, server_url=board.simulator.url, root=root)


async def test_workers_begin_over_ssh_and_end_with_the_run(tmp_path: Path) -> None:
    programs = installed_npulse(tmp_path / "bin")
    with (
        simulated(
            tmp_path, 1, "--decode-tps", "60", "--prefill-tps", "4000", has_root=True
        ) as boards,
        sshd(tmp_path / "good", f"SetEnv PATH={programs}:/usr/bin:/bin") as good,
        sshd(tmp_path / "bare", f"SetEnv PATH=/usr/bin:/bin HOME={tmp_path / 'nobody'}") as bare,
    ):
        both = tmp_path / "ssh_config"
        both.write_text(
            "".join(f"IdentityFile {one.folder / 'user'}\n" for one in (good, bare))
            + "IdentitiesOnly yes\nStrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n"
        )
        plan = FleetPlan(
            ssh=(
                address(good, boards[0], "good"),
                address(bare, boards[0], "bare"),
                BoardAddress("gone", "127.0.0.1", port=9),
            ),
            ssh_options=SshOptions("ssh", ("-F", str(both))),
        )
        told = await told_by(numbered(6, 12), tmp_path / "runs", plan)
        pid = int((programs / "pid").read_text())
        wait_until(lambda: not Path(f"/proc/{pid}").exists())
    assert told.finished.outcome == "complete", told.finished.sentence
    assert told.loaded is not None
    rows = {row.name: row for row in told.loaded.document.boards}
    assert (rows["good"].answered, rows["good"].address) == (6, good.address.shown)
    # Its heat was read where it stands.
    assert (rows["good"].t_max_c or 0) > 20
    assert told.requests[0].hw.samples > 0
    assert told.loaded.samples_of(told.requests[0])
    assert rows["bare"].state == rows["gone"].state == "refused"
    assert rows["bare"].sentence.startswith("npulse is not installed there: pip install")
    assert "was not reached: " in rows["gone"].sentence
