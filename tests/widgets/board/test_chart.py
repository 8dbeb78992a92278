"""The axis of the board's charts: it stands still, and what is drawn lies where it was read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.widgets.rows_text import row_text
from tui.core.board.answer_log import AnswerMark
from tui.core.board.history import COARSE_SAMPLES, BoardHistory
from tui.core.board.reading import Reading, Snapshot
from tui.core.text.glyphs import ASCII, UNICODE
from tui.widgets.board.chart import axis_row, binned, canvas_rows, frame, steady_axis
from tui.widgets.board.curves import ChartModel, Curve
from tui.widgets.kit.plot import Scale
from tui.widgets.kit.rows import row_width

NS = 1_000_000_000
MINUTE = 60 * NS


def chart(*points: tuple[int, float | None]) -> ChartModel:
    curve = Curve("load", "live", points, "")
    return ChartModel("ddr", "DDR", "DDR", "%", (curve,), Scale(0, 100, ((0, "0"), (100, "100"))))


@given(st.integers(MINUTE, 90 * MINUTE), st.sampled_from([1, 2, 5, 10, 60]), st.integers(2, 400))
def test_now_and_all_of_the_window_lie_on_the_axis(now_ns: int, minutes: int, count: int) -> None:
    axis = steady_axis(now_ns, minutes * MINUTE, count)
    assert axis.count == count
    assert axis.bin_of(now_ns) < count
    assert count < 30 or axis.bin_of(now_ns - minutes * MINUTE) >= 0


def test_most_samples_leave_the_axis_where_it_is() -> None:
    axes = [steady_axis((1000 + s) * NS, 10 * MINUTE, 130) for s in range(600)]
    assert len(set(axes)) <= 14


def test_a_gap_stays_a_gap_and_a_range_is_seen() -> None:
    points = [(s * NS, 10.0 if s % 2 else 90.0) for s in range(100, 200)]
    points += [(s * NS, 50.0) for s in range(260, 300)]
    shared = frame(300 * NS, 5 * MINUTE, 67, (), UNICODE)
    bins = binned(Curve("load", "live", points, ""), shared)
    whole = bins.at(shared.axis.bin_of(150 * NS))
    assert (whole.low, whole.high) == (10.0, 90.0)
    assert bins.at(shared.axis.bin_of(230 * NS)).mean is None


def test_every_row_fits_and_answers_are_marked_where_they_ran() -> None:
    model = chart(*((s * NS, float(s % 100)) for s in range(300)))
    for glyphs in (UNICODE, ASCII):
        mark = AnswerMark(100 * NS, None, 160 * NS, False)
        shared = frame(300 * NS, 5 * MINUTE, 67, [mark], glyphs, cursor_ns=200 * NS)
        rows = canvas_rows(model, shared, 5)
        assert [row_width(row) for row in rows] == [67] * 5
        assert min(shared.band()) == shared.cell_of(100 * NS)
        assert max(shared.band()) == shared.cell_of(160 * NS)
        assert "-1:40" in row_text(axis_row(shared, 5 * MINUTE))


def test_an_hour_is_known_by_the_range_of_ten_samples() -> None:
    history = BoardHistory(60)
    for second in range(400):
        history.add(Snapshot(second * NS, 0.0, {"soc.temp": Reading(float(second), "°C")}))
    points = history.points("soc.temp")
    assert [t_ns for t_ns, _ in points] == sorted(t_ns for t_ns, _ in points)
    assert points[:2] == [(9 * NS, 0.0), (9 * NS, 9.0)]
    assert points[-1] == (399 * NS, 399.0)
    assert len(points) == 60 + 2 * (400 - 60) // COARSE_SAMPLES
    assert history.begun_ns == 9 * NS
