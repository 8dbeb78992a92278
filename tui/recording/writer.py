"""Writes lines to a new file in a thread, so that no write delays a token."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from tui.core.text.sanitize import clean_line
from tui.files.private import create_private, make_folder

EVERY_S = 0.5
"""Seconds between two writes; as much is lost if npulse is killed."""
MAX_WAITING_BYTES = 64 << 20
"""Limit of unwritten bytes, for a disk that accepts no writes; further lines are dropped."""


class FileExistsAlreadyError(ValueError):
    """The file exists already. The message is one sentence."""


class LineWriter:
    """Writes a new file with mode 0600, created with the first lines. Written lines stay readable
    if this process is killed. ``on_problem`` is called once, in the writing thread, with a sentence
    at the first error; nothing is written after it.
    """

    def __init__(self, path: Path, on_problem: Callable[[str], None]) -> None:
        self._path = path
        self._on_problem = on_problem
        self._wake = threading.Condition()
        """Guards the four below."""
        self._lines: list[bytes] = []
        self._n_bytes = 0
        self._is_closing = self._is_over = False
        self._thread: threading.Thread | None = None
        self._fd: int | None = None

    @staticmethod
    def check(path: Path) -> None:
        """Raises FileExistsAlreadyError if a file of this name exists."""
        if path.exists() or path.is_symlink():
            raise FileExistsAlreadyError(
                f"{clean_line(str(path))} already exists; name another file, or move it away"
            )

    def write(self, data: bytes) -> None:
        """Queue these lines for writing. May be called from any thread."""
        with self._wake:
            if self._is_over or self._n_bytes > MAX_WAITING_BYTES:
                return
            self._lines.append(data)
            self._n_bytes += len(data)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="npulse-recording", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """Write the rest. Blocks until that is done."""
        with self._wake:
            self._is_closing = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            while True:
                with self._wake:
                    if not self._is_closing:
                        self._wake.wait(EVERY_S)
                    lines, self._lines, self._n_bytes = self._lines, [], 0
                    is_closing = self._is_closing
                if lines:
                    self._append(b"".join(lines))
                if is_closing:
                    return
        except OSError as error:
            self._on_problem(
                f"the recording {clean_line(str(self._path))} is incomplete: "
                f"{error.strerror or error}"
            )
        finally:
            with self._wake:
                self._is_over = True
            if self._fd is not None:
                os.close(self._fd)

    def _append(self, data: bytes) -> None:
        if self._fd is None:
            make_folder(self._path.parent)
            self._fd = create_private(self._path, os.O_WRONLY | os.O_EXCL | os.O_NOFOLLOW)
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]
