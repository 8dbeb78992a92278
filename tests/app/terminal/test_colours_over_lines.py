"""Colours where COLORTERM does not come along: over a real sshd, and in tmux."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.app.npulse import environment
from tests.app.terminal.test_replies import REPLIES
from tests.terminal.pty_terminal import PtyTerminal

SSHD = "/usr/sbin/sshd"
ROOT = Path(__file__).resolve().parents[3]
_TRUE, _FEW = re.compile(rb"[;\[][34]8;2;(?!1;2;3m)"), re.compile(rb"[;\[][34]8;5;")

pytestmark = pytest.mark.slow


def wait_written(terminal: PtyTerminal, what: re.Pattern[bytes]) -> None:
    """Until such colours have been written."""
    deadline_s = time.monotonic() + 25
    while not what.search(terminal.raw):
        assert time.monotonic() < deadline_s, terminal.text()
        time.sleep(0.05)


def exports(home: Path) -> str:
    """The environment of a test as a shell sets it, without what the terminal is called."""
    kept = {**environment(home), "PYTHONPATH": str(ROOT)}
    given = " ".join(f"{k}='{v}'" for k, v in kept.items() if v is not None and k != "TERM")
    return f"env -u COLORTERM -u NO_COLOR {given}"


@contextmanager
def sshd(folder: Path) -> Iterator[list[str]]:
    """A daemon of its own on loopback; gives the command that reaches it with a terminal."""
    for name in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    keys = folder / "authorized_keys"
    keys.write_bytes((folder / "user.pub").read_bytes())
    keys.chmod(0o600)
    options = {
        "ListenAddress": "127.0.0.1", "Port": port, "HostKey": folder / "host",
        "AuthorizedKeysFile": keys, "PidFile": folder / "pid", "UsePAM": "no",
        "StrictModes": "no", "PasswordAuthentication": "no", "PermitRootLogin": "yes",
    }  # fmt: skip
    config = folder / "sshd_config"
    config.write_text("".join(f"{name} {value}\n" for name, value in options.items()))
    with subprocess.Popen(
        [SSHD, "-D", "-e", "-f", str(config)], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    ) as daemon:
        try:
            assert daemon.stderr is not None
            while b"listening" not in (line := daemon.stderr.readline()):
                if not line:
                    pytest.skip("sshd does not start here")
            yield [
                "ssh", "-tt", "-F", "none", "-p", str(port), "-i", str(folder / "user"),
                "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                "-o", "LogLevel=ERROR", "127.0.0.1",
            ]  # fmt: skip
        finally:
            daemon.terminate()


@pytest.mark.skipif(
    not Path(SSHD).exists() or not shutil.which("ssh") or os.geteuid() != 0, reason="no sshd"
)
def test_over_ssh_a_terminal_that_answers_has_24_bit_colour(tmp_path: Path) -> None:
    Path("/run/sshd").mkdir(exist_ok=True)
    with sshd(tmp_path) as ssh:
        command = f"cd {tmp_path} && {exports(tmp_path)} {sys.executable} -m tui"
        with PtyTerminal([*ssh, command], env={"COLORTERM": None}) as terminal:
            terminal.wait_for("No rkllm server answers yet")
            wait_written(terminal, _FEW)
            assert _TRUE.search(terminal.raw) is None
            terminal.send("".join(REPLIES).encode())
            wait_written(terminal, _TRUE)
            terminal.keys("ctrl+q")
            terminal.wait_gone()


@pytest.mark.skipif(not shutil.which("tmux"), reason="no tmux")
@pytest.mark.parametrize("has_rgb", [False, True])
def test_in_tmux_it_counts_what_tmux_knows(tmp_path: Path, has_rgb: bool) -> None:
    config = tmp_path / "tmux.conf"
    config.write_text('set -as terminal-features ",*:RGB"\n' if has_rgb else "")
    tmux = ["tmux", "-S", str(tmp_path / "socket"), "-f", str(config)]
    command = f"{exports(tmp_path)} {sys.executable} -m tui"
    try:
        with PtyTerminal([*tmux, "new-session", command], cwd=tmp_path) as terminal:
            terminal.wait_for("No rkllm server answers yet")
            wait_written(terminal, _TRUE if has_rgb else _FEW)
            assert has_rgb or _TRUE.search(terminal.raw) is None
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, stderr=subprocess.DEVNULL)
