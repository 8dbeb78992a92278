"""One load or unload of a model at a time, which can be given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from tui.servers.models import ModelChange

GIVEN_UP = ModelChange(False, "Not waited for any longer; the server may go on with it.")


class ModelWork:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._task: asyncio.Task[ModelChange] | None = None

    @property
    def is_running(self) -> bool:
        return self._task is not None

    async def run(self, work: Callable[[], Coroutine[None, None, ModelChange]]) -> ModelChange:
        """Its outcome, or that nobody waited for it."""
        self._task = task = asyncio.create_task(work(), name="npulse-models")
        try:
            await asyncio.wait((task,))
        finally:
            task.cancel()
            self._task = None
        is_whole = task.done() and not task.cancelled() and task.exception() is None
        return task.result() if is_whole else GIVEN_UP

    def cancel(self) -> bool:
        """Stops waiting for it; the server may well go on with it. False where there is none."""
        if self._task is None or self._task.done():
            return False
        self._task.cancel()
        return True

    async def aclose(self) -> None:
        """Ends it."""
        task = self._task
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
