"""What can be changed on a board on request, and changed back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FileKind = Literal["kernel", "config", "by command"]
"""kernel: a file of /sys, whose value a reboot forgets. config: a small file that is made, and
removed again. by command: a file that the fix's command makes and removes."""
MeasuredBy = Literal["decode_tps", "prefill_tps"]
"""The metric that tells whether a fix helped."""


@dataclass(frozen=True, slots=True)
class FileWrite:
    """One file and what it shall hold; ``path`` is that on the board: ``/sys/class/...``."""

    path: str
    value: str
    kind: FileKind = "kernel"


@dataclass(frozen=True, slots=True)
class Fix:
    """One fix as data: files with their new values, commands of root, and the way back.

    ``rule`` is that of its finding. ``commands`` run after the files are written, ``undo_commands``
    after they are put back. ``measured_by``: what to compare before and after; None where a few
    answers cannot show it. ``note`` is what to know before it is done, as one sentence.
    """

    rule: str
    title: str
    writes: tuple[FileWrite, ...]
    commands: tuple[tuple[str, ...], ...] = ()
    undo_commands: tuple[tuple[str, ...], ...] = ()
    measured_by: MeasuredBy | None = None
    note: str = ""

    @property
    def is_lasting(self) -> bool:
        """Whether it outlives a reboot."""
        return any(write.kind != "kernel" for write in self.writes)
