"""The boards of a run that many worked on (part of schema ``bench/1``)."""

from __future__ import annotations

from typing import Literal

import msgspec

BoardState = Literal["working", "done", "lost", "waiting", "refused"]
"""done: it worked to the end of the run. lost: its connection went away. waiting: for another run
there. refused: it was not asked, and the sentence says why."""

_STATES: dict[BoardState, str] = {
    "working": "works",
    "done": "worked",
    "lost": "was lost",
    "waiting": "waits",
    "refused": "not asked",
}


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """One board: what became of it, and the figures of the requests that it answered."""

    name: str
    address: str = ""
    """As the user wrote it; empty for a board that joined by itself."""
    state: BoardState = "working"
    sentence: str = ""
    """What is worth knowing about it: why it was lost, or not asked."""
    model: str = ""
    wall_s: float = 0.0
    """How long it worked on the run, from its first look at the server to its end."""
    answered: int = 0
    failed: int = 0
    """Requests whose last record is a failure of this board."""
    lost: int = 0
    """Requests that it was asked and another board had to be asked again."""
    tokens_out: int = 0
    decode_tps: float | None = None
    """Generation speed, weighted by tokens."""
    median_tps: float | None = None
    min_tps: float | None = None
    mad_tps: float | None = None
    """Spread: 1.4826 times the median distance from the median."""
    source: str = ""
    """Of the rates and the tokens."""
    ttft_median_ms: float | None = None
    t_max_c: float | None = None
    throttled_s: float | None = None
    requests_per_h: float | None = None
    """Answered, by the time it worked on the run."""

    @property
    def state_words(self) -> str:
        """How it is told in a table."""
        return _STATES[self.state]


class Projection(msgspec.Struct, frozen=True, kw_only=True):
    """How long so many prompts like those of the run would take so many boards like these."""

    prompts: int
    boards: int
    hours: float
