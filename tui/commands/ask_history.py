"""``npulse ask``: which conversation its prompt goes on with, and where its answer is kept."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout

from tui.commands.ask_board import Take
from tui.commands.parser import Parser, complain
from tui.core.turn.conversation import Conversation
from tui.core.turn.turn import Turn
from tui.core.types import ModelInfo
from tui.history.database import reading_from
from tui.history.failures import HistoryError
from tui.history.kept_answer import KeptAnswer, KeptConversation
from tui.history.recorder import Recorder
from tui.history.resuming import ResumedConversation, resume
from tui.history.running import first_in_line
from tui.servers.address import shown_url
from tui.servers.capabilities import is_one_at_a_time
from tui.servers.connection_state import Server
from tui.settings.history_options import history_file, origin_of, recorder
from tui.settings.schema import HistorySection

STORE_S = 1.0
"""How long the request waits for its prompt to be on the disk."""


def add_history_options(parser: Parser) -> None:
    """``--continue`` and ``--no-store``."""
    parser.add_argument(
        "--continue",
        dest="continued",
        nargs="?",
        const="",
        metavar="ID",
        help="continue this conversation (id of npulse history list); without an id the last one",
    )
    parser.add_argument("--no-store", action="store_true", help="do not keep prompt and answer")


def settle_words(options: argparse.Namespace) -> None:
    """``--continue 'and why?'``: words in the place of an id are the prompt.

    Raises ValueError with one sentence.
    """
    word = options.continued
    if not word or (word.isascii() and word.isdigit()):
        return
    if options.prompt is not None:
        raise ValueError(
            f"--continue takes the id of a conversation, not {word[:80]!r}; npulse history list "
            "shows them"
        )
    options.prompt, options.continued = word, ""


def resumed(options: argparse.Namespace) -> ResumedConversation | None:
    """What ``--continue`` names; None where a new conversation begins. Raises ValueError with one
    sentence."""
    if options.continued is None:
        return None
    try:
        with reading_from(history_file()) as connection:
            return resume(connection, int(options.continued[:18]) if options.continued else None)
    except HistoryError as error:
        raise ValueError(f"--continue: {error}") from error


def conversation_of(found: ResumedConversation | None) -> Conversation:
    """What goes to the server before the prompt."""
    conversation = Conversation()
    for exchange in () if found is None else found.past:
        conversation.add(exchange.prompt, exchange.result)
    return conversation


class AnswerKeeper:
    """Keeps the one answer of this command, or does nothing where that is not wanted."""

    def __init__(
        self, section: HistorySection, found: ResumedConversation | None, *, is_wanted: bool
    ) -> None:
        self._recorder: Recorder | None = None
        if is_wanted:
            self._recorder = recorder(section, _tell, "ask", _stop)
        self._found = found
        self._kept: KeptAnswer | None = None

    def begin(self, turn: Turn, server: Server, info: ModelInfo | None) -> None:
        """The request of this turn is sent next: its prompt is stored before."""
        if self._recorder is None:
            return
        found = self._found
        self._kept = self._recorder.record(
            turn,
            origin_of(server, turn.request.model, info),
            KeptConversation() if found is None else found.conversation,
            None if found is None else found.last,
        )
        try:
            self._kept.is_stored.result(STORE_S)
        except FutureTimeout:
            return  # a slow disk; it is stored while the answer comes

    @property
    def takers(self) -> tuple[Take, ...]:
        """What samples of the board are given to; nothing where nothing is kept."""
        recorder = self._recorder
        if recorder is None:
            return ()
        return (lambda sample: recorder.on_snapshot(sample.snapshot),)

    def guard(self, server: Server, in_use: Callable[[], str | None]) -> Callable[[], str | None]:
        """``in_use``, or why another npulse comes first at a server that works on one answer."""
        if not is_one_at_a_time(server.dialect):
            return in_use
        url = shown_url(server.url)

        def reason() -> str | None:
            own = None if self._kept is None else self._kept.answer_id
            first = first_in_line(history_file(), (url,), own)
            return in_use() if first is None else f"the server answers {first.where} first"

        return reason

    def renew(self, turn: Turn) -> None:
        """There are better numbers of it."""
        if self._recorder is not None and self._kept is not None:
            self._recorder.renew(self._kept, turn)

    def close(self) -> None:
        """Stores the end."""
        if self._recorder is not None:
            self._recorder.close()


def _stop(turn: Turn) -> None:
    """Another npulse was told to stop this answer: what Ctrl+C does here."""
    os.kill(os.getpid(), signal.SIGINT)


def _tell(problem: str | None) -> None:
    if problem is not None:
        complain("npulse ask", problem)
