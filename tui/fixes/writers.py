"""Writers for the files of a fix: this process, or a process that sudo starts as root."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

from tui.board.advice import root_writer
from tui.core.board.fix import FileKind, Fix
from tui.core.text.sanitize import clean, clean_line
from tui.fixes.change import BoardPlace, FixError

STOP_S = 5.0
MAX_SAID_CHARS, MAX_REASON_CHARS = 300, 160
NO_RIGHTS = "sudo did not grant root rights; nothing was changed"

_REASONS = {
    errno.EACCES: "only root may write there",
    errno.EPERM: "only root may write there",
    errno.EROFS: "it is read-only here, as in a container",
    errno.EBUSY: "the driver is busy or does not allow it now",
    errno.EINVAL: "the kernel rejects this value",
    errno.ENOENT: "it does not exist",
    errno.ENODEV: "its driver is not loaded",
    root_writer.ELSEWHERE: "a link leads from there out of the board's own files",
}


class FileWriter(Protocol):
    """Writes the files of one fix."""

    def write(self, path: str, value: str | None, kind: FileKind) -> None:
        """Write a value; None removes the file. Raises FixError."""

    def run(self, command: Sequence[str]) -> None:
        """Raises FixError."""

    def close(self) -> None: ...


def write_error(path: str, value: str | None, found: str | int) -> FixError:
    """A FixError with a sentence for an errno or a message."""
    reason = found
    if isinstance(found, int):
        reason = _REASONS.get(found) or os.strerror(found)
    what = "cannot be removed" if value is None else f"cannot be set to {clean_line(value, 40)}"
    return FixError(clean_line(f"{path} {what}: {reason}.", MAX_SAID_CHARS))


class DirectWriter:
    """Writes in this process: as root, or to files that this user may write."""

    def __init__(self, place: BoardPlace) -> None:
        self._place = place

    def write(self, path: str, value: str | None, kind: FileKind) -> None:
        if not root_writer.is_known(path, value, kind):
            raise write_error(path, value, "no fix writes this value there")
        try:
            root_writer.put(self._place.key, path, value, kind)
        except OSError as error:
            raise write_error(path, value, error.errno or str(error)) from None

    def run(self, command: Sequence[str]) -> None:
        if not root_writer.is_known_command(command):
            raise FixError("This command is not part of a fix.")
        said = root_writer.run(command)
        if said is not None:
            raise FixError(clean_line(said, MAX_SAID_CHARS) + ".")

    def close(self) -> None:
        return


class SudoWriter:
    """Writes through a process that sudo starts as root. sudo asks for the password in the
    terminal, which must be free.

    Raises FixError if sudo does not start it.
    """

    def __init__(self, place: BoardPlace, paths: Sequence[str], program: str = "sudo") -> None:
        script = str(Path(root_writer.__file__).resolve())
        command = [program, sys.executable, "-I", script, place.key, *paths]
        with _interrupts_end_only_sudo():
            try:
                # Without start_new_session: sudo asks for the password in this terminal.
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                )
            except OSError as error:
                raise FixError(f"sudo could not be started: {error.strerror}.") from None
            assert self._process.stdout is not None
            assert self._process.stderr is not None
            self._said = _Said(self._process.stderr)
            is_ready = self._process.stdout.readline().strip() == root_writer.READY
            self._said.is_shown = False
            if not is_ready:
                self.close()
                reason = self._said.last_line()
                raise FixError(f"{NO_RIGHTS}: {reason}." if reason else f"{NO_RIGHTS}.")

    def write(self, path: str, value: str | None, kind: FileKind) -> None:
        found = self._ask({"write": path, "value": value, "kind": kind})
        if found is not None:
            raise write_error(path, value, found)

    def run(self, command: Sequence[str]) -> None:
        found = self._ask({"run": list(command)})
        if found is not None:
            raise FixError(clean_line(f"{found}.", MAX_SAID_CHARS))

    def _ask(self, order: dict[str, object]) -> str | int | None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())["error"]
        except (OSError, ValueError, KeyError, TypeError):
            return "the process that sudo started has ended"
        return answer if answer is None or isinstance(answer, int) else str(answer)

    def close(self) -> None:
        """End the process by closing its stdin."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            # Signals to a process of root are refused; it ends by itself as its stdin is closed.
            with suppress(OSError, subprocess.TimeoutExpired):
                self._process.kill()
                self._process.wait(STOP_S)
        self._said.end()


class _Said:
    """Reads sudo's stderr: shown in the terminal while it asks, kept for the error message."""

    def __init__(self, stream: IO[str]) -> None:
        self.is_shown = True
        self._stream = stream
        self._lines: deque[str] = deque(maxlen=10)
        self._thread = threading.Thread(target=self._read, name="npulse-sudo", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with suppress(OSError, ValueError):
            for line in self._stream:
                self._lines.append(line)
                if self.is_shown:
                    sys.stderr.write(clean(line))
                    sys.stderr.flush()

    def end(self) -> None:
        """Waits for the rest of the output, once sudo has ended."""
        self._thread.join(STOP_S)
        if not self._thread.is_alive():
            self._stream.close()

    def last_line(self) -> str:
        """The last line that sudo wrote; empty without one."""
        said = [clean_line(line, MAX_REASON_CHARS) for line in self._lines]
        last = next((line for line in said[::-1] if line.strip()), "")
        return last.removeprefix("sudo:").strip().rstrip(".")


@contextmanager
def _interrupts_end_only_sudo() -> Iterator[None]:
    """Ignore Ctrl+C while sudo asks. The terminal sends it to both processes; only sudo is to end,
    and npulse reports that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)


def needs_root(fix: Fix, place: BoardPlace) -> bool:
    """Whether this user needs sudo for this fix."""
    if os.geteuid() == 0:
        return False
    if fix.commands:
        return True
    root = "" if place.key == "/" else place.key
    return not all(os.access(root + write.path, os.W_OK) for write in fix.writes)


def open_writer(paths: Sequence[str], place: BoardPlace, *, is_by_sudo: bool) -> FileWriter:
    """The writer for a fix with these paths. Raises FixError if sudo is needed but missing."""
    if not is_by_sudo:
        return DirectWriter(place)
    if shutil.which("sudo") is None:
        raise FixError("This needs root, and there is no sudo here: run npulse as root.")
    return SudoWriter(place, paths)
