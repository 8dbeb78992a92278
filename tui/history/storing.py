"""Stores one answer: piece by piece while it runs, whole at its end. Imported by the writing thread
only.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace

from tui.core.board.history import series_values
from tui.core.expect.past_answer import conditions_of
from tui.core.text.sanitize import clean_line
from tui.core.turn.growing_text import without_end_blanks
from tui.core.turn.result import result_of
from tui.core.turn.turn import Turn
from tui.core.turn.turn_piece import TurnMark
from tui.history import reading, writing
from tui.history.board_samples import BoardSample, pack_samples
from tui.history.chunk_ends import pack_ends
from tui.history.database import transaction
from tui.history.kept_answer import KeptAnswer
from tui.history.token_times import pack_times
from tui.history.turn_json import numbers_of
from tui.history.writing import LiveState

MAX_PIECE_CHARS = 1 << 18
"""Text beyond this is stored at the answer's end only; no model writes as much in an hour."""
QUICK = 1
"""The level of zlib for what is packed anew at the end."""


class AnswerStore:
    """Stores the new parts of one answer."""

    def __init__(self, kept: KeptAnswer) -> None:
        self._kept = kept
        self._mark = TurnMark()
        self._state: LiveState | None = None
        """State of the answer as stored for other processes."""

    def save(self, connection: sqlite3.Connection, writer: Callable[[], int]) -> bool:
        """Stores what is new. Returns whether the answer is over and stored whole.

        Raises sqlite3.Error; then everything is as before, and it can be called again. ``writer``
        gives the id of this process in the database.
        """
        try:
            return self._save(connection, writer)
        except sqlite3.IntegrityError:
            # Its conversation was removed by another process: it is kept in a new one.
            kept = self._kept
            kept.conversation.id = None
            kept.prompt_id = kept.answer_id = None
            kept.after = kept.again_of = None
            self._mark, self._state, kept.is_detached = TurnMark(), None, False
            return self._save(connection, writer)

    def whose_stop_is_wanted(self, connection: sqlite3.Connection) -> Turn | None:
        """The turn, where another process has asked to stop it. Raises sqlite3.Error."""
        turn, answer = self._kept.turn, self._kept.answer_id
        if turn is None or answer is None or turn.phase.is_over:
            return None
        return turn if writing.is_stop_wanted(connection, answer) else None

    def _save(self, connection: sqlite3.Connection, writer: Callable[[], int]) -> bool:
        kept = self._kept
        turn = kept.turn
        if turn is None:
            return True
        if kept.answer_id is None:
            self._begin(connection, writer, turn)
        if turn.phase.is_over:
            self._finish(connection, turn)
            return True
        self._journal(connection, turn)
        return False

    def _begin(self, connection: sqlite3.Connection, writer: Callable[[], int], turn: Turn) -> None:
        kept = self._kept
        again = None if kept.again_of is None else kept.again_of.prompt_id
        parent = None if kept.after is None else kept.after.answer_id
        number, asked = kept.conversation.id, again
        with transaction(connection):
            if number is None:
                title = writing.title_of(kept.prompt)
                number = writing.add_conversation(connection, title, kept.created_ms)
            if asked is None:
                asked = writing.add_turn(
                    connection, number, parent, "user", kept.prompt, kept.created_ms
                )
            answer = writing.begin_answer(
                connection,
                number,
                asked,
                writer(),
                kept.origin,
                turn.request.settings,
                kept.created_ms,
            )
            state = _state_of(turn)
            writing.set_live(connection, answer, state)
        self._state = state
        kept.conversation.id, kept.prompt_id, kept.answer_id = number, asked, answer
        if not kept.is_stored.done():
            kept.is_stored.set_result(True)

    def _journal(self, connection: sqlite3.Connection, turn: Turn) -> None:
        kept = self._kept
        assert kept.answer_id is not None
        # Before the words: what has arrived by then is at least in that phase.
        state = _state_of(turn)
        if turn.n_chars - self._mark.text_chars - self._mark.thinking_chars > MAX_PIECE_CHARS:
            return
        piece = turn.piece_since(self._mark)
        taken = len(kept.samples)
        has_words = not piece.is_empty or taken > 0
        is_state_new = state != self._state
        has_to_detach = not kept.has_terminal and not kept.is_detached
        if not (has_words or is_state_new or has_to_detach):
            return
        times = pack_times(turn.t0_ns, piece.stamps_ns)
        values = (kept.answer_id, piece.text, piece.thinking, times)
        new = (self._packed(turn.t0_ns, taken), pack_ends(piece.ends))
        if not (piece.is_whole or is_state_new or has_to_detach):
            # One statement is a transaction of its own, and costs less.
            writing.add_piece(connection, *values, *new)
        else:
            with transaction(connection):
                if piece.is_whole:
                    board = pack_samples(reading.board_samples(connection, kept.answer_id))
                    writing.replace_pieces(connection, kept.answer_id, board)
                if has_words:
                    writing.add_piece(connection, *values, *new)
                if is_state_new:
                    writing.set_live(connection, kept.answer_id, state)
                if has_to_detach:
                    writing.detach(connection, kept.answer_id)
        self._state, kept.is_detached = state, kept.is_detached or has_to_detach
        self._mark = piece.mark
        for _ in range(taken):
            kept.samples.popleft()

    def _finish(self, connection: sqlite3.Connection, turn: Turn) -> None:
        kept = self._kept
        assert kept.answer_id is not None
        now_ns = time.perf_counter_ns()
        # The words can be long, and are not joined for this.
        result = result_of(turn, now_ns, kept.origin.server, has_words=False)
        stats = turn.stats(now_ns)
        try:
            # What is journalled, or was stored by the end that this one renews.
            samples = reading.board_samples(connection, kept.answer_id)
        except ValueError:
            samples = []
        samples += self._unpacked(turn.t0_ns, len(kept.samples))
        numbers = numbers_of(result, stats)
        if samples:
            numbers["conditions"] = conditions_of(
                [(sample.t_ns, sample.values) for sample in samples],
                round((stats.ttft_ms or 0.0) * 1e6),
                **kept.versions,
            ).to_json_dict()
        end = writing.FinishedAnswer(
            text=turn.parts("text"),
            thinking=without_end_blanks(turn.parts("thinking")),
            status=result.status,
            error=result.error,
            tokens=result.tokens_out,
            decode_tps=result.decode_tps,
            numbers=numbers,
            times=pack_times(turn.t0_ns, turn.stamps_ns),
            board=pack_samples(samples),
            ends=pack_ends(turn.chunk_ends),
        )
        model = clean_line(turn.request.model)
        with transaction(connection):
            writing.finish_answer(connection, kept.answer_id, end)
            if not kept.has_terminal and not kept.is_detached:
                writing.detach(connection, kept.answer_id)
            if model and model != kept.origin.model:
                # It was chosen after the prompt was taken.
                origin = replace(kept.origin, model=model)
                writing.set_origin(connection, kept.answer_id, origin)
        kept.samples.clear()
        kept.turn = None

    def _unpacked(self, t0_ns: int, count: int) -> list[BoardSample]:
        return [
            BoardSample(t_ns - t0_ns, series_values(snapshot))
            for t_ns, snapshot in list(self._kept.samples)[:count]
        ]

    def _packed(self, t0_ns: int, count: int) -> bytes:
        return pack_samples(self._unpacked(t0_ns, count), QUICK) if count else b""


def _state_of(turn: Turn) -> LiveState:
    wait = turn.wait
    since_ns = turn.t0_ns if wait is None or wait.is_sent else wait.since_ns
    return LiveState(
        since_ns, turn.phase, None if wait is None else wait.reason, turn.chunk_meaning
    )
