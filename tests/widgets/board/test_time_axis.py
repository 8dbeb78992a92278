"""One time axis: bins that stand still, gaps that stay gaps, answers in the right columns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.core.board.answer_log import AnswerLog, AnswerMark
from tui.core.board.history import BoardHistory
from tui.core.board.reading import Reading, Snapshot
from tui.widgets.board.time_axis import TimeAxis, time_axis

NS = 1_000_000_000
MINUTE = 60 * NS


def test_bins_stand_still_until_one_is_complete() -> None:
    axis = time_axis(1000 * NS, 10 * MINUTE, 120)
    assert axis.bin_ns == 5 * NS
    assert axis.n_bins == 120
    assert time_axis(1004 * NS, 10 * MINUTE, 120) == axis
    assert time_axis(1005 * NS, 10 * MINUTE, 120).first == axis.first + 1


def test_a_gap_begins_a_new_line() -> None:
    axis = TimeAxis(0, 100, NS)
    points = [(1 * NS, 1.0), (2 * NS, 2.0), (3 * NS, None), (4 * NS, 4.0), (60 * NS, 5.0)]
    assert axis.lines(points) == [((1.0, 1.0), (2.0, 2.0)), ((4.0, 4.0),), ((60.0, 5.0),)]


def test_a_level_is_two_points() -> None:
    axis = TimeAxis(0, 100, NS)
    points = [(t * NS, 7.0) for t in range(50)]
    assert axis.lines(points) == [((0.0, 7.0), (49.0, 7.0))]
    assert axis.per_column(points, 100)[:51] == [7.0] * 50 + [None]


@given(
    st.lists(
        st.tuples(st.integers(0, 200 * NS), st.none() | st.floats(-1e9, 1e9)), max_size=50
    ).map(lambda found: sorted(found, key=lambda point: point[0])),
    st.integers(0, 150),
    st.integers(2, 50),
    st.integers(1, 90),
)
def test_every_point_lies_on_the_axis(
    points: list[tuple[int, float | None]], first: int, n_bins: int, cells: int
) -> None:
    axis = TimeAxis(first, n_bins, NS)
    for line in axis.lines(points):
        assert all(0 <= x < n_bins for x, _ in line)
        assert [x for x, _ in line] == sorted({x for x, _ in line})
    assert len(axis.per_column(points, cells)) == cells


def test_answers_are_marked_where_they_ran() -> None:
    axis = TimeAxis(100, 60, NS)

    def columns(start: int, end: int) -> list[int]:
        return list(axis.columns(AnswerMark(start * NS, None, end * NS, False), 30))

    assert columns(110, 114) == [5, 6, 7]
    assert columns(0, 101) == [0]
    assert columns(150, 999)[-1] == 29
    assert columns(0, 99) == columns(160, 170) == []


def test_an_answer_that_was_never_seen_to_end_ends_before_the_next() -> None:
    log = AnswerLog()
    from tests.widgets.test_panels import answering

    stats = answering(n_tokens=10)
    log.saw(0, stats, 5 * NS)
    assert log.marks[-1].is_running
    log.saw(20 * NS, stats, 25 * NS)
    first, second = log.marks
    assert not first.is_running
    assert first.end_ns == 5 * NS
    assert second.start_ns == 20 * NS
    log.saw(20 * NS, stats, 26 * NS)
    assert len(log.marks) == 2
    assert log.marks[-1].end_ns == 26 * NS


def test_rates_of_an_answer_lie_between_its_first_token_and_its_end() -> None:
    from tests.widgets.test_panels import answering

    log = AnswerLog()
    log.saw(0, answering(n_tokens=40), 14 * NS)
    (mark,) = log.marks
    *points, gap = mark.points()
    assert gap[1] is None
    assert all(mark.first_ns <= t_ns <= mark.end_ns for t_ns, _ in points if mark.first_ns)
    assert all(abs((rate or 0) - 3.125) < 0.2 for _, rate in points)


def test_history_keeps_times_and_the_clocks_of_big_clusters() -> None:
    history = BoardHistory(length=3)
    for second in range(5):
        values = {
            "soc.temp": Reading(40.0 + second),
            "cpu.freq": Reading((1e9, 2e9, None)),
            "cpu.max_freq": Reading((1.8e9, 2.4e9, 2.4e9)),
        }
        history.add(Snapshot(second * NS, 0.0, values))
    assert history.points("soc.temp") == [(2 * NS, 42.0), (3 * NS, 43.0), (4 * NS, 44.0)]
    assert history.points("soc.temp", 4 * NS) == [(4 * NS, 44.0)]
    assert history.points("nothing") == []
    assert history.series("cpu.big.freq.0", 1) == [2e9]
    assert history.series("cpu.big.freq.1", 1) == [None]
