"""Stores requests in the history: at their start, once a second while they run, at their end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Condition, Thread

from tui.history.failures import HistoryError
from tui.history.records import Limits
from tui.history.request_records import ClientRequest
from tui.history.request_writer import RequestWriter
from tui.tap.exchange import Exchange

RETRY_S = 5.0
"""Time until the next try after a failure, such as a full disk."""
MAX_WAITING = 10_000
"""Most requests that wait for the next try."""


class RequestStore:
    """Writes changed requests in a thread, in one transaction, so that a slow disk does not delay
    reading. ``on_over`` is called in that thread with each finished request, once it is stored or
    could not be. ``on_problem`` is called with a sentence at the first of several failures. Without
    a ``path`` nothing is stored.
    """

    def __init__(
        self,
        path: Path | None,
        limits: Limits,
        on_over: Callable[[ClientRequest], None],
        on_problem: Callable[[str], None],
    ) -> None:
        self._writer = None if path is None else RequestWriter(path, limits)
        self._on_over = on_over
        self._on_problem = on_problem
        self._waiting: dict[Exchange, ClientRequest] = {}
        self._told: set[Exchange] = set()
        """Finished requests that wait for the next try."""
        self._condition = Condition()
        self._is_over = False
        self._has_problem = False
        self._thread = Thread(target=self._run, name="npulse-tap-store", daemon=True)
        self._thread.start()

    def note(self, exchange: Exchange, request: ClientRequest) -> None:
        """Queues the present state of a request. Does not block."""
        with self._condition:
            if exchange in self._waiting or len(self._waiting) < MAX_WAITING:
                self._waiting[exchange] = request
                self._condition.notify()

    def close(self, timeout_s: float) -> None:
        """Writes the rest, for at most ``timeout_s`` seconds."""
        with self._condition:
            self._is_over = True
            self._condition.notify()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        self._try_to_write({})  # creates or migrates the file before it is needed
        while True:
            with self._condition:
                while not self._is_over and (self._has_problem or not self._waiting):
                    if not self._condition.wait(RETRY_S):
                        break
                changed, self._waiting = self._waiting, {}
                is_last = self._is_over
            is_kept = not changed or self._try_to_write(changed)
            for exchange, request in changed.items():
                if request.is_over and exchange not in self._told:
                    self._on_over(replace(request, id=exchange.id))
                    self._told.add(exchange)
            if is_kept:
                self._told.clear()
            else:
                with self._condition:
                    self._waiting = {**changed, **self._waiting}
            if is_last:
                self._leave()
                return

    def _try_to_write(self, changed: dict[Exchange, ClientRequest]) -> bool:
        if self._writer is None:
            return True
        requests = [replace(request, id=exchange.id) for exchange, request in changed.items()]
        try:
            ids = self._writer.store(requests)
        except HistoryError as error:
            if not self._has_problem:
                self._on_problem(f"requests cannot be stored at present: {error}")
            self._has_problem = True
            return False
        for exchange, id in zip(changed, ids, strict=True):
            exchange.id = id
        self._has_problem = False
        return True

    def _leave(self) -> None:
        if self._writer is not None:
            with suppress(HistoryError):
                self._writer.leave()
