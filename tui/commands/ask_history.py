"""``npulse ask``: continues a conversation of the history, and stores its answer."""

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
from tui.history.running_answers import first_in_line
from tui.servers.address import shown_url
from tui.servers.capabilities import is_one_at_a_time
from tui.servers.connection_state import Server
from tui.settings.history_options import history_file, origin_of, recorder
from tui.settings.schema import HistorySection

STORE_S = 1.0
"""Longest time that the request waits for its prompt to be stored."""


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
    """The conversation that ``--continue`` names; None for a new one. Raises ValueError with one
    sentence.
    """
    if options.continued is None:
        return None
    try:
        with reading_from(history_file()) as connection:
            return resume(connection, int(options.continued[:18]) if options.continued else None)
    except HistoryError as error:
        raise ValueError(f"--continue: {error}") from error


def conversation_of(found: ResumedConversation | None) -> Conversation:
    """The earlier messages that are sent with the prompt."""
    conversation = Conversation()
    for exchange in () if found is None else found.past:
        conversation.add(exchange.prompt, exchange.result)
    return conversation


class AnswerKeeper:
    """Stores the answer of this command, or does nothing with ``--no-store``."""

    def __init__(
        self, section: HistorySection, found: ResumedConversation | None, *, is_wanted: bool
    ) -> None:
        self._recorder: Recorder | None = None
        if is_wanted:
            self._recorder = recorder(section, _tell, "ask", _stop)
        self._found = found
        self._kept: KeptAnswer | None = None

    def begin(self, turn: Turn, server: Server, info: ModelInfo | None) -> None:
        """Stores the prompt before the request is sent."""
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
        """Callbacks for board samples; none where nothing is stored."""
        recorder = self._recorder
        if recorder is None:
            return ()
        return (lambda sample: recorder.on_snapshot(sample.snapshot),)

    def guard(self, server: Server, in_use: Callable[[], str | None]) -> Callable[[], str | None]:
        """``in_use``, or why the prompt has to wait for another npulse's answer."""
        if not is_one_at_a_time(server.dialect):
            return in_use
        url = shown_url(server.url)

        def reason() -> str | None:
            own = None if self._kept is None else self._kept.answer_id
            first = first_in_line(history_file(), (url,), own)
            return in_use() if first is None else f"the server answers {first.where} first"

        return reason

    def renew(self, turn: Turn) -> None:
        """Updates the answer's numbers."""
        if self._recorder is not None and self._kept is not None:
            self._recorder.renew(self._kept, turn)

    def close(self) -> None:
        """Stores the end."""
        if self._recorder is not None:
            self._recorder.close()


def _stop(turn: Turn) -> None:
    """Another npulse asked to stop this answer: stops it as Ctrl+C does."""
    os.kill(os.getpid(), signal.SIGINT)


def _tell(problem: str | None) -> None:
    if problem is not None:
        complain("npulse ask", problem)
