"""Interface of the two ways to sample a board over a connection."""

from __future__ import annotations

from typing import Protocol

from tui.core.board.reading import Snapshot

ANSWER_S = 4.0
"""Time limit of an answer, after which the connection counts as lost."""
NOT_OVER_SSH = "not read over ssh"


class RemoteSampler(Protocol):
    """A process on the board that gives samples."""

    @property
    def latency_ms(self) -> float | None:
        """Time until the first byte of the last answer; None before the first."""

    def sample(self) -> Snapshot:
        """Take a snapshot. Blocks. Raises OSError if the connection is lost, ValueError for an
        invalid answer."""

    def close(self) -> None:
        """End the process."""
