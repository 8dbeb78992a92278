"""``npulse attach``: finds the running answer or conversation to open."""

from __future__ import annotations

from tui.history import listing
from tui.history.database import reading_from
from tui.history.records import AttachTarget, Receiver
from tui.history.resuming import no_conversation
from tui.history.running_answers import receiving
from tui.settings.history_options import history_file

NOTHING_RUNS = (
    "no answer is running; npulse attach ID opens a kept conversation, npulse history list shows "
    "them"
)


class NothingRunsError(Exception):
    """There is no running answer to attach to. The message is one sentence."""


def find(word: str | None) -> AttachTarget:
    """The newest running answer, or what the conversation of this id has: a running answer or an
    end.

    Raises NothingRunsError, ValueError where the id is none, and HistoryError where the history
    cannot be read; each with one sentence.
    """
    number = None if word is None else _number(word)
    if not history_file().exists():
        if number is None:
            raise NothingRunsError(NOTHING_RUNS)
        raise ValueError(no_conversation(number))
    with reading_from(history_file()) as connection:
        alive = [one for one in receiving(connection) if one.is_alive]
        if number is None:
            if not alive:
                raise NothingRunsError(NOTHING_RUNS)
            return _target(alive[-1])
        wanted = [one for one in alive if one.conversation == number]
        if wanted:
            return _target(wanted[-1])
        if listing.conversation_row(connection, number) is None:
            raise ValueError(no_conversation(number))
    return AttachTarget(number)


def _number(word: str) -> int:
    if not (word.isascii() and word.isdigit()):
        raise ValueError(
            f"{word[:80]!r} is not the id of a conversation; npulse running shows those that run"
        )
    return int(word[:18])


def _target(receiver: Receiver) -> AttachTarget:
    return AttachTarget(receiver.conversation, receiver.turn, receiver.origin.url)
