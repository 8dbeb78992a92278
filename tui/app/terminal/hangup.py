"""After the terminal is closed: output is dropped, and the files of the terminal are let go."""

from __future__ import annotations

import os
from typing import IO


class TerminalOutput:
    """A terminal's text file that may vanish: what cannot be written is dropped."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._is_gone = False

    def fileno(self) -> int:
        return self._file.fileno()

    def let_go(self) -> None:
        """Write nothing from now on. From any thread."""
        self._is_gone = True

    def write(self, text: str) -> int:
        if not self._is_gone:
            try:
                return self._file.write(text)
            except OSError:
                self._is_gone = True
        return len(text)

    def flush(self) -> None:
        if not self._is_gone:
            try:
                self._file.flush()
            except OSError:
                self._is_gone = True


def leave_terminal() -> None:
    """Stdin, stdout and stderr are closed to the terminal: whoever waits for them to end may go
    on, and nothing is written where somebody else may work by now."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)
    if nowhere > 2:
        os.close(nowhere)
