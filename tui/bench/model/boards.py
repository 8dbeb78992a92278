"""The boards of a run on several boards (part of schema ``bench/1``)."""

from __future__ import annotations

from typing import Literal

import msgspec

BoardState = Literal["working", "done", "lost", "waiting", "refused"]
"""done: worked to the end of the run. lost: its connection broke. waiting: another run uses it.
refused: it got no requests, for the reason in ``sentence``."""

_STATES: dict[BoardState, str] = {
    "working": "works",
    "done": "worked",
    "lost": "was lost",
    "waiting": "waits",
    "refused": "not used",
}


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """One board: its state, and the figures of its requests."""

    name: str
    address: str = ""
    """As the user wrote it; empty for a board that joined by itself."""
    state: BoardState = "working"
    sentence: str = ""
    """A sentence for the user, such as why it was lost or not used."""
    model: str = ""
    wall_s: float = 0.0
    """Time that it worked on the run, from its first connection to the server."""
    answered: int = 0
    failed: int = 0
    """Requests whose final record is a failure on this board."""
    lost: int = 0
    """Requests that were sent to it and had to be repeated on another board."""
    tokens_out: int = 0
    decode_tps: float | None = None
    """Decode rate, weighted by tokens."""
    median_tps: float | None = None
    min_tps: float | None = None
    mad_tps: float | None = None
    """MAD of the requests' decode rates: 1.4826 times the median distance from the median."""
    source: str = ""
    """Source of the rates: runtime, client or estimated."""
    ttft_median_ms: float | None = None
    t_max_c: float | None = None
    throttled_s: float | None = None
    requests_per_h: float | None = None
    """Answered requests divided by ``wall_s``."""

    @property
    def state_words(self) -> str:
        """The state as shown in a table."""
        return _STATES[self.state]


class Projection(msgspec.Struct, frozen=True, kw_only=True):
    """Projected hours for a number of similar prompts on a number of similar boards."""

    prompts: int
    boards: int
    hours: float
