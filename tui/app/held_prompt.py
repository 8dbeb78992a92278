"""A prompt that is held until the server is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.core.screen.chat import Waiting

if TYPE_CHECKING:
    from tui.servers.connection_state import ConnectionState

MODELS_NS = 1_000_000_000
"""Longest wait of a prompt for the model list of a new server."""


@dataclass(frozen=True, slots=True)
class HeldPrompt:
    """``is_ahead``: the first look for a server is not over; else one is there that is too busy to
    say what it is."""

    prompt: str
    since_ns: int
    is_ahead: bool

    def waiting(self, state: ConnectionState) -> Waiting:
        """What it waits for."""
        reason = state.problem or "looking for a server"
        return Waiting(self.prompt, reason.removesuffix("."), self.since_ns)

    def must_wait(self, state: ConnectionState, now_ns: int) -> bool:
        """Whether it still does: for a server, or for the models of one that was found just now."""
        if state.may_answer_soon:
            return True
        if not self.is_ahead or not state.is_connected or state.models or state.problem:
            return False
        return state.since_ns is not None and now_ns - state.since_ns < MODELS_NS
