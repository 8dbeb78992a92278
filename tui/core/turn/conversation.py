"""The conversation so far, and which part of it the next prompt sends to the server.

Only words of the answer go back. Thinking never does (the models' own templates drop it), nor does
an error: a server's complaint is not something the assistant said. A stopped or interrupted answer
goes back as far as it came. A prompt without any answer is left out, so that no two prompts stand
in a row: many templates refuse that.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui.core.turn.estimate import message_tokens
from tui.core.turn.result import TurnResult
from tui.core.types import GenerationSettings, Message


@dataclass(frozen=True, slots=True)
class PastTurn:
    """One prompt and how its answer ended."""

    prompt: str
    result: TurnResult

    @property
    def has_answer(self) -> bool:
        """Whether there are words to send back."""
        return bool(self.result.text.strip())


class Conversation:
    """The finished exchanges of one conversation, oldest first. An answer in flight is not here."""

    __slots__ = ("_exchanges",)

    def __init__(self) -> None:
        self._exchanges: list[PastTurn] = []

    @property
    def exchanges(self) -> tuple[PastTurn, ...]:
        return tuple(self._exchanges)

    @property
    def last(self) -> PastTurn | None:
        return self._exchanges[-1] if self._exchanges else None

    @property
    def last_answer(self) -> str | None:
        """The newest answer that has words, for copying."""
        for exchange in reversed(self._exchanges):
            if exchange.has_answer:
                return exchange.result.text
        return None

    def __len__(self) -> int:
        return len(self._exchanges)

    def add(self, prompt: str, result: TurnResult) -> PastTurn:
        """Keeps a finished turn, however it ended."""
        exchange = PastTurn(prompt, result)
        self._exchanges.append(exchange)
        return exchange

    def drop_last(self) -> PastTurn | None:
        """Takes the last exchange out and returns it, so that its prompt can be asked again.

        ``add(exchange.prompt, exchange.result)`` puts it back.
        """
        return self._exchanges.pop() if self._exchanges else None

    def clear(self) -> None:
        self._exchanges.clear()

    def messages_for(self, prompt: str, settings: GenerationSettings) -> tuple[Message, ...]:
        """The messages of the next request: system prompt if there is one, history, prompt."""
        messages: list[Message] = []
        if settings.system_prompt.strip():
            messages.append(Message("system", settings.system_prompt))
        for exchange in self._exchanges:
            if exchange.has_answer:
                messages.append(Message("user", exchange.prompt))
                messages.append(Message("assistant", exchange.result.text))
        messages.append(Message("user", prompt))
        return tuple(messages)

    def estimated_tokens(self, prompt: str, settings: GenerationSettings) -> int:
        """About how many tokens the next request will take, without its answer: estimated."""
        return message_tokens(self.messages_for(prompt, settings))

    def overflow_tokens(
        self, prompt: str, settings: GenerationSettings, context_tokens: int
    ) -> int:
        """About how many tokens too many the next request has for that context, 0 if it fits.

        The answer needs room too, but only a little of it is reserved (a sixteenth of the context
        at most): ``max_tokens`` is a limit, not a plan.
        """
        reserve = min(max(settings.max_tokens, 0), context_tokens // 16)
        needed = self.estimated_tokens(prompt, settings) + reserve
        return max(needed - context_tokens, 0)
