"""The runtime's own numbers for answers of a server on this machine, from the server's log."""

from __future__ import annotations

import asyncio
import time

from tui.board.readers.files import Files
from tui.board.readers.server_search import find_server
from tui.board.runtime_log.blocks import RuntimeBlock, blocks
from tui.board.runtime_log.containers import container_of_port
from tui.board.runtime_log.match import AFTER_S, AnswerWindow, match
from tui.board.runtime_log.source import LogSource, find
from tui.board.runtime_log.tail import LogTail
from tui.core.turn.runtime_numbers import RuntimeNumbers
from tui.core.turn.turn import Turn

POLL_S = 0.1
PROGRAM_POLL_S = 0.5
"""For a log that is read by starting a program."""
OWN_LINE_S = 0.5
"""The wait if RKLLM_LOG_LEVEL is not set: then only the server's own line, written at once, can
come."""
MAX_MISSES = 3
"""After so many answers without a block, the log is read once an answer, without waiting."""


CONTAINER_UNITS = ("docker.service", "podman.service")
"""Units of the process that listens on a container's published port."""


def source_of_port(files: Files, port: int) -> LogSource | None:
    """The log of the process that listens on ``port``; None if that process is not visible, or
    is the proxy of a container engine."""
    found = find_server(files, port)
    if found is None or found.by != "port":
        return None
    source = find(files, found.pid)
    return None if source.name in CONTAINER_UNITS else source


def source_of_container(port: int) -> LogSource | None:
    """The log of the container that publishes ``port``; None without one. Takes up to 6 s."""
    found = container_of_port(port)
    return None if found is None else LogSource(*found)


def window_of(turn: Turn, now_ns: int, wall_s: float) -> AnswerWindow | None:
    """The measurements of a finished answer; ``wall_s`` is the wall time (UNIX) at ``now_ns``
    (monotonic). None for an answer that did not end normally: the runtime logs none for it."""
    stamps_ns = turn.stamps_ns
    stats = turn.stats(now_ns)
    if turn.status not in ("complete", "empty") or not stamps_ns or stats.ttft_ms is None:
        return None
    return AnswerWindow(
        sent_s=wall_s - (now_ns - turn.t0_ns) / 1e9,
        last_s=wall_s - (now_ns - stamps_ns[-1]) / 1e9,
        ttft_ms=stats.ttft_ms,
        span_ms=(stamps_ns[-1] - stamps_ns[0]) / 1e6,
        chunks=len(stamps_ns),
        is_chunk_token=turn.chunk_meaning == "token",
        response_id=turn.response_id,
    )


def as_numbers(block: RuntimeBlock) -> RuntimeNumbers:
    """The block as the record that is kept with an answer."""
    return RuntimeNumbers(
        prefill_ms=block.prefill_ms,
        prefill_tokens=block.prefill_tokens,
        prefill_tps=block.prefill_tps,
        decode_ms=block.decode_ms,
        decode_tokens=block.decode_tokens,
        decode_tps=block.decode_tps,
        peak_bytes=block.peak_bytes,
    )


class RuntimeLog:
    """Reads the log of the server on ``port`` after each answer. Use from one event loop.

    Blocking calls are made in a worker thread. Raises nothing but CancelledError: a log that cannot
    be read gives no numbers.
    """

    def __init__(self, files: Files, port: int) -> None:
        self._files = files
        self.port = port
        self._tail: LogTail | None = None
        self._since_s = 0.0
        self._container: LogSource | None = None
        self._has_looked_for_container = False
        self._misses = 0

    async def begin(self) -> None:
        """Call when a request is sent: what the log holds now is not read later."""
        self._since_s = time.time()
        self._tail = await asyncio.to_thread(self._marked)

    async def numbers_of(self, turn: Turn) -> RuntimeNumbers | None:
        """The numbers of the answer whose request was sent at :meth:`begin`; waits for up to 2
        s."""
        window = window_of(turn, time.perf_counter_ns(), time.time())
        if window is None:
            return None
        tail = self._tail or await asyncio.to_thread(self._of_container)
        if tail is None:
            return None
        poll_s = POLL_S if tail.source.kind == "file" else PROGRAM_POLL_S
        wait_s = OWN_LINE_S if tail.source.has_variable is False else AFTER_S
        end_s = time.monotonic() + (0.0 if self._misses >= MAX_MISSES else wait_s)
        while True:
            found = await asyncio.to_thread(lambda: blocks(tail.lines()))
            block = match(window, found)
            if block is not None:
                self._misses = 0
                if block.source == "table" and block.peak_bytes is None:
                    # The line with the memory use follows the rows and may be written a moment
                    # later.
                    await asyncio.sleep(POLL_S)
                    found = await asyncio.to_thread(lambda: blocks(tail.lines()))
                    block = match(window, found) or block
                return as_numbers(block)
            if time.monotonic() >= end_s:
                self._misses += not found
                return None
            await asyncio.sleep(poll_s)

    def _marked(self) -> LogTail | None:
        source = source_of_port(self._files, self.port)
        return None if source is None or source.kind == "none" else self._tail_of(source)

    def _of_container(self) -> LogTail | None:
        """The container's log. Searched once, after an answer, as Docker's program starts
        slowly."""
        if not self._has_looked_for_container and self._files.is_this_machine:
            self._has_looked_for_container = True
            self._container = source_of_container(self.port)
        return None if self._container is None else self._tail_of(self._container)

    def _tail_of(self, source: LogSource) -> LogTail:
        tail = LogTail(self._files, source)
        tail.mark(self._since_s)
        return tail
