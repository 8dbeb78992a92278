"""Samples a board on which npulse is installed, by ``npulse board --watch --json`` there.

It has readings that the shell loop cannot give, such as the runtime's version, and its times do not
depend on the connection. It runs as one process, where the loop starts one for each long file.
"""

from __future__ import annotations

import os
import select
import shlex
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from tui import __version__
from tui.board.advice.json_snapshot import snapshot_of
from tui.core.board.reading import Reading, Snapshot
from tui.core.text.sanitize import clean_line
from tui.remote.loop_sampler import end_process
from tui.remote.remote_sampler import ANSWER_S, NOT_OVER_SSH
from tui.remote.ssh import Ssh

START_S = 20.0
"""Time limit for starting Python and two samples on a slow SD card."""
MAX_LINE_BYTES = 1 << 20
MAX_SKIPPED = 50
"""Most lines of a login shell's output before the first sample."""
MARK = b"npulse: "
DRIFT_NS = 100_000
"""Most drift of the two machines' clocks per sample."""


class NoNpulseError(Exception):
    """npulse on the board cannot be used. The message is the reason, empty if it is not
    installed."""


class NpulseSampler:
    """A :class:`tui.remote.remote_sampler.RemoteSampler`.

    The process prints samples at its interval. A line sent to its stdin comes back on its stderr,
    which measures the latency. It ends when its stdin is closed.
    """

    def __init__(
        self,
        ssh: Ssh,
        *,
        interval_s: float,
        clock_ns: Callable[[], int],
        is_over: threading.Event,
    ) -> None:
        """Start the process and wait for the first sample. Raises NoNpulseError, SshError."""
        self.latency_ms: float | None = None
        self._clock_ns = clock_ns
        self._is_over = is_over
        self._interval_s = interval_s
        self._out, self._err = b"", b""
        self._n_skipped = 0
        self._sent = 0
        self._came_back = 0
        self._sent_ns = 0
        self._offset_ns: int | None = None
        self._said_version: str | None = None
        self._first: Snapshot | None = None
        self._process = ssh.start(script(ssh.address.root, interval_s), has_stderr=True)
        try:
            self._first = self._begun()
        except (OSError, ValueError) as error:
            self.close()
            raise NoNpulseError(f"npulse there sends no samples ({error})") from error
        except BaseException:
            self.close()
            raise

    def sample(self) -> Snapshot:
        """The newest snapshot that was not returned yet; waits for it. Raises OSError,
        ValueError."""
        first, self._first = self._first, None
        if first is not None:
            return first
        self._ping()
        found = self._next(time.monotonic() + self._interval_s + ANSWER_S)
        if found is None:
            raise OSError(f"no answer for {ANSWER_S:.0f} s")
        return found

    def close(self) -> None:
        end_process(self._process)

    def _begun(self) -> Snapshot:
        deadline = time.monotonic() + START_S
        found = None
        while found is None and time.monotonic() < deadline and not self._is_over.is_set():
            found = self._read(min(0.5, deadline - time.monotonic()))
            if self._said_version is not None and self._said_version != __version__:
                raise NoNpulseError(_other_version(self._said_version))
        if found is None:
            raise OSError(f"no sample within {START_S:.0f} s")
        return found

    def _ping(self) -> None:
        if self._came_back != self._sent:
            return
        self._sent += 1
        self._sent_ns = self._clock_ns()
        assert self._process.stdin is not None
        self._process.stdin.write(b"%d\n" % self._sent)
        self._process.stdin.flush()

    def _next(self, deadline: float) -> Snapshot | None:
        found = None
        while time.monotonic() < deadline and not self._is_over.is_set():
            found = self._read(min(0.5, max(deadline - time.monotonic(), 0.0))) or found
            if found is not None and self._came_back == self._sent:
                return found
        return None

    def _read(self, wait_s: float) -> Snapshot | None:
        """Read what arrives within ``wait_s``; returns the newest snapshot in it, or None."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        out, err = self._process.stdout.fileno(), self._process.stderr.fileno()
        ready = select.select([out, err], [], [], wait_s)[0]
        if err in ready:
            self._read_notes(err)
        if out not in ready:
            return None
        data = os.read(out, 1 << 18)
        if not data:
            if select.select([err], [], [], 0.5)[0]:  # its last message may arrive later
                self._read_notes(err)
            self._ended()
        self._out += data
        *told, self._out = self._out.split(b"\n")
        if len(self._out) > MAX_LINE_BYTES:
            raise ValueError("its output has no line breaks")
        found = None
        for line in told:
            found = self._snapshot(line) or found
        return found

    def _read_notes(self, fd: int) -> None:
        self._err += os.read(fd, 1 << 16)
        *lines, self._err = self._err.split(b"\n")
        for line in lines:
            self._take_note(line)

    def _take_note(self, line: bytes) -> None:
        if not line.startswith(MARK):
            self._err = self._err[-MAX_LINE_BYTES:]
            return
        said = line.removeprefix(MARK).decode("utf-8", "replace").strip()
        if said == "ended":
            raise OSError("npulse there has ended")
        if said.isdecimal():
            self._came_back = min(int(said[:18]), self._sent)
            self.latency_ms = (self._clock_ns() - self._sent_ns) / 1e6
        else:
            self._said_version = clean_line(said.removeprefix("npulse "), 40)

    def _ended(self) -> None:
        if self._said_version == "absent":
            raise NoNpulseError("")
        if self._said_version not in (None, __version__):
            raise NoNpulseError(_other_version(self._said_version or ""))
        raise OSError("npulse there has ended")

    def _snapshot(self, line: bytes) -> Snapshot | None:
        now_ns = self._clock_ns()
        try:
            told = snapshot_of(line)
        except ValueError:
            self._n_skipped += 1
            if self._offset_ns is not None or self._n_skipped > MAX_SKIPPED:
                shown = clean_line(line[:80].decode("utf-8", "replace"))
                raise ValueError(f"unexpected output: {shown}") from None
            return None
        # The smallest offset is that of the fastest line: delayed lines must not shift the time.
        offset_ns = now_ns - told.t_ns
        if self._offset_ns is not None:
            offset_ns = min(offset_ns, self._offset_ns + DRIFT_NS)
        self._offset_ns = offset_ns
        readings = {
            name: Reading.absent(NOT_OVER_SSH, one.unit) if name.startswith("npulse.") else one
            for name, one in told.readings.items()
        }
        return replace(told, t_ns=told.t_ns + offset_ns, readings=readings)


def script(root: str, interval_s: float) -> str:
    """A line for a POSIX shell: runs npulse in the background, and echoes its input to stderr."""
    where = "" if root == "/" else f" --root {shlex.quote(root)}"
    mark = MARK.decode().strip()
    return (
        "PATH=$PATH:$HOME/.local/bin:/usr/local/bin; export PATH; "
        f"command -v npulse >/dev/null 2>&1 || {{ echo '{mark} absent' >&2; exit 0; }}; "
        f'v=$(npulse --version 2>/dev/null </dev/null); echo "{mark} $v" >&2; '
        f'[ "$v" = "npulse {__version__}" ] || exit 0; '
        # Its end is reported by a line, as ssh does not pass on the end of its output.
        f"{{ npulse board --watch --json --interval {max(interval_s, 0.1):g}{where} </dev/null "
        f"2>/dev/null & m=$!; trap 'kill $m' TERM; wait $m; echo '{mark} ended' >&2; }} & n=$!; "
        f'while IFS= read -r l; do echo "{mark} $l" >&2; done; kill $n 2>/dev/null'
    )


def _other_version(said: str) -> str:
    if said == "absent":
        return ""
    there = clean_line(said, 40) or "of an unknown version"
    return f"npulse there is {there}, and {__version__} here"
