"""Stores the answers of this process while they stream, in a thread of its own.

Nothing is handed to it for a token: it looks at each running answer and stores what is new, so the
thread that stamps tokens never waits, and a write that failed is repeated from the answer itself.

What reads and writes the database is loaded in that thread, with the first answer: a start needs
nothing of it.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tui.core.board.reading import Snapshot
from tui.core.text.sanitize import clean_line
from tui.core.turn.turn import Turn
from tui.history.failures import HistoryError, is_damage, reason
from tui.history.kept_answer import KeptAnswer, KeptConversation
from tui.history.records import Limits, Origin, WriterCommand
from tui.history.writer_process import this_process

if TYPE_CHECKING:
    from tui.history.storing import AnswerStore

EVERY_S = 0.8
"""Time between two writes of a running answer: less than a second of it is lost."""
RETRY_S = 2.0
"""Time until the next try after a failure."""
LOCK_WAIT_S = 0.5
CACHE_KIB = 128
"""Of the database: an answer is written once, and SQLite's own 2 MB fill with it."""
MAX_UNSAVED = 200
"""Most answers held while nothing can be written; older ones are dropped."""
CHECK_STEPS = 200_000
"""SQLite steps between two checks for other work."""


NO_LIMITS = Limits()
T = TypeVar("T")


class _Change(Generic[T]):
    """A change of the database, and its result."""

    def __init__(self, work: Callable[[sqlite3.Connection], T]) -> None:
        self.done: Future[T] = Future()
        self._work = work

    def make(self, connection: sqlite3.Connection) -> None:
        """Raises sqlite3.Error, and whatever the work raises."""
        from tui.history.database import transaction

        with transaction(connection):
            result = self._work(connection)
        self.done.set_result(result)

    def fail(self, error: Exception) -> None:
        self.done.set_exception(error)


