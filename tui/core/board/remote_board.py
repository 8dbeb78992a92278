"""Protocol of a remote board, for benchmarks."""

from __future__ import annotations

from typing import Protocol

from tui.core.board.reading import Snapshot


class BoardElsewhere(Protocol):
    """Samples and server addresses of a remote board. A Protocol, so that benchmarks need no ssh
    code.
    """

    @property
    def name(self) -> str:
        """What the user calls it; sanitised."""

    @property
    def latency_ms(self) -> float | None:
        """Round trip of the last request in ms; None before the first answer."""

    def sample(self) -> Snapshot:
        """One snapshot, or one that says why there is none. Blocks; never raises."""

    def url_there(self, url: str) -> str:
        """The board's address behind a forwarded local address."""
