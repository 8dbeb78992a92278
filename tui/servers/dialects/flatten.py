"""A conversation as one message, for servers that hand the model the last message only."""

from __future__ import annotations

from collections.abc import Sequence

from tui.core.types import Message

SPEAKERS = {"user": "User", "assistant": "Assistant"}


def flattened(messages: Sequence[Message]) -> Message:
    """The whole conversation as the user's one message; a single prompt stays as it is."""
    system = "\n\n".join(m.content for m in messages if m.role == "system" and m.content)
    said = [message for message in messages if message.role != "system"]
    if len(said) == 1:
        words = said[0].content
    else:
        words = "\n\n".join(f"{SPEAKERS[m.role]}: {m.content}" for m in said) + "\n\nAssistant:"
    return Message("user", f"{system}\n\n{words}" if system else words)
