"""Starts the simulated board as a child process that ends with its parent.

However the parent ends, also by ``kill -9``, the simulator ends too and removes the tree that was
made for it.
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0
GREETING = b"listening on "


class SpawnError(RuntimeError):
    """The simulator did not start. The message is one sentence for the user."""


class Simulator:
    """A running simulated board; a context manager that stops it at its end."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, root: Path | None) -> None:
        self.url = url
        self.root = root
        """The temporary directory with its /sys and /proc files, if it has one."""
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """Terminate it, or kill it after ``timeout_s``. Returns its exit code. May be called
        again."""
        if self.is_running:
            self._process.terminate()
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        if self.root is not None:
            shutil.rmtree(self.root, ignore_errors=True)
        return code

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def spawn(
    arguments: Sequence[str] = (),
    *,
    has_root: bool = False,
    timeout_s: float = START_TIMEOUT_S,
) -> Simulator:
    """Start ``npulse sim`` with these arguments and wait until it listens.

    ``has_root``: let it write its /sys and /proc files to a temporary directory, removed at its
    end. Blocks for some 100 ms. Raises SpawnError.
    """
    root = Path(tempfile.mkdtemp(prefix="npulse-sim-")) if has_root else None
    command = [sys.executable, "-m", "tui", "sim", "--parent", str(os.getpid()), *arguments]
    if root is not None:
        command += ["--root", str(root), "--remove-root-at-exit"]
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_environment(),
                # Ctrl+C and the terminal's hang-up must reach npulse only, which then stops it.
                start_new_session=True,
            )
        except OSError as error:
            if root is not None:
                shutil.rmtree(root, ignore_errors=True)
            raise SpawnError(f"cannot start the simulated board: {error.strerror}") from error
        try:
            url = _url(process, timeout_s)
        except BaseException:
            process.kill()
            Simulator(process, "", root).stop()
            raise
        simulator = Simulator(process, url or "", root)
        if url is None:
            simulator.stop()
            errors.seek(0)
            said = errors.read(2000).decode("utf-8", "replace").strip().splitlines()
            why = said[-1] if said else f"it did not answer within {timeout_s:g} s"
            raise SpawnError(f"the simulated board did not start: {why}")
    return simulator


def _url(process: subprocess.Popen[bytes], timeout_s: float) -> str | None:
    """The URL from its first line of output; None without one within ``timeout_s``."""
    assert process.stdout is not None
    fd = process.stdout.fileno()
    end_s = time.monotonic() + timeout_s
    line = b""
    while b"\n" not in line:
        left_s = end_s - time.monotonic()
        if left_s <= 0 or not select.select([fd], [], [], left_s)[0]:
            return None
        data = os.read(fd, 4096)
        if not data:
            return None
        line += data
    first = line.split(b"\n", 1)[0]
    return first[len(GREETING) :].decode("ascii") if first.startswith(GREETING) else None


def _environment() -> dict[str, str]:
    """This process's environment; in a checkout with PYTHONPATH, so that any folder will do."""
    environment = dict(os.environ)
    home = Path(__file__).resolve().parents[3]
    if home.name not in ("site-packages", "dist-packages"):
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{home}{os.pathsep}{known}" if known else str(home)
    return environment
