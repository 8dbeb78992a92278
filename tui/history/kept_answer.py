"""An answer being stored, and its place in the tree of a conversation."""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tui.core.board.history import series_values
from tui.core.board.reading import Snapshot
from tui.core.expect.past_answer import conditions_of
from tui.core.text.sanitize import clean_line
from tui.core.turn.growing_text import without_end_blanks
from tui.core.turn.result import result_of
from tui.core.turn.turn import Turn
from tui.core.turn.turn_piece import TurnMark
from tui.history.records import Origin

if TYPE_CHECKING:
    from tui.history.board_samples import BoardSample
    from tui.history.writing import LiveState

MAX_PIECE_CHARS = 1 << 18
"""No model writes more in an hour: what comes faster is stored at its end, which is near."""
MAX_WAITING_SAMPLES = 3600
"""Samples of the board that are held while nothing can be written."""


@dataclass(slots=True, eq=False)
class KeptConversation:
    """A conversation that is kept; ``id`` is None until its first prompt is stored."""

    id: int | None = None


class KeptAnswer:
    """A prompt with its answer: where it stands, and how much of it is stored.

    ``after`` is the answer that it follows, None at the beginning. ``again_of`` is another answer
    to the same prompt; then they are branches of one prompt. Only the thread of the
    :class:`~tui.history.recorder.Recorder` stores.
    """

    def __init__(
        self,
        turn: Turn,
        origin: Origin,
        conversation: KeptConversation,
        after: KeptAnswer | None = None,
        again_of: KeptAnswer | None = None,
        created_ms: int = 0,
    ) -> None:
        self.conversation = conversation
        self.prompt_id: int | None = None
        self.answer_id: int | None = None
        self.is_stored: Future[bool] = Future()
        """Done when the prompt is on the disk (True), or could not be stored at first (False)."""
        self._prompt = turn.prompt
        self._turn: Turn | None = turn
        self._origin = origin
        self._after = after
        self._again_of = again_of
        self._created_ms = created_ms
        self._mark = TurnMark()
        self._samples: deque[tuple[int, Snapshot]] = deque(maxlen=MAX_WAITING_SAMPLES)
        self._state: LiveState | None = None
        """What other processes know of it."""
        self._has_terminal = True
        self._is_detached = False
        self._versions: dict[str, str | None] = {}

    @classmethod
    def stored(cls, conversation: KeptConversation, prompt_id: int, answer_id: int) -> KeptAnswer:
        """One that is in the database since long, for others to follow."""
        kept = cls.__new__(cls)
        kept.conversation = conversation
        kept.prompt_id, kept.answer_id = prompt_id, answer_id
        kept.is_stored = Future()
        kept.is_stored.set_result(True)
        kept._turn = None
        kept._versions = {}
        return kept

    def saw(self, snapshot: Snapshot) -> None:
        """A sample of the board while the answer runs. From any thread."""
        turn = self._turn
        if turn is not None and not turn.phase.is_over:
            self._samples.append((snapshot.t_ns, snapshot))
            self._versions = {
                "driver": snapshot.text("npu.driver"),
                "runtime": snapshot.text("npu.runtime"),
            }

    def renewed(self, turn: Turn) -> None:
        """The answer is over, and there are better numbers of it."""
        self._turn = turn

    def left_terminal(self) -> None:
        """Nobody sees the end of this answer: its process goes on without a screen."""
        self._has_terminal = False

    # -- in the thread that writes -------------------------------------------------------------

    def save(self, connection: sqlite3.Connection, writer: Callable[[], int]) -> bool:
        """Stores what is new. Returns whether the answer is over and stored whole.

        Raises sqlite3.Error; then everything is as before, and it can be called again. ``writer``
        gives the id of this process in the database.
        """
        try:
            return self._save(connection, writer)
        except sqlite3.IntegrityError:
            # Its conversation was removed by another process: it is kept in a new one.
            self.conversation.id = None
            self.prompt_id = self.answer_id = None
            self._after = self._again_of = None
            self._mark = TurnMark()
            self._state, self._is_detached = None, False
            return self._save(connection, writer)

    def stop_where_wanted(self, connection: sqlite3.Connection) -> Turn | None:
        """The turn, where another process has asked for its end. Raises sqlite3.Error."""
        from tui.history import writing

        turn, answer = self._turn, self.answer_id
        if turn is None or answer is None or turn.phase.is_over:
            return None
        return turn if writing.is_stop_wanted(connection, answer) else None

    def not_saved(self) -> None:
        """It could not be stored: whoever waits for it goes on."""
        if not self.is_stored.done():
            self.is_stored.set_result(False)

    def _save(self, connection: sqlite3.Connection, writer: Callable[[], int]) -> bool:
        turn = self._turn
        if turn is None:
            return True
        if self.answer_id is None:
            self._begin(connection, writer, turn)
        if turn.phase.is_over:
            self._finish(connection, turn)
            return True
        self._journal(connection, turn)
        return False

    def _begin(self, connection: sqlite3.Connection, writer: Callable[[], int], turn: Turn) -> None:
        from tui.history import writing
        from tui.history.database import transaction

        again = None if self._again_of is None else self._again_of.prompt_id
        parent = None if self._after is None else self._after.answer_id
        number, asked = self.conversation.id, again
        with transaction(connection):
            if number is None:
                title = writing.title_of(self._prompt)
                number = writing.add_conversation(connection, title, self._created_ms)
            if asked is None:
                asked = writing.add_turn(
                    connection, number, parent, "user", self._prompt, self._created_ms
                )
            answer = writing.begin_answer(
                connection,
                number,
                asked,
                writer(),
                self._origin,
                turn.request.settings,
                self._created_ms,
            )
            state = _state_of(turn)
            writing.set_live(connection, answer, state)
        self._state = state
        self.conversation.id, self.prompt_id, self.answer_id = number, asked, answer
        if not self.is_stored.done():
            self.is_stored.set_result(True)

    def _journal(self, connection: sqlite3.Connection, turn: Turn) -> None:
        from tui.history import reading, writing
        from tui.history.board_samples import pack_samples
        from tui.history.chunk_ends import pack_ends
        from tui.history.database import transaction
        from tui.history.token_times import pack_times

        assert self.answer_id is not None
        # Before the words: what has arrived by then is at least in that phase.
        state = _state_of(turn)
        if turn.n_chars - self._mark.text_chars - self._mark.thinking_chars > MAX_PIECE_CHARS:
            return
        piece = turn.piece_since(self._mark)
        taken = len(self._samples)
        has_words = not piece.is_empty or taken > 0
        is_state_new = state != self._state
        has_to_detach = not self._has_terminal and not self._is_detached
        if not (has_words or is_state_new or has_to_detach):
            return
        times = pack_times(turn.t0_ns, piece.stamps_ns)
        values = (self.answer_id, piece.text, piece.thinking, times)
        new = (self._packed(turn.t0_ns, taken), pack_ends(piece.ends))
        if not (piece.is_whole or is_state_new or has_to_detach):
            # One statement is a transaction of its own, and costs less.
            writing.add_piece(connection, *values, *new)
        else:
            with transaction(connection):
                if piece.is_whole:
                    board = pack_samples(reading.board_samples(connection, self.answer_id))
                    writing.replace_pieces(connection, self.answer_id, board)
                if has_words:
                    writing.add_piece(connection, *values, *new)
                if is_state_new:
                    writing.set_live(connection, self.answer_id, state)
                if has_to_detach:
                    writing.detach(connection, self.answer_id)
        self._state, self._is_detached = state, self._is_detached or has_to_detach
        self._mark = piece.mark
        for _ in range(taken):
            self._samples.popleft()

    def _finish(self, connection: sqlite3.Connection, turn: Turn) -> None:
        from tui.history import reading, writing
        from tui.history.board_samples import pack_samples
        from tui.history.chunk_ends import pack_ends
        from tui.history.database import transaction
        from tui.history.token_times import pack_times
        from tui.history.turn_json import numbers_of

        assert self.answer_id is not None
        now_ns = time.perf_counter_ns()
        # The words can be long, and are not joined for this.
        result = result_of(turn, now_ns, self._origin.server, has_words=False)
        stats = turn.stats(now_ns)
        try:
            # What is journalled, or was stored by the end that this one renews.
            samples = reading.board_samples(connection, self.answer_id)
        except ValueError:
            samples = []
        samples += self._unpacked(turn.t0_ns, len(self._samples))
        numbers = numbers_of(result, stats)
        if samples:
            numbers["conditions"] = conditions_of(
                [(sample.t_ns, sample.values) for sample in samples],
                round((stats.ttft_ms or 0.0) * 1e6),
                **self._versions,
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
            writing.finish_answer(connection, self.answer_id, end)
            if not self._has_terminal and not self._is_detached:
                writing.detach(connection, self.answer_id)
            if model and model != self._origin.model:
                # It was chosen after the prompt was taken.
                origin = replace(self._origin, model=model)
                writing.set_origin(connection, self.answer_id, origin)
        self._samples.clear()
        self._turn = None

    def _unpacked(self, t0_ns: int, count: int) -> list[BoardSample]:
        from tui.history.board_samples import BoardSample

        return [
            BoardSample(t_ns - t0_ns, series_values(snapshot))
            for t_ns, snapshot in list(self._samples)[:count]
        ]

    def _packed(self, t0_ns: int, count: int) -> bytes:
        if not count:
            return b""
        from tui.history.board_samples import pack_samples

        return pack_samples(self._unpacked(t0_ns, count))


def _state_of(turn: Turn) -> LiveState:
    from tui.history.writing import LiveState

    wait = turn.wait
    since_ns = turn.t0_ns if wait is None or wait.is_sent else wait.since_ns
    return LiveState(
        since_ns, turn.phase, None if wait is None else wait.reason, turn.chunk_meaning
    )
