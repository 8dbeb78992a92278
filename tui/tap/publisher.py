"""Publishes the tap's requests in a file, for dashboards of other users of this machine."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from tui.history import client_requests
from tui.history.database import reading_from
from tui.history.failures import HistoryError
from tui.history.published_clients import PublishedClients, publish
from tui.history.request_records import ClientRequest, ClientTotals

NEWEST = 100
DAY_MS = 86_400_000


class Publisher:
    """``history``: the database in which the tap stores requests, for the totals of the last day;
    None without one. ``on_problem`` is called once, with a sentence, if the file cannot be
    written."""

    def __init__(self, path: Path, history: Path | None, on_problem: Callable[[str], None]) -> None:
        self._path = path
        self._history = history
        self._on_problem = on_problem
        self._newest: deque[ClientRequest] = deque(maxlen=NEWEST)
        self._last: PublishedClients | None = None
        self._has_problem = False

    def over(self, request: ClientRequest) -> None:
        """Adds a finished request. May be called from any thread."""
        self._newest.appendleft(request)

    def write(self, running: Sequence[ClientRequest]) -> None:
        """Writes the file with these running requests, if anything has changed."""
        newest = tuple(self._newest)
        last = self._last
        is_new = last is None or last.newest != newest
        if last is not None and not is_new and last.running == tuple(running):
            return
        totals = self._totals() if is_new or last is None else last.totals
        self._last = PublishedClients(os.getpid(), tuple(running), newest, totals)
        try:
            publish(self._path, self._last)
        except OSError as error:
            if not self._has_problem:
                self._on_problem(f"{self._path} cannot be written: {error.strerror}")
            self._has_problem = True

    def _totals(self) -> tuple[ClientTotals, ...]:
        if self._history is None:
            return ()
        try:
            with reading_from(self._history) as connection:
                since_ms = time.time_ns() // 1_000_000 - DAY_MS
                return tuple(client_requests.totals(connection, since_ms))
        except HistoryError:
            return ()
