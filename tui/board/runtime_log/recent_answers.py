"""The last answers in the runtime's log, of all clients."""

from __future__ import annotations

import time

from tui.board.readers.files import Files
from tui.board.runtime_log.blocks import RuntimeBlock, blocks
from tui.board.runtime_log.reader import source_of_port
from tui.board.runtime_log.source import LogSource
from tui.board.runtime_log.tail import LogTail

SOURCE_S = 60.0
"""Interval after which the server's log is located again."""
SINCE_S = 900.0
FILE_EVERY_S, PROGRAM_EVERY_S = 2.0, 10.0
"""Least intervals of reading; reading a journal starts a program."""


class RecentAnswers:
    """The last answers of the server on one port. Blocks: call it from a worker thread. A log that
    cannot be read gives no answers."""

    def __init__(self, files: Files, port: int) -> None:
        self._files = files
        self.port = port
        self._source: LogSource | None = None
        self._source_until_s = 0.0
        self._next_s = 0.0
        self._found: list[RuntimeBlock] = []

    def look(self, limit: int) -> list[RuntimeBlock]:
        """The last ``limit`` answers, newest first."""
        now_s = time.monotonic()
        if now_s >= self._source_until_s:
            self._source = source_of_port(self._files, self.port)
            self._source_until_s = now_s + SOURCE_S
        source = self._source
        if source is None or source.kind == "none":
            return []
        if now_s >= self._next_s:
            self._next_s = now_s + (FILE_EVERY_S if source.kind == "file" else PROGRAM_EVERY_S)
            tail = LogTail(self._files, source)
            if source.kind != "file":
                tail.mark(time.time() - SINCE_S)
            self._found = blocks(tail.lines())
        return self._found[::-1][:limit]
