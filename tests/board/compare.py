"""A snapshot in the form of :mod:`tests.board.expected`."""

from __future__ import annotations

from tests.board.expected import Absent, Flagged
from tui.core.board.reading import Snapshot


def as_expected(snapshot: Snapshot) -> dict[str, object]:
    """Every reading except npulse's own cost."""
    found: dict[str, object] = {}
    for name, reading in snapshot.readings.items():
        assert (reading.value is None) != (reading.reason is None), name
        value: object = Absent(str(reading.reason)) if reading.value is None else reading.value
        if not name.startswith("npulse."):
            found[name] = Flagged(value, reading.flags) if reading.flags else value
    return found
