"""Resuming a stored conversation."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from tui.core.turn.conversation import PastTurn
from tui.history import listing, reading
from tui.history.failures import HistoryError
from tui.history.kept_answer import KeptAnswer, KeptConversation
from tui.history.records import StoredTurn
from tui.history.turn_json import stored_result


class StillRunningError(HistoryError):
    """An answer at the end of this branch is still being written by another npulse."""

    def __init__(self, conversation: int, answer: int) -> None:
        super().__init__(
            f"an answer of conversation {conversation} is still being written by another npulse; "
            f"npulse attach {conversation} shows it"
        )
        self.answer = answer


@dataclass(frozen=True, slots=True)
class ResumedConversation:
    """What was said along the chosen branch, and where the next prompt goes."""

    conversation: KeptConversation
    title: str
    updated_ms: int
    """When its newest turn was made, in ms since 1970."""
    past: tuple[PastTurn, ...]
    answers: tuple[KeptAnswer, ...]
    """Of ``past``, one for each."""

    @property
    def last(self) -> KeptAnswer | None:
        """The answer that the next prompt follows."""
        return self.answers[-1] if self.answers else None


def resume(
    connection: sqlite3.Connection, number: int | None = None, leaf: int | None = None
) -> ResumedConversation:
    """That conversation, or the one with the newest turn; along the branch that ends at ``leaf``,
    or the chosen one.

    Raises HistoryError where there is none, StillRunningError where another npulse still writes an
    answer of this branch, and sqlite3.Error.
    """
    wanted = listing.newest(connection) if number is None else number
    found = None if wanted is None else reading.conversation(connection, wanted, leaf=leaf)
    if found is None:
        raise HistoryError(
            "no conversation is kept yet" if number is None else no_conversation(number)
        )
    conversation = KeptConversation(found.row.id)
    past: list[PastTurn] = []
    answers: list[KeptAnswer] = []
    prompt_id, prompt = None, ""
    for turn in found.turns:
        if turn.role == "user":
            prompt_id, prompt = turn.id, turn.text
            continue
        if turn.status == "running":
            raise StillRunningError(found.row.id, turn.id)
        past.append(PastTurn(prompt, stored_result(turn)))
        # An imported answer may stand without a prompt; then another one of it follows itself.
        answers.append(KeptAnswer.stored(conversation, prompt_id or turn.id, turn.id))
    return ResumedConversation(
        conversation, found.row.title, found.row.updated_ms, tuple(past), tuple(answers)
    )


def before(connection: sqlite3.Connection, prompt: StoredTurn) -> ResumedConversation:
    """What was said in a conversation before that prompt. Raises HistoryError where it is gone, and
    sqlite3.Error."""
    (number,) = connection.execute(
        "SELECT conversation FROM turns WHERE id = ?", (prompt.id,)
    ).fetchone() or (0,)
    if prompt.parent is not None:
        return resume(connection, number, prompt.parent)
    row = listing.conversation_row(connection, number)
    if row is None:
        raise HistoryError(no_conversation(number))
    return ResumedConversation(KeptConversation(number), row.title, row.updated_ms, (), ())


def no_conversation(number: int) -> str:
    """The sentence for an unknown conversation id."""
    return f"there is no conversation {number}; npulse history list shows those there are"
