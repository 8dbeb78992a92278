"""Control flags of a running benchmark (pause, skip, abort), which any thread may set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from tui.files.private import create_private

Word = Literal["pause", "resume", "skip", "abort"]
FILE_NAME = "control"


class Controls:
    """The flags. Pause and resume take effect between requests, skip and abort at once."""

    def __init__(self) -> None:
        self.is_paused = False
        self.is_aborted = False
        self._skips = 0

    def pause(self) -> None:
        """Pause after the present request, until :meth:`resume`."""
        self.is_paused = True

    def resume(self) -> None:
        self.is_paused = False

    def skip(self) -> None:
        """End the present request. Its partial numbers are kept."""
        self._skips += 1

    def abort(self) -> None:
        """End the run. Its results are kept, and it can be resumed."""
        self.is_aborted = True

    def take_skip(self) -> bool:
        """Whether a skip was requested; True once per request for a skip."""
        if self._skips:
            self._skips -= 1
            return True
        return False

    def obey(self, word: str) -> bool:
        """Apply a control word; False for an unknown one."""
        action = {
            "pause": self.pause,
            "resume": self.resume,
            "skip": self.skip,
            "abort": self.abort,
        }.get(word.strip())
        if action is None:
            return False
        action()
        return True

    def obey_file(self, folder: Path) -> None:
        """Apply the words that another process wrote to the control file, and delete the file."""
        path = folder / FILE_NAME
        try:
            words = path.read_text("utf-8", "replace").split()
            path.unlink()
        except OSError:
            return
        for word in words:
            self.obey(word)


def tell(folder: Path, word: Word) -> None:
    """Send a control word to a run in another process, which reads it within 1 s. Raises
    OSError."""
    fd = create_private(folder / FILE_NAME, os.O_WRONLY | os.O_APPEND)
    with os.fdopen(fd, "a", encoding="utf-8") as file:
        file.write(word + "\n")
