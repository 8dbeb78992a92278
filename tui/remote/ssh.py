"""The system's ssh: one connection for all purposes, with the user's keys, agent and jump hosts.

A first ssh process (the master) logs in and may ask for a password. Reading the board and forwarded
ports use its connection (ssh_config(5), ControlMaster). A benchmark started by a dashboard uses the
dashboard's master if that one had to ask.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tui.core.text.sanitize import clean_line
from tui.remote.address import BoardAddress
from tui.remote.shared_login import LoginUse

CONNECT_S = 20
"""ssh's time limit for a host that does not answer."""
ALIVE_S = 5
"""Interval of ssh's keep-alive messages; after three without an answer, it disconnects."""
COMMAND_S = 10.0
"""Time limit of a command to the master process."""
LINGER_S = 30
"""How long the master process stays after npulse was killed."""
MAX_WORDS = 200
_WORTH_ASKING = ("Permission denied", "Host key verification failed", "authentication failures")
"""ssh's messages after which a login with questions may succeed."""
_NOT_WORTH_TELLING = ("Warning: Permanently added", "debug1:", "** ")


class SshError(Exception):
    """There is no connection. The message is one sentence."""


@dataclass(frozen=True, slots=True)
class SshOptions:
    """``program`` is the ssh command; ``extra`` are its first arguments (tests use their own keys
    and hosts)."""

    program: str = "ssh"
    extra: tuple[str, ...] = ()


SYSTEM_SSH = SshOptions()


