"""Whatever times, gaps, absences and steps of a clock come: no exception, nothing off the axis."""

from __future__ import annotations

import math
from array import array
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.core.turn.chunk_words import ChunkEnds
from tui.core.types import TurnError
from tui.history.board_samples import BoardSample
from tui.history.records import StoredTurn
from tui.timeline.binning import BinnedSeries, TimeAxis, axis_of
from tui.timeline.record import Series, Timeline
from tui.timeline.series import RATE
from tui.timeline.stored import stored_timeline

pytestmark = pytest.mark.slow

TIMES = st.one_of(st.integers(-5_000_000_000, 60_000_000_000), st.integers(-(2**70), 2**70))
VALUES = st.one_of(
    st.none(),
    st.sampled_from([0.0, 1.0, 2.0, 100.0, 1e9, 2.1e9, math.nan, math.inf, -math.inf, 1e308]),
    st.floats(),
)
NAMES = st.sampled_from(
    [
        "npu.load.0", "npu.load.1", "npu.freq", "soc.temp", "ddr.load", "ddr.freq", "ram.available",
        "throttle.level", "cpu.others", "psi.memory", "cpu.big.freq.0", "something.else",
    ]
)  # fmt: skip
SAMPLES = st.lists(
    st.builds(BoardSample, TIMES, st.dictionaries(NAMES, VALUES, max_size=6)), max_size=12
)
NUMBERS = st.fixed_dictionaries(
    {},
    optional={
        "queue_ms": st.one_of(st.none(), st.floats(), st.integers()),
        "latency_ms": st.one_of(st.none(), st.floats(0, 1e9), st.integers(0, 2**40)),
        "tokens_out": st.one_of(st.none(), st.integers(-5, 10**6)),
        "decode_tps": st.one_of(st.none(), st.floats(0, 1e6)),
        "is_at_limit": st.booleans(),
    },
)
STATUSES = st.sampled_from([None, "running", "complete", "stopped", "interrupted", "error"])


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    """Any stored answer."""
    times_ns = draw(st.lists(TIMES, max_size=20))
    text, thinking = draw(st.text(max_size=60)), draw(st.text(max_size=30))
    ends = None
    if draw(st.booleans()):
        numbers = st.lists(st.integers(0, 100), min_size=len(times_ns), max_size=len(times_ns))
        ends = ChunkEnds(array("I", draw(numbers)), array("I", draw(numbers)))
    status: Any = draw(STATUSES)
    error = TurnError("cut", "The connection was cut.") if status == "error" else None
    answer = StoredTurn(
        1, None, "assistant", 0, text, thinking, status, error, numbers=draw(NUMBERS)
    )
    return stored_timeline("why?", answer, times_ns, draw(SAMPLES), ends)


@given(timelines())
@settings(max_examples=300, deadline=None)
def test_nothing_lies_outside_of_the_axis(timeline: Timeline) -> None:
    start_ns, end_ns = timeline.start_ns, timeline.end_ns
    assert start_ns <= 0 <= end_ns or start_ns <= end_ns
    for phase in timeline.phases:
        assert start_ns <= phase.start_ns <= phase.end_ns <= end_ns
    for before, after in zip(timeline.phases, timeline.phases[1:], strict=False):
        assert before.end_ns == after.start_ns
    for mark in timeline.marks:
        assert start_ns <= mark.start_ns <= mark.end_ns <= end_ns
        assert mark.sentence
    for series in timeline.series.values():
        assert len(series.times_ns) == len(series.values)
        assert list(series.times_ns) == sorted(series.times_ns)
        assert all(start_ns <= t_ns <= end_ns for t_ns in series.times_ns)


@given(timelines())
@settings(max_examples=200, deadline=None)
def test_every_character_was_written_by_one_chunk(timeline: Timeline) -> None:
    chunks, count = timeline.chunks, len(timeline.chunks)
    if not count or timeline.status is None:
        return
    assert timeline.words(0, count) == timeline.thinking + timeline.text
    assert (
        "".join(timeline.words(n, n + 1) for n in range(count)).strip()
        or not (timeline.thinking + timeline.text).strip()
    )
    for kind in ("thinking", "text"):
        for offset in range(len(timeline.characters(kind))):
            number = chunks.of_offset(kind, offset)
            assert number is not None
            first, after = chunks.span(kind, number, number + 1)
            assert first <= offset < after


@given(timelines(), st.integers(1, 200), TIMES, st.integers(1, 10**12))
@settings(max_examples=200, deadline=None)
def test_bins_hold_every_value_of_their_time(
    timeline: Timeline, count: int, start_ns: int, bin_ns: int
) -> None:
    axis = TimeAxis(start_ns, bin_ns, count)
    for series in timeline.series.values():
        binned = BinnedSeries(axis, series)
        binned.update()
        for place in range(count):
            low, high, mean = binned.at(place)
            assert low is None or mean is None or high is None or low <= mean <= high
        for t_ns, value in zip(series.times_ns, series.values, strict=True):
            place = axis.bin_of(t_ns)
            if value == value and 0 <= place < count:
                low, high, _ = binned.at(place)
                assert low is not None
                assert high is not None
                assert low <= value <= high


@given(
    st.lists(
        st.tuples(
            st.integers(0, 4_000_000_000),
            st.one_of(st.floats(-1e9, 1e9), st.sampled_from((math.nan, math.inf))),
        ),
        max_size=120,
    ),
    st.integers(-3_000_000_000, 10**12),
    st.integers(1, 10**12),
    st.integers(1, 6),
    st.sampled_from((RATE, "soc.temp")),
)
def test_many_points_at_once_are_as_one_after_the_other(
    steps: list[tuple[int, float]], start_ns: int, span_ns: int, count: int, name: str
) -> None:
    times = list(accumulate(gap for gap, _ in steps))
    series = Series(name, times, [value for _, value in steps])
    axis = axis_of(start_ns, start_ns + span_ns, count)
    at_once = BinnedSeries(axis, series)
    singly = BinnedSeries(axis, series, lambda t_ns: t_ns)
    at_once.update()
    singly.update()
    for place in range(count):
        one, other = at_once.at(place), singly.at(place)
        assert (one.low, one.high) == (other.low, other.high)
        # Later versions of Python add up with less error.
        assert one.mean == (None if other.mean is None else pytest.approx(other.mean, abs=1e-3))