class Recorder:
    """Stores prompts and answers in the database at ``path``; made there with the first one.

    Every method returns at once, from any thread. ``on_problem`` is called in the thread that
    writes: with one sentence when something cannot be saved, with None when it can again.
    ``on_stop_wanted`` is called there with a turn whose end another process has asked for; again
    and again until it is over. ``command`` is what this process was started as.
    """

    def __init__(
        self,
        path: Path,
        on_problem: Callable[[str | None], None] = lambda sentence: None,
        limits: Limits = NO_LIMITS,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        *,
        command: WriterCommand | None = None,
        on_stop_wanted: Callable[[Turn], None] = lambda turn: None,
    ) -> None:
        self._path = path
        self._on_problem = on_problem
        self._limits = limits
        self._now_ms = now_ms
        self._command = command
        self._on_stop_wanted = on_stop_wanted
        self._wake = threading.Condition()
        """Guards the four below."""
        self._changes: list[_Change[Any]] = []
        self._answers: list[KeptAnswer] = []
        self._is_woken = self._is_closing = False
        self._thread: threading.Thread | None = None
        self._connection: sqlite3.Connection | None = None
        self._stores: dict[KeptAnswer, AnswerStore] = {}
        """Stores of the running answers."""
        self._writer: int | None = None
        self._has_to_check = self._is_damaged = False
        self._problem: str | None = None

    @property
    def problem(self) -> str | None:
        """Why answers cannot be stored now, in one sentence; None where they can."""
        return self._problem

    @property
    def is_busy(self) -> bool:
        """Whether an answer is still being stored."""
        return bool(self._answers)

    @property
    def thread_id(self) -> int | None:
        """Id of the writing thread; None before the first answer."""
        return None if self._thread is None else self._thread.ident

    def record(
        self,
        turn: Turn,
        origin: Origin,
        conversation: KeptConversation,
        after: KeptAnswer | None = None,
        again_of: KeptAnswer | None = None,
    ) -> KeptAnswer:
        """Stores this answer from now on. Its request should be sent once ``is_stored`` of the
        result is done: the prompt is then on disk.
        """
        kept = KeptAnswer(turn, origin, conversation, after, again_of, self._now_ms())
        self._add(kept)
        return kept

    def renew(self, kept: KeptAnswer, turn: Turn) -> None:
        """Updates the numbers of a finished answer."""
        kept.renewed(turn)
        self._add(kept)

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """A board sample, stored with the running answers."""
        with self._wake:
            for kept in self._answers:
                kept.saw(snapshot)

    def leave_terminal(self) -> None:
        """This process continues without its terminal; its running answers are detached."""
        with self._wake:
            for kept in self._answers:
                kept.left_terminal()
            self._is_woken = True
            self._wake.notify()

    def change(self, work: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Runs a change in the writing thread, as one transaction.

        What is returned fails with HistoryError where it could not be done.
        """
        change = _Change(work)
        with self._wake:
            if self._is_closing:
                change.fail(HistoryError("npulse is ending"))
                return change.done
            self._changes.append(change)
            self._start()
        return change.done

    def close(self, timeout_s: float = 3.0) -> None:
        """Stores the rest and ends. Blocks until then, within a time limit."""
        with self._wake:
            self._is_closing = True
            self._wake.notify()
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def _add(self, kept: KeptAnswer) -> None:
        with self._wake:
            if self._is_closing:
                kept.not_saved()
                return
            if kept not in self._answers:
                self._answers.append(kept)
            while len(self._answers) > MAX_UNSAVED:
                self._answers.pop(0).not_saved()
            self._start()

    def _start(self) -> None:
        """Starts or wakes the thread. The lock is held."""
        self._is_woken = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="npulse-history", daemon=True)
            self._thread.start()
        self._wake.notify()

    # -- in the thread that writes -------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._wake:
                if not self._is_woken and not self._is_closing:
                    self._wake.wait(self._pause_s())
                self._is_woken = False
                is_closing = self._is_closing
            self._save_all()
            self._make_changes()
            if is_closing:
                self._end()
                return
            self._check_after_a_crash()

    def _pause_s(self) -> float | None:
        if not self._answers or self._is_damaged:
            return None
        return EVERY_S if self._problem is None else RETRY_S

    def _save_all(self) -> None:
        with self._wake:
            answers = list(self._answers)
        if not answers:
            return
        if self._is_damaged:
            _give_up_waiting(answers)
            return
        try:
            connection = self._open()
            for kept in answers:
                store = self._store_of(kept)
                if store.save(connection, self._own_writer):
                    del self._stores[kept]
                    with self._wake:
                        self._answers.remove(kept)
                    continue
                turn = store.whose_stop_is_wanted(connection)
                if turn is not None:
                    self._on_stop_wanted(turn)
        except Exception as error:  # noqa: BLE001  whatever it is, the chat goes on and is told
            _give_up_waiting(answers)
            self._failed(error)
        else:
            self._tell(None)

    def _store_of(self, kept: KeptAnswer) -> AnswerStore:
        store = self._stores.get(kept)
        if store is None:
            from tui.history.storing import AnswerStore

            # Some were given up meanwhile.
            self._stores = {one: of for one, of in self._stores.items() if one in self._answers}
            store = self._stores[kept] = AnswerStore(kept)
        return store

    def _make_changes(self) -> None:
        if not self._changes:
            return
        with self._wake:
            changes, self._changes = self._changes, []
        for change in changes:
            self._make_change(change)

    def _make_change(self, change: _Change[Any]) -> None:
        try:
            change.make(self._open())
        except (HistoryError, sqlite3.Error) as error:
            self._disconnect()
            said = f"{clean_line(str(self._path))} cannot be written: {reason(error)}"
            change.fail(error if isinstance(error, HistoryError) else HistoryError(said))
        except Exception as error:  # noqa: BLE001  it is whoever asked for the change who gets it
            change.fail(error)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            from tui.history import writers
            from tui.history.database import open_for_writing

            connection = open_for_writing(self._path, wait_s=LOCK_WAIT_S)
            try:
                dead = writers.dead_writers(connection)
                writers.recover(connection, dead)
                self._prune(connection)
                connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            except BaseException:
                connection.close()
                raise
            self._has_to_check = bool(dead)
            self._connection = connection
        return self._connection

    def _prune(self, connection: sqlite3.Connection) -> None:
        from tui.history import pruning

        now_ms = self._now_ms()
        wanted = pruning.due(connection, self._limits, now_ms)
        if wanted:
            pruning.remove(connection, wanted)

    def _own_writer(self) -> int:
        """Called inside the transaction that needs it."""
        from tui.history import writers

        assert self._connection is not None
        if self._writer is None or not writers.is_writer(self._connection, self._writer):
            self._writer = writers.register_writer(self._connection, this_process(), self._command)
        return self._writer

    def _failed(self, error: Exception) -> None:
        self._disconnect()
        self._is_damaged = is_damage(error)
        said = str(error)
        if not isinstance(error, HistoryError):
            said = f"{clean_line(str(self._path))} cannot be written: {reason(error)}"
        self._tell(f"answers are not saved: {said}")

    def _tell(self, problem: str | None) -> None:
        if problem != self._problem:
            self._problem = problem
            self._on_problem(problem)

    def _check_after_a_crash(self) -> None:
        """Reads the file whole when the last npulse that wrote it was killed, while there is
        nothing else to do."""
        connection = self._connection
        if not self._has_to_check or connection is None or self._answers:
            return
        from tui.history.database import damage

        connection.set_progress_handler(
            lambda: int(self._is_woken or self._is_closing), CHECK_STEPS
        )
        try:
            found = damage(connection)
        except sqlite3.OperationalError:
            return  # interrupted: again when there is time
        except sqlite3.Error as error:
            found = [reason(error)]
        finally:
            connection.set_progress_handler(None, 0)
        self._has_to_check = False
        if found:
            self._is_damaged = True
            path = clean_line(str(self._path))
            self._tell(f"answers are not saved: {path} is damaged; see npulse history check")

    def _disconnect(self) -> None:
        if self._connection is not None:
            try:
                self._connection.close()
            except sqlite3.Error:
                pass
            self._connection = None

    def _end(self) -> None:
        connection = self._connection
        if connection is not None and self._writer is not None:
            from tui.history import writers

            try:
                writers.leave(connection, self._writer)
            except sqlite3.Error:
                pass
        self._disconnect()
        _give_up_waiting(self._answers)


def _give_up_waiting(answers: Iterable[KeptAnswer]) -> None:
    """Releases waiters for prompts that are not stored."""
    for kept in answers:
        kept.not_saved()
