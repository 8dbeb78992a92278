"""Exchanges of the chat, in step with the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.core.turn.conversation import Conversation, PastTurn

if TYPE_CHECKING:
    from tui.app.chat_keeper import ChatKeeper, KeptSoFar
    from tui.core.turn.result import TurnResult
    from tui.core.turn.turn import Turn
    from tui.core.types import GenerationSettings
    from tui.history.kept_answer import KeptAnswer
    from tui.history.resuming import ResumedConversation


@dataclass(frozen=True, slots=True)
class OldConversation:
    """A conversation that was set aside for a new one. ``turn`` is its last one."""

    past: tuple[PastTurn, ...]
    kept: KeptSoFar
    turn: Turn | None


class Exchanges:
    """Changes the conversation and its stored form together."""

    def __init__(self, keeper: ChatKeeper) -> None:
        self.conversation = Conversation()
        self.keeper = keeper
        self._old: OldConversation | None = None
        self._taken: tuple[PastTurn, KeptAnswer | None] | None = None
        """The exchange that was taken out of the conversation last."""
        self._too_long: str | None = None
        """The last prompt that was held back for its length."""

    def add(self, prompt: str, result: TurnResult) -> None:
        """The turn that ran is a part of the conversation now."""
        self.conversation.add(prompt, result)
        self.keeper.commit()

    def take_last(self) -> str | None:
        """Take the last exchange out; its prompt, or None where there is none."""
        last = self.conversation.drop_last()
        if last is None:
            return None
        self._taken = last, self.keeper.drop_last(last.prompt)
        return last.prompt

    def give_back_last(self) -> None:
        """What :meth:`take_last` took is the last exchange again."""
        taken, self._taken = self._taken, None
        if taken is not None:
            exchange, answer = taken
            self.conversation.add(exchange.prompt, exchange.result)
            self.keeper.put_back(answer)

    def why_too_long(
        self, prompt: str, settings: GenerationSettings, context_tokens: int | None
    ) -> str | None:
        """One sentence where the next request does not fit into the context; None where it does,
        and where the same prompt is sent again: the number is a guess, for code it can be off by
        half, so the user has the last word."""
        overflow = 0
        if context_tokens is not None:
            overflow = self.conversation.overflow_tokens(prompt, settings, context_tokens)
        if not overflow or prompt == self._too_long:
            self._too_long = None
            return None
        self._too_long = prompt
        return (
            f"~{overflow} tokens too long for the context of {context_tokens}; "
            "a new conversation has more room; send it again to send it anyway"
        )

    def drop_failed(self, prompt: str) -> None:
        """A prompt that an error ended and that is sent again stands alone, without its first
        attempt."""
        last = self.conversation.last
        if last is not None and last.prompt == prompt and last.result.error is not None:
            self.conversation.drop_last()
            self.keeper.drop_last(prompt)

    @property
    def has_old(self) -> bool:
        """Whether a conversation is set aside."""
        return self._old is not None

    def set_aside(self, turn: Turn | None) -> None:
        """Begin anew; ``turn`` is the last one of the conversation that is set aside."""
        past, kept = self.conversation.exchanges, self.keeper.clear()
        if past:
            self._old = OldConversation(past, kept, turn)
        self.conversation.clear()

    def forget_old(self) -> None:
        """Drops the conversation that was set aside."""
        self._old = None

    def bring_back(self) -> OldConversation | None:
        """The conversation that was set aside goes on; None where there is none."""
        old, self._old = self._old, None
        if old is not None:
            self.conversation.clear()
            self._add_past(old.past)
            self.keeper.bring_back(old.kept)
        return old

    def resume(self, found: ResumedConversation) -> None:
        """A stored conversation goes on in an empty chat."""
        self.forget_old()
        self._add_past(found.past)
        self.keeper.resume(found)

    def follow(self, before: ResumedConversation, answer: KeptAnswer) -> None:
        """The same, with an answer that another npulse keeps."""
        self.forget_old()
        self._add_past(before.past)
        self.keeper.follow(before, answer)

    def _add_past(self, past: Sequence[PastTurn]) -> None:
        for exchange in past:
            self.conversation.add(exchange.prompt, exchange.result)
