"""Samples a board without npulse: a loop of POSIX sh reads its files."""

from __future__ import annotations

import os
import select
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from tui.board.sampler import Sampler
from tui.core.board.reading import Reading, Snapshot
from tui.remote.files import RemoteFiles
from tui.remote.remote_sampler import ANSWER_S, NOT_OVER_SSH
from tui.remote.requests import END, Answer, AnswerReader, Request, loop_script
from tui.remote.ssh import Ssh

WARM_UP_ROUNDS = 10
"""Most rounds at the start: each gives the names that the next one needs."""
GATHER_S = 0.008


class LoopSampler:
    """A :class:`tui.remote.remote_sampler.RemoteSampler`. Setting ``is_over`` ends any wait."""

    def __init__(
        self,
        ssh: Ssh,
        *,
        interval_s: float,
        clock_ns: Callable[[], int],
        is_over: threading.Event,
    ) -> None:
        """Start the loop and find all files. Raises OSError, ValueError, SshError."""
        self.latency_ms: float | None = None
        self._clock_ns = clock_ns
        self._is_over = is_over
        self._sample_ns = 0
        self._files = RemoteFiles(ssh.address.root)
        self._loop = ssh.start(loop_script())
        assert self._loop.stdout is not None
        os.set_blocking(self._loop.stdout.fileno(), False)
        try:
            for _ in range(WARM_UP_ROUNDS):
                # A new sampler each time, as a reader that found nothing would pause.
                Sampler(files=self._files, interval_s=interval_s).sample()
                if not self._files.has_new_wishes:
                    break
                self._round()
        except BaseException:
            self.close()
            raise
        self._sampler = Sampler(
            files=self._files, interval_s=interval_s, clock_ns=lambda: self._sample_ns
        )

    def sample(self) -> Snapshot:
        self._round()
        return _without_untold(self._sampler.sample())

    def close(self) -> None:
        end_process(self._loop)

    def _round(self) -> None:
        requests = self._files.wanted()
        began_ns = self._clock_ns()
        answers = self._ask([self._files.asked(one) for one in requests])
        took_ns = self._clock_ns() - began_ns
        # The files were read at about the middle of the round; this keeps rates steady.
        self._sample_ns = began_ns + took_ns // 2
        self._files.put(requests, answers)

    def _ask(self, requests: list[Request]) -> list[Answer]:
        """Send requests and wait for their answers. Raises OSError, and ValueError for invalid
        answers."""
        loop = self._loop
        assert loop.stdin is not None
        assert loop.stdout is not None
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
                self.latency_ms = (self._clock_ns() - sent_ns) / 1e6
            data = os.read(fd, 1 << 16)
            if not data:
                raise OSError("the connection was closed")
            reader.feed(data)
            if not reader.is_whole:
                # The loop writes each answer separately: collect several before the next read.
                time.sleep(GATHER_S)
        return reader.answers


def end_process(process: subprocess.Popen[bytes]) -> None:
    """Kill an ssh process and close its pipes."""
    process.kill()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    process.wait()


def _without_untold(snapshot: Snapshot) -> Snapshot:
    """The snapshot with readings absent that do not apply: npulse's own usage, library versions."""
    untold = {
        name: Reading.absent(NOT_OVER_SSH, reading.unit)
        for name, reading in snapshot.readings.items()
        if name in ("npu.runtime", "npu.rknn_runtime") or name.startswith("npulse.")
    }
    return replace(snapshot, readings={**snapshot.readings, **untold})
