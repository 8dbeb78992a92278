"""Follows a growing answer in the database, as a turn."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

from tui.core.turn.chunk_log import ChunkMeaning
from tui.core.turn.restored_turn import RestoredTurn
from tui.core.types import ChatRequest, GenerationSettings, Message, Phase, TurnError
from tui.history import reading
from tui.history.failures import HistoryError
from tui.history.records import StoredTurn
from tui.history.token_times import unpack_times
from tui.history.writer_process import living_writer

REMOVED = TurnError("io", "This answer was removed from the history.")
MEANINGS: tuple[ChunkMeaning, ...] = ("token", "character")

_STATE = """
SELECT t.status, t.writer, l.t0_ns, l.phase, l.wait FROM turns AS t
    LEFT JOIN live AS l ON l.turn = t.id WHERE t.id = ?
"""


class AnswerTail:
    """Reads one answer repeatedly, each time only the new part.

    ``turn`` has its words and its numbers as far as they were read; ``stored`` is the whole answer
    once it is over, None where it was removed.
    """

    def __init__(self, connection: sqlite3.Connection, answer: int) -> None:
        """Reads nothing of the answer itself yet. Raises HistoryError where there is none, and
        sqlite3.Error."""
        found = reading.turn(connection, answer)
        if found is None or found.role != "assistant":
            raise HistoryError(f"there is no answer {answer} in the history")
        prompt = None if found.parent is None else reading.turn(connection, found.parent)
        self.answer = answer
        self.prompt = prompt
        self.stored: StoredTurn | None = None
        self.is_owner_gone = False
        """Whether its process was killed, and the answer is not yet ended in the database."""
        self._place = 0
        self._first_place: int | None = None
        self._n_text = self._n_thinking = self._n_stamps = 0
        origin = found.origin
        settings = found.settings or GenerationSettings()
        # The clock of an answer that no npulse writes any more is not known: its age is a guess.
        age_ns = max(time.time_ns() - found.created_ms * 1_000_000, 0)
        self.turn = RestoredTurn(
            ChatRequest(
                "" if origin is None else origin.model,
                (Message("user", "" if prompt is None else prompt.text),),
                settings,
            ),
            time.perf_counter_ns() - age_ns,
            _chunk_meaning(connection, answer),
            None if origin is None else origin.context_tokens,
        )

    def read(self, connection: sqlite3.Connection) -> bool:
        """Reads the new part. Returns whether the answer is over.

        Raises sqlite3.Error, and ValueError where what is stored is damaged.
        """
        if self.turn.phase.is_over:
            return True
        with _one_moment(connection):
            found = connection.execute(_STATE, (self.answer,)).fetchone()
            if found is None:
                self.turn.restore_end(time.perf_counter_ns(), "interrupted", REMOVED)
                return True
            status, writer, t0_ns, phase, wait = found
            if status != "running":
                self._end(connection)
                return True
            if t0_ns is not None:
                self.turn.restore_state(t0_ns, Phase(phase), wait)
            self._take_pieces(connection)
            if living_writer(connection, writer) is not None:
                return False
            self.is_owner_gone = True
            self._end(connection)
            return True

    def _take_pieces(self, connection: sqlite3.Connection) -> None:
        (first,) = connection.execute(
            "SELECT min(place) FROM pieces WHERE turn = ?", (self.answer,)
        ).fetchone()
        is_rewritten = self._first_place is not None and first != self._first_place
        after = 0 if is_rewritten else self._place
        rows = connection.execute(
            "SELECT place, text, thinking, times FROM pieces WHERE turn = ? AND place > ?"
            " ORDER BY place",
            (self.answer, after),
        ).fetchall()
        self._first_place = first
        if not rows:
            return
        text, thinking = ("".join(row[column] for row in rows) for column in (1, 2))
        times_ns = list(chain.from_iterable(unpack_times(row[3]) for row in rows))
        self._place = rows[-1][0]
        if is_rewritten:
            self._take_whole(text, thinking, times_ns)
        else:
            self._take(text, thinking, times_ns)

    def _take_whole(self, text: str, thinking: str, times_ns: Sequence[int]) -> None:
        """Reads the whole answer in place of the known part."""
        if self._n_text and not text.startswith(self.turn.text):
            self.turn.restore_reclassified()
            self._n_thinking += self._n_text
            self._n_text = 0
        self._take(text[self._n_text :], thinking[self._n_thinking :], times_ns[self._n_stamps :])

    def _take(self, text: str, thinking: str, times_ns: Sequence[int]) -> None:
        t0_ns = self.turn.t0_ns
        self.turn.restore(text, thinking, [t0_ns + t_ns for t_ns in times_ns])
        self._n_text += len(text)
        self._n_thinking += len(thinking)
        self._n_stamps += len(times_ns)

    def _end(self, connection: sqlite3.Connection) -> None:
        stored = reading.turn(connection, self.answer)
        assert stored is not None
        times_ns = reading.times_ns(connection, self.answer)
        self._take_whole(stored.text, stored.thinking, times_ns)
        self.stored = stored
        latency_ms = (stored.numbers or {}).get("latency_ms")
        after_ns = times_ns[-1] if times_ns else 0
        if isinstance(latency_ms, float | int):
            after_ns = max(after_ns, round(latency_ms * 1e6))
        status = stored.status
        assert status is not None and status != "running"  # noqa: PT018  for mypy
        self.turn.restore_end(self.turn.t0_ns + after_ns, status, stored.error)


def _chunk_meaning(connection: sqlite3.Connection, answer: int) -> ChunkMeaning:
    """What one chunk stands for; unknown once the answer is over."""
    found = connection.execute(
        "SELECT chunk_meaning FROM live WHERE turn = ?", (answer,)
    ).fetchone()
    return next((one for one in MEANINGS if found is not None and found[0] == one), "unknown")


@contextmanager
def _one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """A read transaction: everything read inside is consistent."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")
