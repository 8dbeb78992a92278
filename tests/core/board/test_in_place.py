"""A reading's last values in fixed places: what a row of the dashboard draws."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.core.board.history import BoardHistory
from tui.core.board.reading import Reading, Snapshot


def history_of(count: int, length: int = 600) -> BoardHistory:
    history = BoardHistory(length)
    for number in range(count):
        history.add(Snapshot(number, 0.0, {"soc.temp": Reading(float(number), "°C")}))
    return history


@given(st.integers(1, 90), st.integers(1, 40))
def test_the_newest_value_is_shown_and_those_before_it_in_order(count: int, room: int) -> None:
    found = history_of(count).in_place("soc.temp", room)
    shown = [value for value in found if value is not None]
    assert len(found) == room
    assert shown == [float(n) for n in range(count - len(shown), count)]
    assert len(shown) >= min(count, room - max(room // 4, 1) + 1)


def test_most_samples_change_one_place() -> None:
    history = history_of(0)
    before = history.in_place("soc.temp", 40)
    moved = 0
    for number in range(200):
        history.add(Snapshot(number, 0.0, {"soc.temp": Reading(float(number), "°C")}))
        now = history.in_place("soc.temp", 40)
        moved += sum(a != b for a, b in zip(before, now, strict=True)) > 1
        before = now
    assert moved == 16


def test_a_reading_that_never_was_is_blank() -> None:
    assert history_of(3).in_place("ddr.load", 5) == [None] * 5


@given(
    st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=60),
    st.integers(1, 20),
    st.integers(0, 30),
)
def test_a_series_is_the_end_of_all_values(
    values: list[float | None], length: int, count: int
) -> None:
    history = BoardHistory(length)
    for number, value in enumerate(values):
        readings = {"soc.temp": Reading(value, "°C")}
        history.add(Snapshot(number, 0.0, readings if number else {}))
    kept = [None, *values[1:]][-length:]
    assert history.series("soc.temp", count) == (kept[-count:] if count else [])
