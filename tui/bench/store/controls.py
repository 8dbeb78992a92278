"""Pause, skip and abort of a running benchmark: plain flags, safe to set from any thread."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from tui.files.private import create_private

Word = Literal["pause", "resume", "skip", "abort"]
FILE_NAME = "control"


class Controls:
    """pause and resume act between prompts, skip and abort at once."""

    def __init__(self) -> None:
        self.is_paused = False
        self.is_aborted = False
        self._skips = 0

    def pause(self) -> None:
        """Stop after the present request, until :meth:`resume`."""
        self.is_paused = True

    def resume(self) -> None:
        self.is_paused = False

    def skip(self) -> None:
        """End the present request; its partial numbers are kept."""
        self._skips += 1

    def abort(self) -> None:
        """End the run safely; what was measured is kept and can be resumed."""
        self.is_aborted = True

    def take_skip(self) -> bool:
        """Whether a skip was asked for; answers True once per skip."""
        if self._skips:
            self._skips -= 1
            return True
        return False

    def obey(self, word: str) -> bool:
        """Does what a word says; False for a word that is none."""
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
        """Takes words that another process has left in the run's folder, and removes them."""
        path = folder / FILE_NAME
        try:
            words = path.read_text("utf-8", "replace").split()
            path.unlink()
        except OSError:
            return
        for word in words:
            self.obey(word)


def tell(folder: Path, word: Word) -> None:
    """Asks a run of another process for something; it looks once a second. Raises OSError."""
    fd = create_private(folder / FILE_NAME, os.O_WRONLY | os.O_APPEND)
    with os.fdopen(fd, "a", encoding="utf-8") as file:
        file.write(word + "\n")
