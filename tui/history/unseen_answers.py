"""Answers that other npulse processes left unfinished or still receive, for a dashboard's start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui.core.text import format as fmt
from tui.history import reading, running_answers, writers, writing
from tui.history.database import Connection, reading_from, writing_to
from tui.history.failures import HistoryError
from tui.history.followed_answer import FollowedAnswer
from tui.history.records import StoredTurn
from tui.history.resuming import ResumedConversation, StillRunningError, resume


@dataclass(frozen=True, slots=True)
class UnseenAnswer:
    """``followed`` is an answer that is running in another process; otherwise ``sentence`` says
    what was left. ``ended`` is the conversation of an answer that has ended since.
    """

    sentence: str
    followed: FollowedAnswer | None = None
    ended: ResumedConversation | None = None


def unseen_answer(path: Path) -> UnseenAnswer | None:
    """What to show at the start; None where there is nothing. Each answer is shown once.

    Raises HistoryError with one sentence.
    """
    if not path.exists():
        return None
    with reading_from(path) as connection:
        unseen = running_answers.unseen(connection)
        receiving = running_answers.receiving(connection)
    alive = [one.turn for one in receiving if one.is_alive]
    over = [answer for answer in unseen if answer not in alive]
    still = [answer for answer in unseen if answer in alive]
    if over:
        _end_and_note(path, over)
    if still:
        followed = FollowedAnswer(path, still[-1])
        return UnseenAnswer("", followed)
    if over:
        with reading_from(path) as connection:
            return _ended(connection, over[-1])
    other = next((one for one in reversed(receiving) if one.is_alive), None)
    if other is None:
        return None
    return UnseenAnswer(f"{other.where} receives an answer now; npulse attach shows it")


def opened(path: Path, conversation: int, answer: int | None) -> UnseenAnswer:
    """A running answer of a conversation, or else its end. Raises HistoryError."""
    if answer is not None:
        try:
            followed = FollowedAnswer(path, answer)
        except HistoryError:
            pass  # it ended just now
        else:
            return UnseenAnswer("", followed)
    with reading_from(path) as connection:
        try:
            found = resume(connection, conversation)
        except StillRunningError as still:
            followed = FollowedAnswer(path, still.answer)
            return UnseenAnswer("", followed)
    return UnseenAnswer(f"continuing: {found.title}", ended=found)


def _end_and_note(path: Path, answers: list[int]) -> None:
    try:
        with writing_to(path) as connection:
            writers.recover_all(connection)
            for answer in answers:
                writing.note_shown(connection, answer)
    except HistoryError:
        return  # it cannot be written: it is shown again at the next start


def _ended(connection: Connection, answer: int) -> UnseenAnswer | None:
    found = reading.turn(connection, answer)
    row = connection.execute("SELECT conversation FROM turns WHERE id = ?", (answer,)).fetchone()
    if found is None or row is None:
        return None
    try:
        conversation = resume(connection, int(row[0]), answer)
    except StillRunningError:
        return None
    return UnseenAnswer(_how_it_ended(found), ended=conversation)


def _how_it_ended(answer: StoredTurn) -> str:
    numbers = answer.numbers or {}
    tokens, rate_tps = numbers.get("tokens_out"), numbers.get("decode_tps")
    mark = "" if numbers.get("tokens_source") in ("measured", "runtime") else "~"
    figures = f"{mark}{tokens} tokens" if isinstance(tokens, int) else ""
    if isinstance(rate_tps, float | int):
        figures += f", {fmt.rate(rate_tps)} tok/s"
    if answer.status == "complete":
        return f"the terminal was closed, and this answer was finished without it: {figures}"
    if answer.error is not None:
        return f"the terminal was closed, and this answer then failed: {answer.error.sentence}"
    return f"the terminal was closed, and this answer is {answer.status}: {figures}"
