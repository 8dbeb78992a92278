"""Sentences about an answer whose stream ended in good order and that is not whole."""

from __future__ import annotations

from tui.core.turn import finish
from tui.core.types import TurnError, TurnStatus

CUMULATIVE_NOTE = (
    "This server sends the whole text so far with every piece: npulse shows and counts what is new."
)
TOOL_NOTE = "The model called a tool, and npulse runs none."


def turn_note(
    status: TurnStatus | None,
    finish_reason: str | None,
    *,
    has_thought: bool,
    unread: str,
    is_cumulative: bool = False,
) -> str | None:
    """Said of answers that reached the token limit, have no text, lost events (``unread``: the
    sentence about them), or came as whole texts (``is_cumulative``); None of any other."""
    notes = []
    is_limit = finish.is_limit(finish_reason)
    if status == "empty":
        when = " while thinking" if has_thought else " before any text came"
        if finish.is_tool(finish_reason):
            notes.append(f"{TOOL_NOTE} No text came with it.")
        elif is_limit:
            notes.append(f"The answer stopped at the token limit{when}; raise max_tokens.")
        else:
            why = f" ({finish_reason})" if finish_reason else ""
            only = "The model only thought" if has_thought else "The server sent no text"
            notes.append(f"{only}: the answer is empty, and the server does not say why{why}.")
    elif status == "complete" and is_limit:
        notes.append("The answer stopped at the token limit (length).")
    elif status == "complete" and finish.is_tool(finish_reason):
        notes.append(TOOL_NOTE)
    if is_cumulative:
        notes.append(CUMULATIVE_NOTE)
    if unread:
        notes.append(unread)
    return " ".join(notes) or None


def end_error(bad_reason: str | None, *, has_refusal: bool, loss: str) -> TurnError | None:
    """Why such an answer is not complete, None where it is. ``bad_reason`` is the server's word for
    an end that is none, ``loss`` the sentence about events that may have held a part of it."""
    if bad_reason is not None:
        sentence = f"The server ended the answer for a reason of its own: {bad_reason}."
        return TurnError("server", sentence)
    if has_refusal:
        return TurnError("server", "The model refused to answer.")
    if loss:
        return TurnError("protocol", f"{loss} A part of the answer may be missing.")
    return None