class Ssh:
    """A connection to one board. All methods block; :meth:`close` may be called from any thread.

    ``options``: the ssh program and its options. ``lent``: the socket of another process's master,
    which is used while it exists.
    """

    def __init__(
        self,
        address: BoardAddress,
        options: SshOptions = SYSTEM_SSH,
        *,
        lent: Path | None = None,
    ) -> None:
        self.address = address
        self._options = options
        # The path of a socket may have 104 bytes at most, so not below a long TMPDIR.
        folder = os.environ.get("XDG_RUNTIME_DIR", "")
        base = folder if folder and Path(folder).is_dir() else "/tmp"
        self._folder = Path(tempfile.mkdtemp(prefix="npulse-", dir=base))
        self._socket = self._folder / "ssh"
        self._use = LoginUse(self._folder, makes=True)
        self._lent = lent
        self._lent_use: LoginUse | None = None
        self._log = self._folder / "log"
        self._forwarded: dict[tuple[str, int], int] = {}
        self.has_asked = False
        """Whether the login asked for something, which needs a terminal."""

    @property
    def socket(self) -> Path:
        """The master's socket, for another process."""
        return self._socket

    @property
    def is_connected(self) -> bool:
        """Whether the master process is running and logged in."""
        return self._socket.exists() and self._control("check").returncode == 0

    def connect(self, *, may_ask: bool) -> None:
        """Log in without questions; if that fails and ``may_ask``, let ssh ask in the terminal.
        Raises SshError."""
        if self._lent is not None and self._joined(self._lent):
            return
        try:
            self._log_in(may_ask=False)
            self.has_asked = False
        except SshError as error:
            if not may_ask or not any(words in str(error) for words in _WORTH_ASKING):
                raise
            self._log_in(may_ask=True)
            self.has_asked = True

    def _joined(self, lent: Path) -> bool:
        """Whether the other process's master is there; from now on this goes through it."""
        self._socket = lent
        if not self.is_connected:
            self._socket = self._folder / "ssh"
            return False
        if self._lent_use is None:
            self._lent_use = LoginUse(lent.parent, makes=False)
        return True

    def _log_in(self, *, may_ask: bool) -> None:
        with suppress(OSError):
            self._socket.unlink()
        self._log.write_bytes(b"")
        command = self._command(
            *("-f", "-N", "-E", str(self._log)),
            *("-o", "ControlMaster=yes", "-o", f"ControlPersist={LINGER_S}"),
            *("-o", f"BatchMode={'no' if may_ask else 'yes'}"),
            self.address.destination,
        )
        try:
            done = subprocess.run(
                command,
                stdin=None if may_ask else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None if may_ask else subprocess.DEVNULL,
                timeout=None if may_ask else CONNECT_S + COMMAND_S,
                check=False,
            )
        except FileNotFoundError:
            raise SshError(
                "there is no ssh on this machine; install OpenSSH's client (Debian: openssh-client)"
            ) from None
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SshError(f"{self.address.shown} was not reached: {error}") from error
        if done.returncode != 0:
            raise SshError(f"{self.address.shown} was not reached: {self._last_words()}")

    def start(self, script: str, *, has_stderr: bool = False) -> subprocess.Popen[bytes]:
        """Run a one-line script with sh on the board, with pipes. Raises SshError."""
        remote = f"exec sh -c {shlex.quote(script)}"
        command = self._command(
            *("-T", "-o", "ControlMaster=no", "-o", "BatchMode=yes"),
            *(self.address.destination, remote),
        )
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if has_stderr else subprocess.DEVNULL,
                # Ctrl+C and the terminal's hang-up must reach npulse only.
                start_new_session=True,
            )
        except OSError as error:
            raise SshError(f"ssh could not be started: {error.strerror}") from error

    def read_file(self, path: str, limit: int) -> bytes | None:
        """The first ``limit`` bytes of a file on the board; None if unreadable."""
        remote = f"exec head -c {limit} {shlex.quote(path)}"
        done = self._run(
            "-T", "-o", "ControlMaster=no", "-o", "BatchMode=yes", self.address.destination, remote
        )
        return done.stdout if done.returncode == 0 else None

    def forward(self, host: str, port: int) -> int:
        """A loopback port of this machine, forwarded to ``host:port`` as seen from the board.
        Always the same port for the same target. Raises SshError."""
        local = self._forwarded.get((host, port))
        if local is None:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                local = int(free.getsockname()[1])
            self._forward(local, host, port)
            self._forwarded[host, port] = local
        return local

    def forward_back(self, host: str, port: int) -> int:
        """A loopback port of the board, chosen by it, forwarded to ``host:port`` as seen from this
        machine. Raises SshError."""
        shown = f"[{host}]" if ":" in host else host
        done = self._control("forward", "-R", f"127.0.0.1:0:{shown}:{port}")
        said = done.stdout.decode("ascii", "replace").strip()
        if done.returncode != 0 or not said.isdigit():
            words = clean_line(done.stderr.decode("utf-8", "replace"), MAX_WORDS)
            raise SshError(f"{self.address.name} does not allow remote port forwarding: {words}")
        return int(said)

    def forward_again(self) -> None:
        """Forward all earlier ports again, after another login. Raises SshError."""
        for (host, port), local in self._forwarded.items():
            self._forward(local, host, port)

    def _forward(self, local: int, host: str, port: int) -> None:
        done = self._control("forward", "-L", _forwarding(local, host, port))
        if done.returncode != 0:
            words = clean_line(done.stderr.decode("utf-8", "replace"), MAX_WORDS)
            raise SshError(f"port {port} of {self.address.name} cannot be forwarded: {words}")

    def close(self) -> None:
        """End the connection and remove its files. A master that another process still uses stays,
        and that process ends it."""
        if self._socket == self._lent:
            for (host, port), local in self._forwarded.items():
                self._control("cancel", "-L", _forwarding(local, host, port))
        lent_use, self._lent_use = self._lent_use, None
        if lent_use is not None and self._lent is not None and lent_use.leave():
            self._end(self._lent)
        if self._use.leave():
            self._end(self._folder / "ssh")

    def _end(self, socket: Path) -> None:
        self._socket = socket
        if socket.exists():
            self._control("exit")
        shutil.rmtree(socket.parent, ignore_errors=True)

    def _control(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return self._run("-O", *words, self.address.destination)

    def _run(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        command = self._command(*words)
        try:
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=COMMAND_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return subprocess.CompletedProcess(command, 255, b"", str(error).encode())

    def _command(self, *words: str) -> list[str]:
        port = () if self.address.port is None else ("-p", str(self.address.port))
        return [
            self._options.program,
            *self._options.extra,
            *("-S", str(self._socket), *port),
            *("-o", f"ConnectTimeout={CONNECT_S}", "-o", f"ServerAliveInterval={ALIVE_S}"),
            *("-o", "ServerAliveCountMax=3", "-o", "ExitOnForwardFailure=yes"),
            *("-o", "PermitLocalCommand=no"),
            *words,
        ]

    def _last_words(self) -> str:
        """ssh's last message, in one line."""
        try:
            lines = self._log.read_text("utf-8", "replace").splitlines()
        except OSError:
            lines = []
        told = [line for line in lines if line.strip() and not line.startswith(_NOT_WORTH_TELLING)]
        if not told:
            return "ssh gave no reason"
        return clean_line(told[-1], MAX_WORDS).rstrip(".")


def _forwarding(local: int, host: str, port: int) -> str:
    """As ``-L`` takes it."""
    shown = f"[{host}]" if ":" in host else host
    return f"127.0.0.1:{local}:{shown}:{port}"
