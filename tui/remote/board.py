"""A remote board: its snapshots, files, forwarded ports, and the state of its connection."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from tui.core.board.reading import Reading, Snapshot
from tui.core.text.sanitize import clean_line
from tui.remote.address import BoardAddress
from tui.remote.loop_sampler import LoopSampler
from tui.remote.npulse_sampler import NoNpulseError, NpulseSampler
from tui.remote.remote_sampler import RemoteSampler
from tui.remote.ssh import SYSTEM_SSH, Ssh, SshError, SshOptions

RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)
NAMES = ("npu.load", "ram.total", "ram.available", "ddr.freq", "soc.temp")
"""Readings in the snapshot without a connection, all absent."""

LinkState = Literal["connecting", "connected", "lost"]


@dataclass(frozen=True, slots=True)
class RemoteLink:
    """State of the connection to a board. ``latency_ms`` is the time until the first byte of the
    last answer; ``since_ns`` is when ``state`` began (perf_counter_ns)."""

    state: LinkState = "connecting"
    since_ns: int = 0
    latency_ms: float | None = None
    problem: str | None = None
    """Why the connection was lost, in one sentence."""
    reconnections: int = 0
    has_npulse: bool = False
    """Whether npulse on the board samples; else a shell loop reads its files."""
    note: str = ""
    """Why npulse on the board is not used, in one sentence; empty if it is used or not
    installed."""


class RemoteBoard:
    """Samples a board over ssh.

    :meth:`sample` blocks, and must be called from one thread only. It reconnects if the connection
    was lost. :meth:`close` may be called from any thread.
    """

    def __init__(
        self,
        address: BoardAddress,
        options: SshOptions = SYSTEM_SSH,
        *,
        interval_s: float = 1.0,
        lent: Path | None = None,
    ) -> None:
        """``lent``: see :class:`tui.remote.ssh.Ssh`."""
        self.address = address
        self.link = RemoteLink(since_ns=time.perf_counter_ns())
        self._ssh = Ssh(address, options, lent=lent)
        self._interval_s = interval_s
        self._reading: RemoteSampler | None = None
        self._asks_npulse = True
        """Whether to try npulse on the board; False after it failed in this connection."""
        self._is_over = threading.Event()
        self._attempts = 0
        self._retry_ns = 0

    def connect(self, *, may_ask: bool) -> None:
        """Log in and read all files once. ``may_ask``: ssh may ask for a password. Raises
        SshError."""
        self._ssh.connect(may_ask=may_ask)
        self._begin()

    def sample(self) -> Snapshot:
        """Take a snapshot; without a connection, one with absent readings. Errors of the connection
        raise nothing."""
        if self.link.state != "connected" and not self._reconnect():
            return self._absent()
        reading = self._reading
        try:
            if reading is None:
                raise OSError("there is no connection")
            snapshot = reading.sample()
        except (OSError, ValueError) as error:
            self._lose(str(error))
            return self._absent()
        if reading.latency_ms is not None:
            self.link = replace(self.link, latency_ms=reading.latency_ms)
        return snapshot

    @property
    def has_asked(self) -> bool:
        """Whether ssh asked for something at the login."""
        return self._ssh.has_asked

    @property
    def ssh_socket(self) -> Path:
        """Of its ssh, for a process that goes through the same login."""
        return self._ssh.socket

    def read_file(self, path: str, limit: int) -> bytes | None:
        """The first ``limit`` bytes of a file on the board; None if unreadable. Blocks."""
        if self.link.state != "connected":
            return None
        return self._ssh.read_file(self.address.root.rstrip("/") + path, limit)

    def forwarded(self, url: str) -> str:
        """The URL of a local port that is forwarded to this URL on the board. Raises SshError."""
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        local = self._ssh.forward(parts.hostname or "127.0.0.1", port)
        return parts._replace(netloc=f"127.0.0.1:{local}").geturl()

    def close(self) -> None:
        """End the reading process and the connection."""
        self._is_over.set()
        self._end_reading()
        self._ssh.close()

    # The connection ---------------------------------------------------------------------------

    def _begin(self) -> None:
        """Start reading, by npulse if it is installed on the board. Raises SshError."""
        self._end_reading()
        reading: RemoteSampler | None = None
        if self._asks_npulse:
            try:
                reading = self._made(NpulseSampler)
            except NoNpulseError as error:
                self._use_loop(str(error))
        try:
            self._reading = reading or self._made(LoopSampler)
        except (OSError, ValueError) as error:
            raise SshError(f"{self.address.shown} cannot be read: {error}") from error
        self._attempts = 0
        self._ssh.forward_again()
        note = "" if reading is not None else self.link.note
        self.link = replace(self.link, has_npulse=reading is not None, note=note)
        self._say("connected", None)

    def _made(self, way: type[NpulseSampler] | type[LoopSampler]) -> RemoteSampler:
        return way(
            self._ssh,
            interval_s=self._interval_s,
            clock_ns=time.perf_counter_ns,
            is_over=self._is_over,
        )

    def _use_loop(self, why: str) -> None:
        self._asks_npulse = False
        note = f"{clean_line(why)}: a shell loop reads its files instead" if why else ""
        self.link = replace(self.link, note=note)

    def _reconnect(self) -> bool:
        now_ns = time.perf_counter_ns()
        if self._is_over.is_set() or now_ns < self._retry_ns:
            return False
        pause_s = RETRY_S[min(self._attempts, len(RETRY_S) - 1)]
        self._attempts += 1
        try:
            if not self._ssh.is_connected:
                self._ssh.connect(may_ask=False)
                self._asks_npulse = True
            self._begin()
        except SshError as error:
            self._retry_ns = time.perf_counter_ns() + round(pause_s * 1e9)
            self._say("lost", str(error))
            return False
        self.link = replace(self.link, reconnections=self.link.reconnections + 1)
        return True

    def _lose(self, problem: str) -> None:
        if self.link.has_npulse and self._ssh.is_connected:
            # The connection works, so npulse on the board failed: use the shell loop.
            self._use_loop(problem)
        self._end_reading()
        self._retry_ns = 0
        self._say("lost", problem)

    def _say(self, state: LinkState, problem: str | None) -> None:
        since_ns = self.link.since_ns if state == self.link.state else time.perf_counter_ns()
        self.link = replace(self.link, state=state, since_ns=since_ns, problem=problem)

    def _end_reading(self) -> None:
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.close()

    def _absent(self) -> Snapshot:
        name = self.address.name
        reason = (
            f"no connection to {name}" if self.link.state == "lost" else f"connecting to {name}"
        )
        return Snapshot(
            time.perf_counter_ns(), time.time(), dict.fromkeys(NAMES, Reading.absent(reason))
        )
