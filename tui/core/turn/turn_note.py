"""One sentence about an answer that did not fail and is not whole either."""

from __future__ import annotations

from tui.core.turn import finish
from tui.core.types import TurnStatus


def turn_note(
    status: TurnStatus | None, finish_reason: str | None, *, has_thought: bool, unread: str
) -> str | None:
    """Said of answers that reached the token limit, have no text, or lost events (``unread``, see
    :func:`unread_note`); None of a whole answer."""
    notes = []
    is_limit = finish.is_limit(finish_reason)
    if status == "empty":
        when = " while thinking" if has_thought else " before any text came"
        if is_limit:
            notes.append(f"The answer stopped at the token limit{when}; raise max_tokens.")
        else:
            why = f" ({finish_reason})" if finish_reason else ""
            only = "The model only thought" if has_thought else "The server sent no text"
            notes.append(f"{only}: the answer is empty, and the server does not say why{why}.")
    elif status == "complete" and is_limit:
        notes.append("The answer stopped at the token limit (length).")
    if unread:
        notes.append(unread)
    return " ".join(notes) or None


def unread_note(count: int, first: str | None) -> str:
    """Of events that could not be read, the first as text; empty where there are none."""
    if not count:
        return ""
    what = "1 event of the stream" if count == 1 else f"{count} events of the stream"
    return f"{what} could not be read: “{first}”."
