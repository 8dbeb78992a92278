"""Somebody else's work before a prompt: by the load, unless that can still be our own."""

from __future__ import annotations

import pytest

from tui.core.board.npu_busy import is_busy_for_others

S = 1_000_000_000


@pytest.mark.parametrize(
    ("load_pct", "own_end_ns", "is_busy"),
    [
        (None, None, False),
        (9.0, None, False),
        (10.0, None, True),
        (90.0, 9 * S, False),
        (90.0, 7 * S, True),
    ],
)
def test_load_of_others(load_pct: float | None, own_end_ns: int | None, is_busy: bool) -> None:
    assert is_busy_for_others(load_pct, 10 * S, own_end_ns) is is_busy
