"""What a simulated board is told at its start."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tui.sim.faults import Faults
from tui.sim.profiles import Profile


@dataclass(frozen=True, slots=True)
class SimOptions:
    """Settings of one simulated board."""

    profile: Profile
    """The model that is loaded at the start."""
    port: int = 0
    decode_tps: float | None = None
    """A constant rate instead of the model's own."""
    prefill_tps: float | None = None
    tokens: int | None = None
    """A fixed length of every answer."""
    speed: float = 1.0
    seed: int = 0
    truth: Path | None = None
    root: Path | None = None
    is_root_removed: bool = False
    """Whether the tree below ``root`` is removed at the end."""
    parent: int | None = None
    """The process whose end also ends this one."""
    faults: Faults = field(default_factory=Faults)
