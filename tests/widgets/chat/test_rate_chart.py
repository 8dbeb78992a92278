"""The curve of an answer's rate on the dashboard."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.widgets.rows_text import row_text
from tests.widgets.test_panels import answering
from tui.core.text.glyphs import ASCII, UNICODE, Glyphs
from tui.timeline.builder import TimelineBuilder
from tui.timeline.record import Timeline
from tui.widgets.chat.rate_chart import RateChart, timeline_of
from tui.widgets.kit.rows import row_width

NS = 1_000_000_000
BOTH = pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])


def throttled(builder: TimelineBuilder) -> Timeline:
    """Thirty seconds at four tokens a second; the last ten at two, because of heat."""
    at_ns = NS
    for second in range(31):
        slow = second >= 20
        builder.add_sample(second * NS, {"throttle.level": 2.0 if slow else 0.0})
        while at_ns < (second + 1) * NS:
            builder.add_words("word ", "")
            number = at_ns // (NS // 4)
            builder.add_chunks([at_ns], [5 * number], [0])
            at_ns += NS // (2 if slow else 4)
    return builder.timeline()


@BOTH
def test_it_has_axes_a_phase_and_the_mark_of_the_throttling(glyphs: Glyphs) -> None:
    timeline = throttled(TimelineBuilder("why", "qwen3-4b"))
    rows = RateChart(glyphs).rows(timeline, 60, 9, 4.0)
    shown = [row_text(row) for row in rows]
    assert all(row_width(row) == 60 for row in rows)
    assert "throttled" in shown[-2]
    assert "prefill" in shown[-2] or "answer" in shown[-2]
    assert "0 s" in shown[-1]
    assert "20 s" in shown[-1]
    scale = [float(row[:5]) for row in shown[:-2] if row[:5].strip()]
    assert scale == sorted(scale, reverse=True)
    assert scale[0] >= 4 >= 2 >= scale[-1]
    assert any("/trouble" in role for row in rows for _, role in row)


@BOTH
@settings(max_examples=40)
@given(st.integers(0, 90), st.integers(0, 25), st.one_of(st.none(), st.floats(0, 1e4)))
def test_any_size_is_kept(
    glyphs: Glyphs, width: int, height: int, median_tps: float | None
) -> None:
    rows = RateChart(glyphs).rows(timeline_of(answering()), width, height, median_tps)
    assert len(rows) == height
    assert all(row_width(row) <= width for row in rows)


def test_an_answer_that_nobody_followed_has_its_rate_all_the_same() -> None:
    rows = RateChart(UNICODE).rows(timeline_of(answering()), 41, 7, None)
    assert any("\u2800" < char <= "\u28ff" for row in rows for char in row_text(row))


@BOTH
@pytest.mark.parametrize("width", [41, 60, 120])
def test_the_word_of_a_stop_stands_off_the_phase_before_it(glyphs: Glyphs, width: int) -> None:
    builder = TimelineBuilder("why", "qwen3-4b")
    builder.add_words("Words of an answer.", "")
    builder.add_chunks([NS + n * NS // 4 for n in range(120)], [1] * 120, [0] * 120)
    builder.end("stopped", end_ns=31 * NS)
    rows = RateChart(glyphs).rows(builder.timeline(), width, 9, None)
    assert " stopped " in row_text(rows[-2])
    ticks = row_text(rows[-1]).split(" s")
    assert len([one for one in ticks if one.strip()]) >= 2, "one tick alone gives no scale"
