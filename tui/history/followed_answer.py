"""Follows an answer that another npulse receives, in a thread of its own."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from tui.core.turn.result import TurnResult, result_of
from tui.core.types import TurnError
from tui.history import running_answers, writers, writing
from tui.history.answer_tail import AnswerTail
from tui.history.database import open_for_reading, writing_to
from tui.history.failures import HistoryError, reason
from tui.history.kept_answer import KeptAnswer
from tui.history.records import Receiver
from tui.history.resuming import before
from tui.history.turn_json import stored_result

LOOK_S = 0.25
"""Time between two checks for new text; the owner writes every 0.7 s."""
ALIVE_S = 1.0
"""Time between two checks that the owner is alive, while nothing new is stored."""
GIVE_UP_S = 10.0
"""How long reading is retried where the database cannot be read."""


class FollowedAnswer:
    """One answer as it grows; ``turn`` is fed by a thread between :meth:`start` and the end.

    ``owner`` is who received it when it was opened, and ``before`` what was said before its prompt.
    Nothing is written, but the wish to stop it, and with ``is_shown`` that its end was shown.
    """

    def __init__(self, path: Path, answer: int) -> None:
        """Raises HistoryError with one sentence, also where the answer is over."""
        self._path = path
        self._closing = threading.Event()
        self._stop_asked = threading.Event()
        self._thread: threading.Thread | None = None
        self._tell: Callable[[str], None] = lambda sentence: None
        self._is_shown = False
        try:
            with closing(open_for_reading(path)) as connection:
                self._tail = AnswerTail(connection, answer)
                found = [one for one in running_answers.receiving(connection) if one.turn == answer]
                prompt = self._tail.prompt
                if not found or not found[0].is_alive or prompt is None:
                    raise HistoryError("this answer is over")
                self.owner: Receiver = found[0]
                self.before = before(connection, prompt)
                self._tail.read(connection)
        except (sqlite3.Error, ValueError) as error:
            raise HistoryError(f"{path} cannot be read: {reason(error)}") from error
        self.turn = self._tail.turn
        self.kept = KeptAnswer.stored(self.before.conversation, prompt.id, answer)

    @property
    def where(self) -> str:
        """The process that receives it, for a sentence."""
        return self.owner.where

    @property
    def prompt(self) -> str:
        return self.turn.prompt

    @property
    def result(self) -> TurnResult | None:
        """The answer once it is over: as it is stored, with the numbers of the process that
        received it."""
        if not self.turn.phase.is_over:
            return None
        stored = self._tail.stored
        if stored is not None:
            return stored_result(stored)
        return result_of(self.turn, time.perf_counter_ns(), self.owner.origin.server)

    def start(
        self, tell: Callable[[str], None] = lambda sentence: None, *, is_shown: bool = False
    ) -> None:
        """Begin to follow it. ``tell`` gets a sentence, in another thread, where a stop cannot be
        asked for. ``is_shown``: a dashboard shows its end."""
        self._tell, self._is_shown = tell, is_shown
        self._thread = threading.Thread(target=self._run, name="npulse-follow", daemon=True)
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Asks the owner to stop it; it does so within a second. Returns at once."""
        self._stop_asked.set()

    def close(self) -> None:
        """Follow it no longer. Returns at once."""
        self._closing.set()

    # -- in the thread that follows ----------------------------------------------------------------

    def _run(self) -> None:
        try:
            with closing(open_for_reading(self._path)) as connection:
                self._follow(connection)
        except (HistoryError, sqlite3.Error, ValueError) as error:
            why = str(error) if isinstance(error, HistoryError) else reason(error)
            sentence = f"The answer continues in {self.where}, but can no longer be read: {why}."
            self.turn.restore_end(time.perf_counter_ns(), "interrupted", TurnError("io", sentence))

    def _follow(self, connection: sqlite3.Connection) -> None:
        version, read_s = -1, 0.0
        failing_s: float | None = None
        while not self._closing.wait(LOOK_S):
            if self._stop_asked.is_set():
                self._stop_asked.clear()
                self._want_stop()
            now_s = time.monotonic()
            try:
                (newest,) = connection.execute("PRAGMA data_version").fetchone()
                if newest == version and now_s - read_s < ALIVE_S:
                    continue
                version, read_s = newest, now_s
                if self._tail.read(connection):
                    self._over()
                    return
                failing_s = None
            except sqlite3.OperationalError:
                failing_s = failing_s or now_s
                if now_s - failing_s > GIVE_UP_S:
                    raise

    def _want_stop(self) -> None:
        try:
            with writing_to(self._path) as connection:
                running_answers.want_stop(connection, self.owner.turn)
        except HistoryError as error:
            self._tell(f"{self.where} cannot be asked to stop: {error}")

    def _over(self) -> None:
        """Ends an answer that a killed owner left, and notes that its end was shown."""
        if not (self._tail.is_owner_gone or self._is_shown):
            return
        with suppress(HistoryError), writing_to(self._path) as connection:
            writers.recover_all(connection)
            if self._is_shown:
                writing.note_shown(connection, self.owner.turn)
