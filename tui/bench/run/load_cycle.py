"""Unloads and loads the model before a request, and measures time and memory."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import perf_counter_ns

import msgspec

from tui.bench.analysis.hardware import MB
from tui.bench.model.records import Request
from tui.bench.run.board_link import BoardLink
from tui.bench.run.connect import Connected
from tui.bench.run.model_file import drop_from_page_cache
from tui.bench.run.plan import Task
from tui.servers import models

SETTLE_S = 1.0


class LoadCycle:
    """Reloads the model before each request of the suite ``load``, and adds the figures to its
    record."""

    def __init__(self, connected: Connected, board: BoardLink, path: Path | None) -> None:
        self._connected = connected
        self._board = board
        self._path = path
        self._found: dict[str, float] = {}
        self._warnings: tuple[str, ...] = ()

    async def before(self, task: Task) -> str | None:
        """Unload and load the model. Returns None, or a sentence why it failed."""
        self._found.clear()
        client, name = self._connected.client, self._connected.info.name
        if client.dialect.models.load_path is None:
            return f"{client.dialect.name} servers cannot load a model on request"
        change = await models.unload(client)
        if not change.is_done:
            return change.sentence
        is_cold = task.group == "cold"
        self._warnings = ()
        if is_cold and not (self._path is not None and drop_from_page_cache(self._path)):
            self._warnings = ("the page cache could not be emptied: this load may have been warm",)
        await self._note_memory("mem_idle_mb")
        start_ns = perf_counter_ns()
        change = await models.load(client, name)
        if not change.is_done:
            return change.sentence
        self._found["load_s"] = (perf_counter_ns() - start_ns) / 1e9
        await self._note_memory("mem_loaded_mb")
        return None

    async def _note_memory(self, key: str) -> None:
        """Record the memory in use, 1 s after a change."""
        if not self._board.is_there:
            return
        await asyncio.sleep(SETTLE_S)
        snapshot = await self._board.sample()
        sample = self._board.log.latest
        free = None if sample is None else sample.number("ram.available")
        total = None if snapshot is None else snapshot.number("ram.total")
        if free is not None and total is not None:
            self._found[key] = (total - free) / MB

    def described(self, request: Request) -> Request:
        """The request's record with load time and memory."""
        return msgspec.structs.replace(
            request,
            m={**self._found, **request.m},
            warnings=(*request.warnings, *self._warnings),
        )
