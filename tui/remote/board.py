"""A board that is somewhere else: its samples, its server's port, and its connection's state."""

from __future__ import annotations

import os
import select
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

from tui.board.sampler import Sampler
from tui.core.board.reading import Reading, Snapshot
from tui.remote.address import BoardAddress
from tui.remote.files import RemoteFiles
from tui.remote.requests import END, Answer, AnswerReader, Request, loop_script
from tui.remote.ssh import SYSTEM_SSH, Ssh, SshError, SshOptions

WARM_UP_ROUNDS = 10
"""So deep lie the files: each round brings what the one before has told of."""
ANSWER_S = 4.0
"""How long one round may take before the connection counts as gone."""
GATHER_S = 0.008
RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)
NOT_OVER_SSH = "not read over ssh"
NAMES = ("npu.load", "ram.total", "ram.available", "ddr.freq", "soc.temp")
"""Readings that are told as absent where there is no connection."""

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
    ) -> None:
        self.address = address
        self.link = RemoteLink(since_ns=clock_ns())
        self._ssh = Ssh(address, options)
        self._interval_s = interval_s
        self._clock_ns = clock_ns
        self._files = RemoteFiles(address.root)
        self._sampler: Sampler | None = None
        self._sample_ns = 0
        self._loop: subprocess.Popen[bytes] | None = None
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
        try:
            self._round()
        except (OSError, ValueError, SshError) as error:
            self._lose(str(error))
            return self._absent()
        assert self._sampler is not None
        return _without_untold(self._sampler.sample())

    def forwarded(self, url: str) -> str:
        """The same address as this machine reaches it. Raises SshError."""
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        local = self._ssh.forward(parts.hostname or "127.0.0.1", port)
        return parts._replace(netloc=f"127.0.0.1:{local}").geturl()

    def close(self) -> None:
        """End the loop and the connection."""
        self._is_over.set()
        self._end_loop()
        self._ssh.close()

    # The connection ---------------------------------------------------------------------------

    def _begin(self) -> None:
        """Start the loop, and look as deep as the files lie. Raises SshError."""
        self._end_loop()
        self._loop = self._ssh.start(loop_script())
        assert self._loop.stdout is not None
        os.set_blocking(self._loop.stdout.fileno(), False)
        self._files = RemoteFiles(self.address.root)
        try:
            for _ in range(WARM_UP_ROUNDS):
                # A new one each time: a reader that found nothing would wait for its turn.
                Sampler(files=self._files, interval_s=self._interval_s).sample()
                if not self._files.has_new_wishes:
                    break
                self._round()
        except (OSError, ValueError) as error:
            raise SshError(f"{self.address.shown} cannot be read: {error}") from error
        self._sampler = Sampler(
            files=self._files, interval_s=self._interval_s, clock_ns=lambda: self._sample_ns
        )
        self._attempts = 0
        self._ssh.forward_again()
        self._say("connected", None)

    def _reconnect(self) -> bool:
        now_ns = self._clock_ns()
        if self._is_over.is_set() or now_ns < self._retry_ns:
            return False
        pause_s = RETRY_S[min(self._attempts, len(RETRY_S) - 1)]
        self._attempts += 1
        try:
            if not self._ssh.is_connected:
                self._ssh.connect(may_ask=False)
            self._begin()
        except SshError as error:
            self._retry_ns = self._clock_ns() + round(pause_s * 1e9)
            self._say("lost", str(error))
            return False
        self.link = replace(self.link, reconnections=self.link.reconnections + 1)
        return True

    def _lose(self, problem: str) -> None:
        self._end_loop()
        self._retry_ns = 0
        self._say("lost", problem)

    def _say(self, state: LinkState, problem: str | None) -> None:
        since_ns = self.link.since_ns if state == self.link.state else self._clock_ns()
        self.link = replace(self.link, state=state, since_ns=since_ns, problem=problem)

    def _end_loop(self) -> None:
        loop, self._loop = self._loop, None
        if loop is None:
            return
        loop.kill()
        for pipe in (loop.stdin, loop.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        loop.wait()

    # A round ----------------------------------------------------------------------------------

    def _round(self) -> None:
        requests = self._files.wanted()
        began_ns = self._clock_ns()
        answers = self._ask([self._files.asked(one) for one in requests])
        took_ns = self._clock_ns() - began_ns
        # What was read was read on the way, so a slow line does not make a load jump.
        self._sample_ns = began_ns + took_ns // 2
        self._files.put(requests, answers)

    def _ask(self, requests: list[Request]) -> list[Answer]:
        """Raises OSError, and ValueError for what no loop of ours says."""
        loop = self._loop
        if loop is None or loop.stdin is None or loop.stdout is None:
            raise OSError("there is no connection")
        deadline, sent_ns = time.monotonic() + ANSWER_S, self._clock_ns()
        loop.stdin.write(b"".join(request.line for request in requests) + END)
        loop.stdin.flush()
        reader = AnswerReader([request.kind for request in requests])
        fd = loop.stdout.fileno()
        while not reader.is_whole:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or self._is_over.is_set():
                raise OSError(f"no answer for {ANSWER_S:.0f} s")
            if not select.select([fd], [], [], min(left_s, 0.5))[0]:
                continue
            if not reader.has_begun:
                self.link = replace(self.link, latency_ms=(self._clock_ns() - sent_ns) / 1e6)
            data = os.read(fd, 1 << 16)
            if not data:
                raise OSError("the connection was closed")
            reader.feed(data)
            if not reader.is_whole:
                # The answers trickle in, one write each: to wake up for all of them takes longer
                # than to read them.
                time.sleep(GATHER_S)
        return reader.answers

    def _absent(self) -> Snapshot:
        name = self.address.name
        reason = (
            f"no connection to {name}" if self.link.state == "lost" else f"connecting to {name}"
        )
        return Snapshot(self._clock_ns(), time.time(), dict.fromkeys(NAMES, Reading.absent(reason)))


def _without_untold(snapshot: Snapshot) -> Snapshot:
    """npulse's own cost is this machine's, and libraries are not searched on a far disk."""
    untold = {
        name: Reading.absent(NOT_OVER_SSH, reading.unit)
        for name, reading in snapshot.readings.items()
        if name in ("npu.runtime", "npu.rknn_runtime") or name.startswith("npulse.")
    }
    return replace(snapshot, readings={**snapshot.readings, **untold})
