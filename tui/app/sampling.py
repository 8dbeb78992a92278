"""One sample of the board at a time, in a thread of its own; fewer while nobody looks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.app.backend import Backend

RESTING_SAMPLES = 5
"""While nobody looks, one sample of so many is taken."""


class Sampling:
    """``is_resting``: nobody looks. ``bell`` rings the terminal's bell with every new alert; None
    where that is not wanted."""

    def __init__(
        self, backend: Backend, is_resting: Callable[[], bool], bell: Callable[[], None] | None
    ) -> None:
        self._backend = backend
        self._is_resting = is_resting
        self._bell = bell
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="npulse-board")
        self._is_sampling = False
        self._passed_over = 0
        """Samples that were left out, and taken, since nobody looks."""

    async def sample(self) -> bool:
        """Take a sample and give it to the backend. False where it was left out: the last one still
        runs, or nobody needs it."""
        if self._is_sampling or self._is_passed_over():
            return False
        self._is_sampling = True
        try:
            loop = asyncio.get_running_loop()
            snapshot = await loop.run_in_executor(self._thread, self._backend.sample)
        finally:
            self._is_sampling = False
        self._backend.on_snapshot(snapshot)
        facts = self._backend.board.facts
        if self._bell is not None and facts is not None and facts.has_new_alert:
            self._bell()
        return True

    def _is_passed_over(self) -> bool:
        """While nobody looks and no answer runs, one sample in a few is enough."""
        chat = self._backend.chat
        is_needed = chat.is_answering or chat.waiting is not None or self._bell is not None
        self._passed_over = 0 if is_needed or not self._is_resting() else self._passed_over + 1
        return self._passed_over % RESTING_SAMPLES != 0

    def close(self) -> None:
        """Take no other sample; waits for none."""
        self._thread.shutdown(wait=False, cancel_futures=True)
