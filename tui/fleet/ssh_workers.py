"""Starts workers on the boards of the config with the system's ssh.

The scheduler listens on this machine's loopback only; ssh forwards its port to the board. A worker
ends when its stdin is closed, which happens when the ssh connection ends.
"""

from __future__ import annotations

import asyncio
import shlex
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress

from tui.core.text.sanitize import clean_line
from tui.fleet.messages import JOINED
from tui.remote.address import BoardAddress
from tui.remote.ssh import SYSTEM_SSH, Ssh, SshError, SshOptions

NOT_INSTALLED = "npulse is not installed there: pip install 'npulse[fleet]' on the board"
NOT_FOUND = 127
ENDED = "its worker or the connection to it has ended; it is started again"
COMPLAINT = "npulse worker:"
END_S = 3.0
MAX_CHARS = 300
AGAIN_S = (5.0, 15.0, 30.0, 60.0)
"""Seconds before a lost board is tried again, by number of tries."""


class SshWorkers:
    """Keeps a worker running on each board until :meth:`close`. ``scheduler``: its host and port
    here. ``on_problem`` is called with (board, address, sentence) for a board that cannot be
    used."""

    def __init__(
        self,
        boards: Sequence[BoardAddress],
        scheduler: tuple[str, int],
        on_problem: Callable[[str, str, str], None],
        options: SshOptions = SYSTEM_SSH,
    ) -> None:
        self._boards = boards
        self._scheduler = scheduler
        self._on_problem = on_problem
        self._options = options
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Starts a task per board and returns at once."""
        self._tasks = [asyncio.create_task(self._keep(board)) for board in self._boards]

    async def close(self) -> None:
        """Closes the ssh connections, which ends the workers."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, board: BoardAddress) -> None:
        tries = 0
        while True:
            try:
                words, is_hopeless = await self._one(board)
            except SshError as error:
                words, is_hopeless = str(error), False
            self._on_problem(board.name, board.shown, words)
            if is_hopeless:
                return
            await asyncio.sleep(AGAIN_S[min(tries, len(AGAIN_S) - 1)])
            tries += 1

    async def _one(self, board: BoardAddress) -> tuple[str, bool]:
        """Runs one worker to its end: (why it ended, whether another try is useless). Raises
        SshError."""
        ssh = Ssh(board, self._options)
        process: subprocess.Popen[bytes] | None = None
        try:
            await asyncio.to_thread(ssh.connect, may_ask=False)
            port = await asyncio.to_thread(ssh.forward_back, *self._scheduler)
            process = await asyncio.to_thread(ssh.start, _script(board, port))
            words = await asyncio.to_thread(last_words, process)
            code = await asyncio.to_thread(process.wait)
        finally:
            if process is not None:
                await asyncio.shield(asyncio.to_thread(_ended, process))
            await asyncio.shield(asyncio.to_thread(ssh.close))
        if code == NOT_FOUND:
            return NOT_INSTALLED, True
        said = clean_line(words.removeprefix(COMPLAINT).strip(), MAX_CHARS)
        # Exit code 2: that npulse has no such command, or Dask is not installed there.
        return said or ENDED, code == 2


def _script(board: BoardAddress, port: int) -> str:
    """The shell command that runs a worker for one run."""
    words = ["npulse", "worker", f"tcp://127.0.0.1:{port}", "--once", "--name", board.name]
    if board.server_url is not None:
        words += ["--url", board.server_url]
    if board.root != "/":
        words += ["--root", board.root]
    return (
        'PATH="$PATH:$HOME/.local/bin:$HOME/bin:/usr/local/bin"; export PATH; '
        f"command -v npulse >/dev/null 2>&1 || exit {NOT_FOUND}; exec {shlex.join(words)} 2>&1"
    )


def last_words(process: subprocess.Popen[bytes]) -> str:
    """Reads the worker's output to its end: its last error line, or its last line if it never
    joined. Blocks."""
    last, complaint, has_joined = "", "", False
    assert process.stdout is not None
    with suppress(OSError, ValueError):
        for line in process.stdout:
            last = line.decode("utf-8", "replace").strip() or last
            complaint = last if last.startswith(COMPLAINT) else complaint
            has_joined = has_joined or JOINED in last
    return complaint if has_joined else last


def _ended(process: subprocess.Popen[bytes]) -> None:
    """Closes the worker's stdin and kills its ssh after ``END_S`` seconds. Blocks."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        with suppress(OSError):
            process.stdout.close()
