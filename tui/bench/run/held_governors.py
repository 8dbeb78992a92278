"""Governors held at one value for the time of a run: what a run asks of whoever can do that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class HeldGovernors(Protocol):
    """All three block while they write. :class:`tui.fixes.pin.Pin` is one."""

    def recover(self) -> Sequence[str]:
        """Put back what a killed run has left; a sentence for each that could not be."""

    def take(self) -> Sequence[str]:
        """Hold them; what each was before, for the report. Raises RunError."""

    def restore(self) -> Sequence[str]:
        """Put back what was there, if they are held; a sentence for each that could not be."""
