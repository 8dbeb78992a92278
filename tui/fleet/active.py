"""Lock and mark of a run on many boards: by them other npulse processes find and follow it."""

from __future__ import annotations

from pathlib import Path

from tui.bench.run.ledger import Ledger
from tui.bench.store.folder import boards_folder
from tui.bench.store.runs import Lock, RunError, lock_holder


class ActiveMark:
    """Of two runs at the same time the one that holds the lock is followed, and then the other.

    ``folder`` is that of all runs, ``name`` what the lock says of this one.
    """

    def __init__(self, folder: Path, name: str, ledger: Ledger) -> None:
        self._place = boards_folder(folder)
        self._name = name
        self._ledger = ledger
        self._lock = Lock(self._place)
        self._is_held = False

    def begin(self) -> None:
        """From now on the run can be followed. Raises JournalError, and RunError where the folder
        cannot be used."""
        self._is_held = self._took()
        if not self._is_held and lock_holder(self._place) is None:
            # Nobody has it, or not any longer.
            self._lock.take(self._name)
            self._is_held = True
        self._ledger.begin(self._place, is_holder=self._is_held)

    def look(self) -> None:
        """Takes the place of a run that is over. Raises JournalError."""
        if not self._is_held and lock_holder(self._place) is None and self._took():
            self._is_held = True
            self._ledger.mark()

    def release(self) -> None:
        """The run is over."""
        self._lock.release()

    def _took(self) -> bool:
        """Whether this run has the lock now."""
        try:
            self._lock.take(self._name)
        except RunError:
            return False
        return True
