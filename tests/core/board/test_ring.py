from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.board.ring import Ring

values = st.lists(st.none() | st.floats(-1e6, 1e6), max_size=60)


def test_empty() -> None:
    ring = Ring(3)
    assert (len(ring), list(ring)) == (0, [])
    assert ring.last(5) == []


def test_the_oldest_goes() -> None:
    ring = Ring(3)
    for value in (1.0, None, 3.0, 4.0):
        ring.push(value)
    assert list(ring) == [None, 3.0, 4.0]
    assert ring.last(2) == [3.0, 4.0]
    assert ring.last(0) == []


def test_no_room_at_all() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Ring(0)


@given(values, st.integers(1, 20), st.integers(0, 30))
def test_as_a_list_would(pushed: list[float | None], capacity: int, count: int) -> None:
    ring = Ring(capacity)
    for value in pushed:
        ring.push(value)
    kept = pushed[-capacity:]
    assert list(ring) == kept
    assert ring.last(count) == (kept[-count:] if count else [])
