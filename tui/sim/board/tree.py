"""Writes the simulated board's /sys and /proc below a directory, and updates them.

Files are rewritten in place, as readers keep them open: through an open descriptor, a replaced file
would still show its old content. Each file is written by one call, and small enough to be read by
one.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

from tui.sim.board.clock_choices import chosen
from tui.sim.board.state import BoardMemo
from tui.sim.board.tree_moving import Motion, changed
from tui.sim.board.tree_still import still_files, still_links
from tui.sim.profiles import SimOptions

MARK = "npulse-simulated"
"""The file in the root that marks a simulated board; it holds the name of the profile."""
PERIOD_S = 0.25
CLOSED = Path("sys/kernel/debug")
WRITE_ONLY = "/proc/sys/vm/compact_memory"
CLOSED_MODE = 0o700 if os.getuid() == 0 else 0
"""Mode of a folder that only root may enter; for another user, no user may."""


class TreeError(ValueError):
    """The directory cannot be used for a tree. The message is one sentence for the user."""


def check_root(root: Path) -> None:
    """Raises TreeError unless the directory is missing, empty, or an older simulated tree."""
    try:
        names = {entry.name for entry in root.iterdir()}
    except FileNotFoundError:
        return
    except OSError as error:
        raise TreeError(f"cannot use {root} for --root: {error.strerror}") from error
    if names and MARK not in names:
        raise TreeError(f"--root takes an empty or new directory, and {root} is neither")


class Tree:
    """The tree of one simulated board; a context manager that closes it at its end."""

    def __init__(self, root: Path, memo: BoardMemo, options: SimOptions) -> None:
        self._root = root
        self._memo = memo
        self._options = options
        self._motion = Motion(options.seed, options.speed, time.perf_counter_ns())
        self._fds: dict[str, int] = {}
        self._written: dict[str, bytes] = {}
        self._wake = Event()
        self._is_over = False
        self._thread = Thread(target=self._keep_moving, name="tree", daemon=True)

    def grow(self) -> None:
        """Write all files and start the thread that updates them. Raises OSError."""
        self._root.mkdir(parents=True, exist_ok=True)
        self._create(MARK, f"{self._options.profile.name}\n".encode())
        # Each start counts as a boot: values that a user wrote before are lost, as on a board.
        self._create("proc/sys/kernel/random/boot_id", f"{uuid.uuid4()}\n".encode())
        for path, data in still_files().items():
            self._create(path, data)
        for path, target in still_links().items():
            link = self._root / path
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(target)
        self._move()
        if "no-permission" in self._memo.now.conditions:
            # The open descriptors still work; no reader can enter the folder.
            (self._root / CLOSED).chmod(CLOSED_MODE)
            if os.geteuid() == 0:
                # Root enters every folder; of this file it may not read either.
                load = self._root / CLOSED / "rknpu/load"
                load.unlink(missing_ok=True)
                load.symlink_to(WRITE_ONLY)
        self._memo.on_change = self._wake.set
        self._thread.start()

    def close(self) -> None:
        """Stop the thread, and remove the tree if ``is_root_removed`` is set."""
        self._is_over = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        for fd in self._fds.values():
            os.close(fd)
        self._fds.clear()
        with suppress(OSError):
            (self._root / CLOSED).chmod(0o755)
        if self._options.is_root_removed and (self._root / MARK).exists():
            shutil.rmtree(self._root, ignore_errors=True)

    def __enter__(self) -> Tree:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _keep_moving(self) -> None:
        while not self._is_over:
            self._wake.wait(PERIOD_S)
            self._wake.clear()
            try:
                self._move()
            except OSError:
                # The directory was removed.
                return

    def _move(self) -> None:
        self._memo.set_choices(chosen(self._root, self._memo.now.choices, self._written))
        files = self._motion.files(self._memo.now, time.perf_counter_ns())
        self._memo.set_overheated(self._motion.is_overheated)
        for path, data in changed(self._written, files).items():
            fd = self._fds.get(path)
            if fd is None:
                self._create(path, b"")
                fd = self._fds[path] = os.open(self._root / path, os.O_WRONLY | os.O_CLOEXEC)
            os.pwrite(fd, data, 0)
            if len(data) < len(self._written.get(path, b"")):
                os.ftruncate(fd, len(data))
        self._written = files

    def _create(self, path: str, data: bytes) -> None:
        file = self._root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
