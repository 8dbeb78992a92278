"""A real sshd on loopback, with keys of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tui.remote.address import BoardAddress
from tui.remote.ssh import SshOptions

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
needs_sshd = pytest.mark.skipif(
    SSHD is None or shutil.which("ssh") is None,
    reason="no sshd and ssh here (Debian's packages openssh-server, openssh-client)",
)


@dataclass(slots=True)
class Sshd:
    """An sshd that can be ended and started again on the same port."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> BoardAddress:
        return BoardAddress("board", "127.0.0.1", pwd.getpwuid(os.getuid()).pw_name, self.port)

    @property
    def options(self) -> SshOptions:
        """For an ssh that knows no file of the user's."""
        return SshOptions("ssh", ("-F", str(self.folder / "ssh_config")))

    def start(self) -> None:
        assert SSHD is not None
        self.process = subprocess.Popen(
            [SSHD, "-D", "-f", str(self.folder / "sshd_config"), "-E", str(self.folder / "log")],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self) -> None:
        """End it with every connection that it has: each is a process of its own group."""
        process, self.process = self.process, None
        if process is None:
            return
        children = _descendants(process.pid)
        process.kill()
        process.wait(60)
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, 9)


def ssh_in_path(folder: Path, there: Sshd) -> str:
    """A PATH whose ssh knows the keys of the test and no file of the user's."""
    folder.mkdir()
    program = folder / "ssh"
    program.write_text(f'#!/bin/sh\nexec /usr/bin/ssh {" ".join(there.options.extra)} "$@"\n')
    program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *_descendants(int(child))]
    return found


@contextmanager
def sshd(folder: Path, *more: str) -> Iterator[Sshd]:
    folder.mkdir(parents=True, exist_ok=True)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True
        )
    shutil.copy(folder / "user.pub", folder / "authorized_keys")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "sshd_config").write_text(
        "\n".join(
            (
                f"Port {port}",
                "ListenAddress 127.0.0.1",
                f"HostKey {folder / 'host'}",
                f"AuthorizedKeysFile {folder / 'authorized_keys'}",
                "PidFile none",
                "StrictModes no",
                "UsePAM no",
                "PasswordAuthentication no",
                "KbdInteractiveAuthentication no",
                "PermitRootLogin yes",
                *more,
                "",
            )
        )
    )
    (folder / "ssh_config").write_text(
        f"IdentityFile {folder / 'user'}\nIdentitiesOnly yes\nStrictHostKeyChecking no\n"
        f"UserKnownHostsFile {folder / 'known_hosts'}\n"
    )
    server = Sshd(folder, port)
    server.start()
    try:
        yield server
    finally:
        server.stop()
