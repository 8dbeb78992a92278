"""Reads and changes the history for the history screen."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui.core.screen.last_answers import LastAnswer
from tui.history import branches, listing, reading, recent, writing
from tui.history.branches import Branch, ExchangeIds
from tui.history.database import reading_from, transaction, writing_to
from tui.history.failures import HistoryError
from tui.history.last_answers import last_answers
from tui.history.listing import Filter
from tui.history.reading import AnswerTrace
from tui.history.recorder import Recorder
from tui.history.records import (
    AskedAnswer,
    BranchPlace,
    ConversationRow,
    OpenedConversation,
    SearchHit,
)
from tui.history.resuming import ResumedConversation, no_conversation, resume

if TYPE_CHECKING:
    from tui.recording.reading import Recording

PAGE = 200
"""Conversations that are read at once."""
MAX_HITS = 200
MAX_PROMPTS = 500
MAX_PROMPT_CHARS = 4 << 20
"""Total length of the prompts that are read for the Up key."""
CHANGE_S = 10.0
"""Longest wait of a change for the writing thread."""


class HistoryBrowser:
    """:class:`tui.history.records.History` of the database at ``path``.

    Each call opens the file anew: what another npulse stored meanwhile is there. Changes go through
    the connection of ``recorder`` where something is kept in this run.
    """

    def __init__(self, path: Path, recorder: Recorder | None = None) -> None:
        self._path = path
        self._recorder = recorder

    @property
    def is_there(self) -> bool:
        """Whether there is a history."""
        return self._path.exists()

    # Reading --------------------------------------------------------------------------------

    def newest(self, after: int | None = None) -> list[ConversationRow]:
        with reading_from(self._path) as connection:
            pinned: list[ConversationRow] = []
            if after is None:
                pinned = listing.conversations(connection, wanted=Filter(is_pinned=True))
            rest = listing.conversations(
                connection, wanted=Filter(is_pinned=False), limit=PAGE, after=after
            )
        return [*pinned, *rest]

    def latest(self, limit: int) -> tuple[list[LastAnswer], list[ConversationRow]]:
        """The last answers and the last conversations, the newest first."""
        with reading_from(self._path) as connection:
            rows = listing.conversations(connection, order="updated", limit=limit)
            return last_answers(connection, limit), rows

    def count(self) -> int:
        with reading_from(self._path) as connection:
            return listing.count(connection)

    def titled(self, words: str) -> list[ConversationRow]:
        with reading_from(self._path) as connection:
            found = listing.conversations(connection, wanted=Filter(title=words), limit=MAX_HITS)
            known = {row.id for row in found}
            tagged = listing.conversations(connection, wanted=Filter(tag=words), limit=MAX_HITS)
        return [*found, *(row for row in tagged if row.id not in known)]

    def search(self, words: str) -> list[SearchHit]:
        with reading_from(self._path) as connection:
            return reading.search(connection, words, limit=MAX_HITS)

    def open(self, conversation: int, turn: int | None = None) -> OpenedConversation:
        with reading_from(self._path) as connection:
            leaf = None if turn is None else reading.newest_leaf_below(connection, turn)
            found = reading.conversation(connection, conversation, leaf=leaf)
            if found is None:
                raise HistoryError(no_conversation(conversation))
            places = {one.id: tuple(reading.siblings(connection, one.id)) for one in found.turns}
            others = branches.all_alternatives(connection, found.turns)
        several = {number: same for number, same in places.items() if len(same) > 1}
        return OpenedConversation(found, several, others)

    def branch_places(self, exchanges: Sequence[ExchangeIds]) -> list[BranchPlace]:
        """Position of each exchange of a conversation among its alternatives."""
        with reading_from(self._path) as connection:
            return [branches.place_of(connection, *ids) for ids in exchanges]

    def beside(self, exchanges: Sequence[ExchangeIds], at: int, step: int) -> Branch | None:
        """See :func:`tui.history.branches.beside`."""
        with reading_from(self._path) as connection:
            return branches.beside(connection, exchanges, at, step)

    def answers(self, turns: Sequence[int]) -> list[AskedAnswer]:
        with reading_from(self._path) as connection:
            found = [reading.asked_answer(connection, number) for number in turns]
        return [answer for answer in found if answer is not None]

    def trace(self, answer: int) -> AnswerTrace:
        """An answer with what was measured while it ran."""
        with reading_from(self._path) as connection:
            found = reading.trace(connection, answer)
        if found is None:
            raise HistoryError(f"there is no answer {answer} in the history")
        return found

    def last_answer(self, conversation: int) -> int | None:
        with reading_from(self._path) as connection:
            found = reading.conversation(connection, conversation)
        if found is None:
            raise HistoryError(no_conversation(conversation))
        answers = (turn.id for turn in reversed(found.turns) if turn.role == "assistant")
        return next(answers, None)

    def resume(
        self, conversation: int, leaf: int | None, *, from_start: bool = False
    ) -> ResumedConversation:
        """A conversation to continue after the turn ``leaf`` (None: the end of its chosen branch),
        or with another first prompt.
        """
        if self._recorder is not None and self._recorder.is_busy:
            # What ended a moment ago is stored whole before it is read.
            self._change(lambda connection: None)
        with reading_from(self._path) as connection:
            found = resume(connection, conversation, leaf)
        return replace(found, past=(), answers=()) if from_start else found

    def recording(self, conversation: int, answer: int | None) -> Recording:
        """The recording of an answer of a conversation, for a replay; None: the last one of its
        chosen branch.
        """
        from tui.history.recordings import recorded

        with reading_from(self._path) as connection:
            try:
                return recorded(connection, conversation, answer)
            except ValueError as error:
                raise HistoryError(str(error)) from error

    def answer_recording(self, answer: int) -> Recording:
        """The recording of an answer by its id, for a replay."""
        with reading_from(self._path) as connection:
            conversation = recent.conversation_of(connection, answer)
        if conversation is None:
            raise HistoryError(f"there is no answer {answer} in the history")
        return self.recording(conversation, answer)

    def resume_last(self, conversation: int, leaf: int | None) -> ResumedConversation | None:
        """The conversation in which the last run ended, at the turn ``leaf`` (None: before its
        first turn); None where it was removed meanwhile."""
        with reading_from(self._path) as connection:
            if not recent.is_listed(connection, conversation):
                return None
            if leaf is None:
                found = resume(connection, conversation, None)
                return replace(found, past=(), answers=())
            is_there = recent.conversation_of(connection, leaf) == conversation
            return resume(connection, conversation, leaf if is_there else None)

    def recent_prompts(self) -> list[str]:
        """The newest prompts of all conversations, oldest first."""
        with reading_from(self._path) as connection:
            return recent.prompts(connection, MAX_PROMPTS, MAX_PROMPT_CHARS)

    # Changes --------------------------------------------------------------------------------

    def choose_branch(self, conversation: int, leaf: int) -> None:
        """Makes the branch that ends at this turn the chosen one."""
        self._change(lambda connection: writing.choose_leaf(connection, conversation, leaf))

    def rename(self, conversation: int, title: str) -> None:
        self._change(lambda connection: writing.rename(connection, conversation, title))

    def pin(self, conversation: int, is_pinned: bool) -> None:
        self._change(lambda connection: writing.set_pinned(connection, conversation, is_pinned))

    def tag(self, conversation: int, tags: Sequence[str]) -> None:
        self._change(lambda connection: writing.set_tags(connection, conversation, tags))

    def delete(self, conversation: int) -> None:
        now_ms = time.time_ns() // 1_000_000
        self._change(lambda connection: writing.delete(connection, conversation, now_ms))

    def undelete(self, conversation: int) -> None:
        self._change(lambda connection: writing.undelete(connection, conversation))

    def _change(self, work: Callable[[sqlite3.Connection], None]) -> None:
        if self._recorder is None:
            with writing_to(self._path) as connection, transaction(connection):
                work(connection)
            return
        try:
            self._recorder.change(work).result(CHANGE_S)
        except FutureTimeoutError:
            raise HistoryError("the history is busy; the change was not made yet") from None
