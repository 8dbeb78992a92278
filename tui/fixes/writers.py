"""How the files of a fix are written: by this process, or by one that sudo has made root."""

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
NO_RIGHTS = "sudo did not give the rights of root; nothing was changed"

_REASONS = {
    errno.EACCES: "only root may write there",
    errno.EPERM: "only root may write there",
    errno.EROFS: "it is read-only here, as in a container",
    errno.EBUSY: "the driver is busy or does not allow it now",
    errno.EINVAL: "the kernel does not take that value",
    errno.ENOENT: "it is not there",
    errno.ENODEV: "its driver is gone",
    root_writer.ELSEWHERE: "a link leads from there out of the board's own files",
}


class FileWriter(Protocol):
    """Writes files of one fix."""

    def write(self, path: str, value: str | None, kind: FileKind) -> None:
        """``None`` removes a file. Raises FixError."""

    def run(self, command: Sequence[str]) -> None:
        """Raises FixError."""

    def close(self) -> None: ...


def write_error(path: str, value: str | None, found: str | int) -> FixError:
    """One sentence of an error number, or of what was said."""
    reason = found
    if isinstance(found, int):
        reason = _REASONS.get(found) or os.strerror(found)
    what = "cannot be removed" if value is None else f"cannot be set to {clean_line(value, 40)}"
    return FixError(clean_line(f"{path} {what}: {reason}.", MAX_SAID_CHARS))


class DirectWriter:
    """Writes by itself: as root, or in a tree of one's own."""

    def __init__(self, place: BoardPlace) -> None:
        self._place = place

    def write(self, path: str, value: str | None, kind: FileKind) -> None:
        if not root_writer.is_known(path, value, kind):
            raise write_error(path, value, "no fix writes that there")
        try:
            root_writer.put(self._place.key, path, value, kind)
        except OSError as error:
            raise write_error(path, value, error.errno or str(error)) from None

    def run(self, command: Sequence[str]) -> None:
        if not root_writer.is_known_command(command):
            raise FixError("that command is none of a fix")
        said = root_writer.run(command)
        if said is not None:
            raise FixError(clean_line(said, MAX_SAID_CHARS) + ".")

    def close(self) -> None:
        return


class SudoWriter:
    """Has a process of root write. sudo asks for the password in the terminal, which must be free.

    Raises FixError where sudo does not start it.
    """

    def __init__(self, place: BoardPlace, paths: Sequence[str], program: str = "sudo") -> None:
        script = str(Path(root_writer.__file__).resolve())
        command = [program, sys.executable, "-I", script, place.key, *paths]
        with _interrupts_end_only_sudo():
            try:
                # In our own session: sudo asks in its terminal.
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
        """Ends the process: without stdin it has nothing to do."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            # Nobody may end what root runs: it ends by itself, or asks somebody else.
            with suppress(OSError, subprocess.TimeoutExpired):
                self._process.kill()
                self._process.wait(STOP_S)
        self._said.end()


class _Said:
    """What sudo says beside its question: shown in the terminal while that is free, and kept."""

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
        """After sudo has ended: nothing more comes."""
        self._thread.join(STOP_S)
        if not self._thread.is_alive():
            self._stream.close()

    def last_line(self) -> str:
        """The reason of a refusal; empty where it gave none."""
        said = [clean_line(line, MAX_REASON_CHARS) for line in self._lines]
        last = next((line for line in said[::-1] if line.strip()), "")
        return last.removeprefix("sudo:").strip().rstrip(".")


@contextmanager
def _interrupts_end_only_sudo() -> Iterator[None]:
    """Ctrl+C at sudo's question reaches every process of the terminal: npulse goes on and says what
    came of it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)


def needs_root(fix: Fix, place: BoardPlace) -> bool:
    """Whether this user cannot do it without sudo."""
    if os.geteuid() == 0:
        return False
    if fix.commands:
        return True
    root = "" if place.key == "/" else place.key
    return not all(os.access(root + write.path, os.W_OK) for write in fix.writes)


def open_writer(paths: Sequence[str], place: BoardPlace, *, is_by_sudo: bool) -> FileWriter:
    """Raises FixError where neither this process nor sudo can write."""
    if not is_by_sudo:
        return DirectWriter(place)
    if shutil.which("sudo") is None:
        raise FixError("This needs root, and there is no sudo here: run npulse as root.")
    return SudoWriter(place, paths)
