"""Governors held at ``performance`` for the time of a run (``npulse bench run --pin``).

Only on the explicit wish of a user who may write there (root), never silently. It is a change like
those of fixes, and remembered like them: where the run is killed, the next one puts it back, and so
does ``npulse doctor --undo``.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui.bench.store.runs import RunError
from tui.core.board.fix import FileWrite, Fix
from tui.core.text.sanitize import clean_line
from tui.fixes.applying import Applied, undo
from tui.fixes.change import (
    PIN_RULE,
    PIN_TITLE,
    BoardPlace,
    Change,
    ChangeMemory,
    FixError,
    state_of,
)
from tui.fixes.writers import DirectWriter
from tui.history.writer_process import this_process

GOVERNOR = "performance"
PLACES = (
    "sys/class/devfreq/*.npu/governor",
    "sys/class/devfreq/dmc/governor",
    "sys/devices/system/cpu/cpufreq/policy*/scaling_governor",
)


def governors(place: BoardPlace) -> list[str]:
    """Every governor file that a run depends on, as a path on the board."""
    found = sorted(path for pattern in PLACES for path in place.root.glob(pattern))
    return [f"/{path.relative_to(place.root)}" for path in found]


@dataclass(slots=True)
class Pin:
    """Holds the governors of a board between :meth:`take` and :meth:`restore`."""

    place: BoardPlace
    memory: ChangeMemory
    _applied: Applied | None = None

    def recover(self) -> list[str]:
        """Put back what a killed run has left; a sentence for each that could not be."""
        said = []
        try:
            changes = self.memory.changes()[::-1]
        except FixError as error:
            return [str(error)]
        for change in changes:
            if change.rule != PIN_RULE or change.root != self.place.key:
                continue
            try:
                self._recover(change)
            except FixError as error:
                said.append(
                    f"a killed run left governors at {GOVERNOR}: {error} npulse doctor --undo "
                    "puts them back."
                )
        return said

    def _recover(self, change: Change) -> None:
        state = state_of(change, self.place)
        if state == "in force":
            undo(change, self.place, DirectWriter(self.place), self.memory)
        elif state != "held":
            self.memory.forget(change.id)

    def take(self) -> list[str]:
        """Write ``performance`` everywhere; what each was before, for the report. Raises
        RunError with everything as it was."""
        before = {path: word for path in governors(self.place) if (word := self.place.read(path))}
        if not before:
            raise RunError("--pin: this machine has no governor of an NPU, DDR or CPU to hold")
        # Nobody has to put back what is there already.
        writes = tuple(FileWrite(p, GOVERNOR) for p, word in before.items() if word != GOVERNOR)
        if writes:
            fix = Fix(PIN_RULE, PIN_TITLE, writes)
            writer = DirectWriter(self.place)
            applied = Applied(fix, self.place, writer, self.memory, this_process())
            try:
                applied.apply()
            except FixError as error:
                problem = str(error).rstrip(".")
                raise RunError(
                    f"--pin needs root on the board, not in a container: {problem}"
                ) from None
            self._applied = applied
        return [f"{path.split('/')[-2]} was {clean_line(word)}" for path, word in before.items()]

    def restore(self) -> list[str]:
        """Put back what was there; a sentence for each file where that did not work, or that
        somebody else has changed. May be called twice."""
        applied, self._applied = self._applied, None
        if applied is None:
            return []
        try:
            return list(applied.undo().left)
        except FixError as error:
            return [f"{error} npulse doctor --undo tries again."]
