"""Versions of the runtime libraries, from the version text inside the library files."""

from __future__ import annotations

import mmap
import re
import threading
from pathlib import Path

from tui.board.readers.files import Files
from tui.board.readers.reasons import LATER, NO_RUNTIME, reason_of, unreadable
from tui.board.readers.sample_context import SampleContext
from tui.core.board.reading import Reading

LIBRARIES = {
    "npu.runtime": ("librkllmrt.so", b"RKLLM SDK (version:"),
    "npu.rknn_runtime": ("librknnrt.so", b"librknnrt version:"),
}
FOLDERS = ("/usr/lib", "/usr/local/lib", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/lib")
_VERSION = re.compile(rb"[ v]*([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}[A-Za-z0-9.-]{0,12})")


def version_in(path: Path, marker: bytes) -> str | None:
    """The version number after ``marker`` in a library; None without one. Raises OSError, and
    ValueError for an empty file."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(marker)
        while at >= 0:
            end = at + len(marker)
            if match := _VERSION.match(data[end : end + 40]):
                return match[1].decode("ascii")
            at = data.find(marker, end)
    return None


class Runtime:
    """Reads ``npu.runtime`` (librkllmrt) and ``npu.rknn_runtime`` (librknnrt) once, in a thread of
    its own, as searching megabytes on an SD card takes time."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._thread: threading.Thread | None = None
        self._found = {name: Reading.absent(LATER) for name in LIBRARIES}

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """The readings so far. The first call starts the search."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._search, name="runtimes", daemon=True)
            self._thread.start()
        return dict(self._found)

    def wait(self, seconds: float) -> None:
        """Wait for the search to end, at most this long."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _search(self) -> None:
        for name, (library, marker) in LIBRARIES.items():
            self._found[name] = self._version(library, marker)

    def _version(self, library: str, marker: bytes) -> Reading:
        result = Reading.absent(NO_RUNTIME, "", f"{FOLDERS[0]}/{library}")
        for folder in FOLDERS:
            path = f"{folder}/{library}"
            try:
                version = version_in(Path(self._files.full(path)), marker)
            except OSError as error:
                reason = reason_of(error, NO_RUNTIME)
            except ValueError:
                reason = unreadable("empty")
            else:
                if version is not None:
                    return Reading(version, "", path)
                reason = unreadable("malformed")
            if reason != NO_RUNTIME:
                result = Reading.absent(reason, "", path)
        return result
