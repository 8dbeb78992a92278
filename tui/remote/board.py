"""A board that is somewhere else: its samples, its server's port, and its connection's state."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from tui.core.board.reading import Reading, Snapshot
from tui.core.text.sanitize import clean_line
from tui.remote.address import BoardAddress
from tui.remote.loop_reading import LoopReading
from tui.remote.npulse_reading import NoNpulseError, NpulseReading
from tui.remote.reading import BoardReading
from tui.remote.ssh import SYSTEM_SSH, Ssh, SshError, SshOptions

RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)
NAMES = ("npu.load", "ram.total", "ram.available", "ddr.freq", "soc.temp")
"""Readings that are reported as absent without a connection."""

LinkState = Literal["connecting", "connected", "lost"]


@dataclass(frozen=True, slots=True)
class RemoteLink:
    """How the connection to a board is. ``latency_ms`` is the time until the first answer of
    the last round; ``since_ns`` is when ``state`` began (perf_counter_ns)."""

    state: LinkState = "connecting"
    since_ns: int = 0
    latency_ms: float | None = None
    problem: str | None = None
    """Why it was lost, in one sentence."""
    reconnections: int = 0
    has_npulse: bool = False
    """Whether npulse at the other end samples; else a loop reads its files."""
    note: str = ""
    """Why npulse there is not used, in one sentence; empty where it is, or there is none."""


class RemoteBoard:
    """Samples a board over ssh.

    :meth:`sample` blocks for a round, in one thread; a connection that is lost comes back by itself
    and what was on its way is asked anew. :meth:`close` may be called from any thread.
    """

    def __init__(
        self,
        address: BoardAddress,
        options: SshOptions = SYSTEM_SSH,
        *,
        interval_s: float = 1.0,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
        lent: Path | None = None,
    ) -> None:
        """``lent``: see :class:`tui.remote.ssh.Ssh`."""
        self.address = address
        self.link = RemoteLink(since_ns=clock_ns())
        self._ssh = Ssh(address, options, lent=lent)
        self._interval_s = interval_s
        self._clock_ns = clock_ns
        self._reading: BoardReading | None = None
        self._asks_npulse = True
        """Whether npulse was not asked for in this connection, or does what it should."""
        self._is_over = threading.Event()
        self._attempts = 0
        self._retry_ns = 0

    def connect(self, *, may_ask: bool) -> None:
        """Log in, and read everything once. Raises SshError."""
        self._ssh.connect(may_ask=may_ask)
        self._begin()

    def sample(self) -> Snapshot:
        """One snapshot, or one that says why there is none. Never raises for what a connection may
        do."""
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
        """Whether the login had to ask for something."""
        return self._ssh.has_asked

    @property
    def ssh_socket(self) -> Path:
        """Of its ssh, for a process that goes through the same login."""
        return self._ssh.socket

    def read_file(self, path: str, limit: int) -> bytes | None:
        """The first bytes of a file of the board; None where it cannot be read. Blocks."""
        if self.link.state != "connected":
            return None
        return self._ssh.read_file(self.address.root.rstrip("/") + path, limit)

    def forwarded(self, url: str) -> str:
        """The local address that is forwarded to that address of the board. Raises SshError."""
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        local = self._ssh.forward(parts.hostname or "127.0.0.1", port)
        return parts._replace(netloc=f"127.0.0.1:{local}").geturl()

    def close(self) -> None:
        """End the loop and the connection."""
        self._is_over.set()
        self._end_reading()
        self._ssh.close()

    # The connection ---------------------------------------------------------------------------

    def _begin(self) -> None:
        """Start to read, by npulse where it is installed there. Raises SshError."""
        self._end_reading()
        reading: BoardReading | None = None
        if self._asks_npulse:
            try:
                reading = self._made(NpulseReading)
            except NoNpulseError as error:
                self._use_loop(str(error))
        try:
            self._reading = reading or self._made(LoopReading)
        except (OSError, ValueError) as error:
            raise SshError(f"{self.address.shown} cannot be read: {error}") from error
        self._attempts = 0
        self._ssh.forward_again()
        note = "" if reading is not None else self.link.note
        self.link = replace(self.link, has_npulse=reading is not None, note=note)
        self._say("connected", None)

    def _made(self, way: type[NpulseReading] | type[LoopReading]) -> BoardReading:
        return way(
            self._ssh,
            interval_s=self._interval_s,
            clock_ns=self._clock_ns,
            is_over=self._is_over,
        )

    def _use_loop(self, why: str) -> None:
        self._asks_npulse = False
        note = f"{clean_line(why)}: its files are read by a loop instead" if why else ""
        self.link = replace(self.link, note=note)

    def _reconnect(self) -> bool:
        now_ns = self._clock_ns()
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
            self._retry_ns = self._clock_ns() + round(pause_s * 1e9)
            self._say("lost", str(error))
            return False
        self.link = replace(self.link, reconnections=self.link.reconnections + 1)
        return True

    def _lose(self, problem: str) -> None:
        if self.link.has_npulse and self._ssh.is_connected:
            # Not the line: there the loop does it.
            self._use_loop(problem)
        self._end_reading()
        self._retry_ns = 0
        self._say("lost", problem)

    def _say(self, state: LinkState, problem: str | None) -> None:
        since_ns = self.link.since_ns if state == self.link.state else self._clock_ns()
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
        return Snapshot(self._clock_ns(), time.time(), dict.fromkeys(NAMES, Reading.absent(reason)))
