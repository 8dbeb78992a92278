"""Numbers that come after an answer: the runtime's own from its log, the tokenizer's counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.app.board_monitor import BoardMonitor
    from tui.app.server_link import ServerLink
    from tui.board.runtime_log.reader import RuntimeLog
    from tui.core.board.load_facts import LoadFacts
    from tui.core.turn.turn import Turn
    from tui.servers.tokenizer import ModelTokenizer

LOAD_AFTER_S = 2.0
"""Delay after connecting before the log is read, to keep the start fast."""
LOOK_S = 0.1
"""Time between two checks for the end of an answer."""


class LateNumbers:
    """``on_numbers`` is called in the network's thread with a turn that got some."""

    def __init__(
        self, link: ServerLink, tokenizer: ModelTokenizer, on_numbers: Callable[[Turn], None]
    ) -> None:
        self._link = link
        self._tokenizer = tokenizer
        self._on_numbers = on_numbers
        self._runtime_log: RuntimeLog | None = None

    def expect(self, turn: Turn, board_root: Path | None) -> None:
        """This turn was asked: count its tokens with the model's tokenizer, and read what the
        runtime logs where the server is on this very board (``board_root`` is ``/``)."""
        if self._tokenizer.is_usable:
            self._link.loop.submit(self._note_counts(turn))
        server = self._link.state.server
        port = None if server is None else server.port_on_this_machine
        if port and board_root == Path("/"):
            self._link.loop.submit(self._note_runtime(turn, port))

    def look_at_load(self, port: int | None, board: BoardMonitor) -> None:
        """Read what the runtime of the server at ``port`` logged when it loaded its model."""
        board.load = None
        if port is not None:
            self._link.loop.submit(self._note_load(port, board))

    async def _note_load(self, port: int, board: BoardMonitor) -> None:
        await asyncio.sleep(LOAD_AFTER_S)
        server = self._link.state.server
        if server is None or server.port_on_this_machine != port:
            return
        if board.source.sampled_root == Path("/"):
            found = await asyncio.to_thread(_load_of, port)
            board.load = found if found.is_known else None

    async def _note_counts(self, turn: Turn) -> None:
        await _until_over(turn)
        if await asyncio.to_thread(self._tokenizer.note_counts, turn):
            self._on_numbers(turn)

    async def _note_runtime(self, turn: Turn, port: int) -> None:
        """The runtime's own numbers, once the answer is over; delays neither it nor the next."""
        from tui.board.readers.files import Files
        from tui.board.runtime_log.reader import RuntimeLog

        if self._runtime_log is None or self._runtime_log.port != port:
            self._runtime_log = RuntimeLog(Files(), port)
        log = self._runtime_log
        await log.begin()
        await _until_over(turn)
        numbers = await log.numbers_of(turn)
        if numbers is not None:
            turn.note_runtime(numbers)
            self._on_numbers(turn)


def _load_of(port: int) -> LoadFacts:
    from tui.board.readers.files import Files
    from tui.board.runtime_log.load_lines import facts_of_load
    from tui.board.runtime_log.reader import source_of_container, source_of_port
    from tui.core.board.load_facts import LoadFacts

    files = Files()
    source = source_of_port(files, port) or source_of_container(port)
    return LoadFacts() if source is None else facts_of_load(files, source)


async def _until_over(turn: Turn) -> None:
    while not turn.phase.is_over:  # noqa: ASYNC110 - a turn has no event, and no hurry here
        await asyncio.sleep(LOOK_S)
