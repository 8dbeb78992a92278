"""A tap's database connection, kept open while requests arrive."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tui.history import client_requests, writers
from tui.history.database import Connection, transaction, writing_to
from tui.history.failures import HistoryError
from tui.history.records import Limits
from tui.history.request_records import ClientRequest
from tui.history.writer_process import this_process

PRUNE_EVERY = 500
OPEN_S = 30.0
"""The connection is reopened after this time, in case the file was moved."""


class RequestWriter:
    """Belongs to one thread. Every call raises HistoryError with one sentence where it fails, and
    may be made again."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path = path
        self._limits = limits
        self._opened = ExitStack()
        self._connection: Connection | None = None
        self._close_s = 0.0
        self._writer: int | None = None
        self._n_until_prune = 0

    def store(self, requests: Sequence[ClientRequest]) -> list[int]:
        """Stores these in one transaction; returns their ids. It is on the disk at the end where
        one of them is over: how far one is that runs may be lost with the power."""
        try:
            connection = self._open()
            is_lasting = any(request.is_over for request in requests)
            connection.execute(f"PRAGMA synchronous = {'FULL' if is_lasting else 'NORMAL'}")
            self._prune(connection, len(requests))
            with transaction(connection):
                writer = self._register(connection)
                return [client_requests.store(connection, one, writer) for one in requests]
        except sqlite3.Error as error:
            self.close()
            raise HistoryError(f"{self._path} cannot be written: {error}") from error
        except HistoryError:
            self.close()
            raise

    def leave(self) -> None:
        """Unregisters this process as a writer."""
        try:
            if self._writer is not None:
                connection = self._open()
                with transaction(connection):
                    writers.leave(connection, self._writer)
        except sqlite3.Error as error:
            raise HistoryError(f"{self._path} cannot be written: {error}") from error
        finally:
            self.close()

    def close(self) -> None:
        """Closes the connection; the next call opens it again."""
        self._connection = None
        self._opened.close()

    def _open(self) -> Connection:
        if time.monotonic() > self._close_s:
            self.close()
        if self._connection is None:
            self._connection = self._opened.enter_context(writing_to(self._path))
            self._close_s = time.monotonic() + OPEN_S
        return self._connection

    def _register(self, connection: Connection) -> int:
        if self._writer is None or not writers.is_writer(connection, self._writer):
            self._writer = writers.register_writer(connection, this_process(), "tap")
        return self._writer

    def _prune(self, connection: Connection, count: int) -> None:
        """Removes old requests, and ends those of a killed tap."""
        self._n_until_prune -= count
        if self._n_until_prune <= 0:
            self._n_until_prune = PRUNE_EVERY
            writers.recover_all(connection)
            client_requests.prune(connection, self._limits, time.time_ns() // 1_000_000)
