"""One cause of slowness, and its fix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NewType

from tui.core.board.fix import Fix

Command = NewType("Command", str)
"""A line for a shell that has an effect when it is run. Whatever else helps is an Advice."""
Advice = NewType("Advice", str)
"""A sentence for a person; never shown as a command."""
Weight = Literal["act", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause. ``weight`` is act where something should be done, note where it explains.

    The text may come from outside.
    """

    rule: str
    """Its stable name."""
    title: str
    evidence: str
    effect: str
    command: Command | None = None
    """What fixes it, ready for a shell."""
    weight: Weight = "act"
    advice: Advice | None = None
    """Advice where no command helps."""
    fix: Fix | None = None
    """The same as data, where npulse can do it and undo it."""
