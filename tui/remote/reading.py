"""What samples a board over an open connection: one of two ways behind one face."""

from __future__ import annotations

from typing import Protocol

from tui.core.board.reading import Snapshot

ANSWER_S = 4.0
"""How long one answer may take before the connection counts as gone."""
NOT_OVER_SSH = "not read over ssh"


class BoardReading(Protocol):
    """One process at the other end that is asked, or tells."""

    @property
    def latency_ms(self) -> float | None:
        """How long the first byte of the last answer took; None before there was one."""

    def sample(self) -> Snapshot:
        """One snapshot. Blocks. Raises OSError where the connection is gone, ValueError for what no
        board says."""

    def close(self) -> None:
        """End the process."""
