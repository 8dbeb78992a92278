"""One load or unload of a model at a time, which can be given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from time import perf_counter_ns
from typing import Protocol

from tui.servers.client import Client
from tui.servers.models import ModelChange

GIVEN_UP = ModelChange(False, "No longer waiting; the server may still finish it.")

Step = Callable[[str], None]
"""Gets a short sentence such as ``loading qwen3-4b``."""

Work = Callable[[Client, Step], Coroutine[None, None, ModelChange]]


class SetState(Protocol):
    """Changes fields of :class:`tui.servers.connection_state.ConnectionState`; a ``Callable``
    cannot say that it takes any keywords."""

    def __call__(self, **changes: object) -> None: ...


class ModelWork:
    """Belongs to one event loop. Tells what it does, and how it went, by ``set_state``;
    ``why_not`` is one sentence why nothing can be done now, or None."""

    def __init__(self, set_state: SetState, why_not: Callable[[], str | None]) -> None:
        self._set = set_state
        self._why_not = why_not
        self._task: asyncio.Task[ModelChange] | None = None

    @property
    def is_running(self) -> bool:
        return self._task is not None

    async def run(self, client: Client | None, work: Work) -> ModelChange:
        """Its outcome, why it was not begun, or that nobody waited for it."""
        refusal = "No server answers yet." if client is None else self._why_not()
        if client is None or refusal is not None:
            change = ModelChange(False, str(refusal))
            self._set(message=change.sentence, is_error=True)
            return change
        self._set(message=None, is_error=False)
        self._task = task = asyncio.create_task(work(client, self._step), name="npulse-models")
        change = GIVEN_UP
        try:
            await asyncio.wait((task,))
            if not task.cancelled() and task.exception() is None:
                change = task.result()
        finally:
            task.cancel()
            self._task = None
            message, is_error = change.sentence, not change.is_done
            self._set(work=None, work_since_ns=None, message=message, is_error=is_error)
        return change

    def _step(self, sentence: str) -> None:
        self._set(status="loading", work=sentence, work_since_ns=perf_counter_ns())

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
