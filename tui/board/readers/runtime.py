"""The versions of the runtime libraries, found in the libraries themselves."""

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
    """The version number that follows ``marker`` in a library. Raises OSError; ValueError for an
    empty file."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(marker)
        while at >= 0:
            end = at + len(marker)
            if match := _VERSION.match(data[end : end + 40]):
                return match[1].decode("ascii")
            at = data.find(marker, end)
    return None


class Runtime:
    """Reads ``npu.runtime`` (librkllmrt) and ``npu.rknn_runtime``, once, on a thread of its own:
    the libraries are megabytes on an SD card."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._thread: threading.Thread | None = None
        self._found = {name: Reading.absent(LATER) for name in LIBRARIES}

    def read(self, context: SampleContext) -> dict[str, Reading]:
        """What is known; the first call starts the search."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._search, name="runtimes", daemon=True)
            self._thread.start()
        return dict(self._found)

    def wait(self, seconds: float) -> None:
        """Give the search some time to end."""
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
