"""Sets governors to ``performance`` for the duration of a run (``npulse bench run --pin``).

Only if the user asks for it, and only as root. The change is recorded like a fix: if the run is
killed, the next run or ``npulse doctor --undo`` restores the governors.
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
        """Restore the governors that a killed run has left. Returns a sentence for each failure."""
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
        """Set every governor to ``performance``. Returns the earlier ones as text for the report.
        Raises RunError; then nothing has changed."""
        before = {path: word for path in governors(self.place) if (word := self.place.read(path))}
        if not before:
            raise RunError("--pin: this machine has no governor of an NPU, DDR or CPU to hold")
        # Governors at this value already need no restoring.
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
        """Restore the governors. Returns a sentence for each one that failed or that another
        program has changed. A second call does nothing."""
        applied, self._applied = self._applied, None
        if applied is None:
            return []
        try:
            return list(applied.undo().left)
        except FixError as error:
            return [f"{error} npulse doctor --undo tries again."]
