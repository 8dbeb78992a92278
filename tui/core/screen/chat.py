"""Protocol of the chat for screens; implemented in :mod:`tui.app.chat_session`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tui.core.expect.outlook import Outlook
    from tui.core.turn.result import TurnResult
    from tui.core.turn.turn import Turn
    from tui.core.turn.turn_stats import TurnStats

ANSWER_RUNS = "an answer is running; stop it first"
"""Why nothing else can begin now. It is no longer true when that answer is over."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A prompt that was taken but not sent yet, and why: ``reason`` is a short phrase."""

    prompt: str
    reason: str
    since_ns: int


class FollowedTurn(Protocol):
    """An answer that another npulse receives, read from the history as it grows.

    A Protocol, for what draws must not import a database.
    """

    @property
    def turn(self) -> Turn:
        """The answer as far as it is stored: the owner writes within a second."""

    @property
    def where(self) -> str:
        """The process that receives it: ``npulse (pid 42)``."""

    @property
    def prompt(self) -> str:
        """What it answers."""

    @property
    def result(self) -> TurnResult | None:
        """How it ended, with the owner's numbers; None while it runs."""


class Chat(Protocol):
    """One conversation with one server. Methods return at once; the network runs elsewhere.

    A Protocol, for what draws must not import a client of a server.
    """

    @property
    def turn(self) -> Turn | None:
        """The answer in flight, or the last one; None in a new conversation."""

    @property
    def is_answering(self) -> bool:
        """Whether ``turn`` is in flight."""

    @property
    def waiting(self) -> Waiting | None:
        """A prompt that waits until the server is free."""

    @property
    def followed(self) -> FollowedTurn | None:
        """Who receives ``turn``, where that is another npulse."""

    @property
    def ahead(self) -> FollowedTurn | None:
        """The answer of another npulse that the waiting prompt waits for, where it is known."""

    @property
    def finishing_note(self) -> str | None:
        """What the server still does for an answer that was stopped; None when it is idle."""

    @property
    def was_busy(self) -> bool:
        """Whether the NPU was at work when the turn in flight was asked: the server finishes
        something else first, and its prefill begins later."""

    def ask(self, prompt: str) -> str | None:
        """Send a prompt. Returns None, or one sentence why it was not taken."""

    def take_note(self) -> str | None:
        """Note about the last sent prompt; returned once."""

    def take_unsent(self) -> tuple[str, str] | None:
        """A prompt that was taken while the first look for a server went on, and could not be sent
        after it; with the sentence why. Only the first call gets it."""

    def stop(self) -> str | None:
        """Stop the answer, or take back the prompt that waits; that prompt is returned."""

    def send_anyway(self) -> None:
        """Send the prompt that waits, without waiting for the stopped answer any longer."""

    def take_last(self) -> str | None:
        """The prompt of the last answer, which is dropped from the conversation; None if there is
        none or one is running."""

    def give_back_last(self) -> None:
        """What :meth:`take_last` took goes back into the conversation: its prompt was not sent."""

    @property
    def exchange_count(self) -> int:
        """Prompts with their ended answers in the conversation, without the turn in flight."""

    @property
    def is_kept(self) -> bool:
        """Whether the conversation is in the history, where all its branches can be found."""

    def commit_turn(self) -> None:
        """Keep a turn that is over in the conversation; called when its end was drawn."""

    def clear(self) -> bool:
        """Begin a new conversation; False while an answer runs. The old one is set aside until the
        next prompt is sent."""

    @property
    def has_old_conversation(self) -> bool:
        """Whether a conversation is set aside."""

    def bring_back(self) -> bool:
        """Go on with the conversation that was set aside; False where there is none."""

    def stop_later(self, tokens: int | None = None) -> str | None:
        """Plan to stop the answer: after so many more tokens, None at the end of its paragraph. A
        planned stop is put off by as many tokens, or given up (None). Returns one sentence of what
        is planned now; None where no answer runs."""

    @property
    def remark(self) -> str | None:
        """What there is to say of the last answer beside its numbers, as a clause."""

    def outlook(self, stats: TurnStats) -> Outlook | None:
        """What is awaited of the turn in flight, how long it takes by the earlier ones, and what is
        wrong with it. ``stats`` are its numbers now. None where none runs."""
