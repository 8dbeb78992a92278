"""An asyncio loop in a thread of its own, so that no screen work delays the clock of the tokens."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

SWITCH_INTERVAL_S = 0.0002
"""How long another thread may hold the interpreter while this one has something to read.

Each read takes several turns with the interpreter lock; at Python's 5 ms a busy screen thread would
move a token's time by 10 to 20 ms, at this value by about one.
"""


class EventLoopThread:
    """One loop, started once and stopped once. The thread is a daemon: it never keeps a process
    that wants to end. While it runs, threads take turns at :data:`SWITCH_INTERVAL_S`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="npulse-servers", daemon=True)
        self._switch_interval_s = sys.getswitchinterval()

    def start(self) -> None:
        """Returns at once; what is submitted runs as soon as the thread is up."""
        self._switch_interval_s = sys.getswitchinterval()
        sys.setswitchinterval(min(self._switch_interval_s, SWITCH_INTERVAL_S))
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Runs a coroutine in the loop; the future can be waited for in any other thread.

        Cancelling the future cancels the coroutine. Raises RuntimeError after :meth:`stop`.
        """
        if self._loop.is_closed():
            work.close()
            raise RuntimeError("the loop is stopped")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Runs a plain function in the loop, soon. Does nothing after :meth:`stop`."""
        if not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(function, *arguments)
            except RuntimeError:
                # It was closed between the two lines; then nothing is left to call either.
                return

    def stop(self, timeout_s: float = 5.0) -> None:
        """Cancels what still runs, waits for it, and closes the loop."""
        if self._thread.is_alive():
            self.call(self._loop.stop)
            self._thread.join(timeout_s)
            sys.setswitchinterval(self._switch_interval_s)
        elif not self._loop.is_closed():
            self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._end()

    def _end(self) -> None:
        try:
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            if tasks:
                self._loop.run_until_complete(asyncio.wait(tasks, timeout=3.0))
            # The executor is not waited for: a name lookup in it can hang for half a minute.
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()
