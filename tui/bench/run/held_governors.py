"""Interface with which a run sets governors to a fixed value for its duration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class HeldGovernors(Protocol):
    """All methods block while they write. Implemented by :class:`tui.fixes.pin.Pin`.

    A Protocol, as fixes compare answers and so import benchmarks, not the reverse.
    """

    def recover(self) -> Sequence[str]:
        """Restore governors that a killed run has left. Returns a sentence for each failure."""

    def take(self) -> Sequence[str]:
        """Set the governors. Returns the earlier ones as text for the report. Raises RunError."""

    def restore(self) -> Sequence[str]:
        """Restore the governors, if they are set. Returns a sentence for each failure."""
