"""A board on another machine, as whoever measures on it is given it."""

from __future__ import annotations

from typing import Protocol

from tui.core.board.reading import Snapshot


class BoardElsewhere(Protocol):
    """Its samples and its servers. A Protocol: what measures must not know how it is reached."""

    @property
    def name(self) -> str:
        """What the user calls it; sanitised."""

    @property
    def latency_ms(self) -> float | None:
        """How long the last question was on its way; None before the first answer."""

    def sample(self) -> Snapshot:
        """One snapshot, or one that says why there is none. Blocks; never raises."""

    def url_there(self, url: str) -> str:
        """What an address of this machine's loopback is on the board, under the board's name."""
