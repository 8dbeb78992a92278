"""Lock and mark of a run on many boards, by which other npulse processes find and follow it."""

from __future__ import annotations

from pathlib import Path

from tui.bench.run.ledger import Ledger
from tui.bench.store.folder import boards_folder
from tui.bench.store.runs import Lock, RunError, lock_holder


class ActiveMark:
    """Other processes follow the run that holds the lock; when it ends, another run takes it.

    ``folder``: the folder of all runs. ``name``: this run's name in the lock.
    """

    def __init__(self, folder: Path, name: str, ledger: Ledger) -> None:
        self._place = boards_folder(folder)
        self._name = name
        self._ledger = ledger
        self._lock = Lock(self._place)
        self._is_held = False

    def begin(self) -> None:
        """Writes the mark, so that the run can be followed. Raises JournalError, and RunError if
        the folder cannot be used."""
        self._is_held = self._took()
        if not self._is_held and lock_holder(self._place) is None:
            # No run holds it (any more): try again, for the error if it cannot be locked at all.
            self._lock.take(self._name)
            self._is_held = True
        self._ledger.begin(self._place, is_holder=self._is_held)

    def look(self) -> None:
        """Takes the lock and writes the mark once the run that held them has ended. Raises
        JournalError."""
        if not self._is_held and lock_holder(self._place) is None and self._took():
            self._is_held = True
            self._ledger.mark()

    def release(self) -> None:
        """Releases the lock at the end of the run."""
        self._lock.release()

    def _took(self) -> bool:
        """Tries to take the lock; whether it succeeded."""
        try:
            self._lock.take(self._name)
        except RunError:
            return False
        return True
