"""Governors held at ``performance`` for the time of a run, and put back afterwards.

Only on the explicit wish of a user who may write there (root), never silently. What was there
before is kept in a file until it is put back, so that a run that was killed leaves a trace and the
next one puts it back. Below ``root`` the same paths are used, for a tree of a board.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from tui.bench.store.runs import RunError
from tui.core.process import is_running
from tui.core.text.sanitize import clean
from tui.files.private import write_whole

STATE_FILE = "pinned.json"
GOVERNOR = "performance"
PLACES = (
    "sys/class/devfreq/*.npu/governor",
    "sys/class/devfreq/dmc/governor",
    "sys/devices/system/cpu/cpufreq/policy*/scaling_governor",
)


def governors(root: Path | None) -> list[Path]:
    """Every governor file that a run depends on."""
    top = root or Path("/")
    return sorted(path for place in PLACES for path in top.glob(place))


class Pin:
    """Holds the governors between :meth:`take` and :meth:`restore`."""

    def __init__(self, folder: Path, root: Path | None) -> None:
        self._state = folder / STATE_FILE
        self._root = root
        self._before: dict[str, str] = {}

    def recover(self) -> list[str]:
        """Puts back what a killed run has left pinned; the files that could not be put back."""
        try:
            value = json.loads(self._state.read_text("utf-8"))
            known = dict(value["governors"])
            pid = int(value["pid"])
        except (OSError, ValueError, KeyError, TypeError):
            return []
        if is_running(pid):
            return []
        self._before = {str(path): str(word) for path, word in known.items()}
        return self.restore()

    def take(self) -> list[str]:
        """Writes ``performance`` everywhere; what was held, for the report. Raises RunError."""
        paths = governors(self._root)
        if not paths:
            raise RunError("--pin: this machine has no governor of an NPU, DDR or CPU to hold")
        before = {str(path): _read(path) for path in paths}
        self._before = {path: word for path, word in before.items() if word is not None}
        state = {"pid": os.getpid(), "governors": self._before}
        try:
            write_whole(self._state, json.dumps(state, indent=1).encode())
        except OSError as error:
            raise RunError(f"--pin: cannot keep what was there: {error.strerror}") from None
        failed = [path for path in self._before if not _write(Path(path), GOVERNOR)]
        if failed:
            self.restore()
            shown = clean(failed[0], newlines=False)
            raise RunError(
                f"--pin needs root on the board, not in a container: {shown} is read-only"
            )
        return [
            f"{Path(path).parent.name} was {clean(word, newlines=False)}"
            for path, word in self._before.items()
        ]

    def restore(self) -> list[str]:
        """Puts back what was there; the files where that did not work. May be called twice."""
        failed = [path for path, word in self._before.items() if not _write(Path(path), word)]
        self._before = {}
        if not failed:
            self._state.unlink(missing_ok=True)
        return failed


def _read(path: Path) -> str | None:
    try:
        return path.read_text("ascii", "replace").strip() or None
    except OSError:
        return None


def _write(path: Path, word: str) -> bool:
    """An in-place write, as sysfs wants it; True where it is there afterwards."""
    if _read(path) == word:
        return True
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.write(fd, f"{word}\n".encode())
        if path.stat().st_size and not str(path).startswith("/sys/"):
            os.ftruncate(fd, len(word) + 1)
    except OSError:
        return False
    finally:
        os.close(fd)
    return _read(path) == word
