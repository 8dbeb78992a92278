"""A board over a real sshd: its readings, its server, and a line that is lost."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.remote.sshd import Sshd, needs_sshd, sshd
from tests.sim.simulator import running as simulator
from tests.waiting import wait_until
from tui.board.one_shot import one_shot
from tui.board.sampler import Sampler
from tui.remote.address import BoardAddress
from tui.remote.board import RemoteBoard
from tui.remote.remote_sampler import NOT_OVER_SSH
from tui.remote.ssh import Ssh, SshError

pytestmark = [needs_sshd, pytest.mark.slow]
ITS_OWN = ("npulse.", "server.", "npu.runtime", "npu.rknn_runtime", "cpu.", "psi.", "ram.", "swap.")


def test_its_readings_are_those_of_the_machine_itself(tmp_path: Path) -> None:
    with sshd(tmp_path) as there:
        board = RemoteBoard(there.address, there.options)
        board.connect(may_ask=False)
        here = Sampler()
        try:
            assert board.link.state == "connected"
            far = one_shot(_Sampling(board), time.sleep)
            near = one_shot(here, time.sleep)
        finally:
            here.close()
            board.close()
        for name, reading in near.readings.items():
            other = far.get(name)
            if not name.startswith(ITS_OWN):
                assert (other.value, other.reason) == (reading.value, reading.reason), name
        assert far.number("ram.total") == near.number("ram.total")
        assert len(far.numbers("cpu.load")) == len(near.numbers("cpu.load"))
        assert far.get("npulse.rss").reason == NOT_OVER_SSH
        assert board.link.latency_ms is not None


def test_a_file_of_the_board_is_read(tmp_path: Path) -> None:
    (tmp_path / "a file's name").write_bytes(b"x" * 100)
    with sshd(tmp_path / "sshd") as there:
        board = RemoteBoard(replace(there.address, root=str(tmp_path)), there.options)
        assert board.read_file("/a file's name", 10) is None
        board.connect(may_ask=False)
        try:
            assert board.read_file("/a file's name", 10) == b"x" * 10
            assert board.read_file("/absent", 10) is None
        finally:
            board.close()


class _Sampling(Sampler):
    """A remote board where a sampler is asked for."""

    def __init__(self, board: RemoteBoard) -> None:
        super().__init__()
        self.sample = board.sample  # type: ignore[method-assign]


def test_its_server_is_reached_and_a_lost_line_comes_back(tmp_path: Path) -> None:
    with simulator() as sim, sshd(tmp_path) as there:
        board = RemoteBoard(there.address, there.options, interval_s=0.2)
        board.connect(may_ask=False)
        try:
            forwarded = board.forwarded(sim.url)
            assert forwarded != sim.url
            (here, over_there) = (
                httpx.get(f"{url}/v1/models", timeout=60).json()["data"]
                for url in (forwarded, sim.url)
            )
            assert [model["id"] for model in here] == [model["id"] for model in over_there]
            assert board.forwarded(sim.url) == forwarded
            there.stop()
            lost = board.sample()
            assert board.link.state == "lost"
            assert lost.get("ram.total").reason == "no connection to board"
            assert board.sample().get("ram.total").value is None
            there.start()
            wait_until(lambda: board.sample().number("ram.total") is not None)
            assert board.link.reconnections == 1
            assert httpx.get(f"{board.forwarded(sim.url)}/v1/models", timeout=60).status_code == 200
        finally:
            board.close()


def test_who_cannot_log_in_is_told_why(tmp_path: Path) -> None:
    with sshd(tmp_path) as there:
        (tmp_path / "authorized_keys").write_text("")
        ssh = Ssh(there.address, there.options)
        with pytest.raises(SshError, match=r"^ssh://\S+ was not reached: .*Permission denied"):
            ssh.connect(may_ask=False)
        ssh.close()
        there.stop()
        ssh = Ssh(there.address, there.options)
        with pytest.raises(SshError, match=r"was not reached: .*Connection refused"):
            ssh.connect(may_ask=False)
        ssh.close()


def test_a_shell_that_is_none_is_told(tmp_path: Path) -> None:
    with sshd(tmp_path, "ForceCommand echo This account is closed") as there:
        board = RemoteBoard(there.address, there.options)
        with pytest.raises(SshError, match="unexpected output: This account is closed"):
            board.connect(may_ask=False)
        board.close()


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with sshd(tmp_path / "sshd") as there:
        board = RemoteBoard(there.address, there.options)
        board.connect(may_ask=False)
        assert [path.name[:7] for path in tmp_path.iterdir() if path.name != "sshd"] == ["npulse-"]
        board.close()
        assert [path.name for path in tmp_path.iterdir()] == ["sshd"]
        assert not _clients(there)


def _clients(there: Sshd) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if str(there.folder / "ssh_config") in words:
            found.append(words)
    return found


def test_an_ssh_that_is_missing_is_told() -> None:
    from tui.remote.ssh import SshOptions

    ssh = Ssh(BoardAddress("board", "board"), SshOptions("no-such-ssh"))
    with pytest.raises(SshError, match="there is no ssh on this machine"):
        ssh.connect(may_ask=False)
    ssh.close()
