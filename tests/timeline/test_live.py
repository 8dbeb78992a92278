"""An answer that runs is followed as it comes, whenever somebody looks."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.turn.turns import MS, REQUEST, T0
from tui.core.turn.turn import Turn
from tui.core.types import Phase, TextDelta, ThinkingDelta
from tui.timeline.live import LiveTimeline
from tui.timeline.record import Timeline

WORDS = st.sampled_from(
    ["a", "word ", "", "<think>", "</think>", "\n", "é", "<", "```py\n", "\n```\n", "漢"]
)
ACTIONS = st.lists(
    st.tuples(st.sampled_from(["text", "thinking", "look", "sample"]), WORDS), max_size=40
)
VALUES = {"npu.load.0": 80.0, "npu.freq": 1e9, "soc.temp": 60.0, "throttle.level": 0.0}


def plain(timeline: Timeline) -> tuple[object, ...]:
    """What a timeline says, without its columns being those of a builder."""
    chunks = timeline.chunks
    return (
        timeline.text,
        timeline.thinking,
        list(chunks.times_ns),
        list(chunks.text_ends),
        list(chunks.thinking_ends),
        timeline.phases,
        timeline.status,
        {name: list(series.times_ns) for name, series in timeline.series.items()},
        {name: repr(list(series.values)) for name, series in timeline.series.items()},
    )


@given(ACTIONS)
@settings(deadline=None)
def test_looking_changes_nothing(actions: list[tuple[str, str]]) -> None:
    turn = Turn(REQUEST, T0)
    watched, unwatched = LiveTimeline(turn), LiveTimeline(turn)
    turn.accepted(T0 + MS)
    now_ns = T0
    for number, (action, word) in enumerate(actions, 2):
        now_ns = T0 + number * MS
        if action == "look":
            looked = watched.timeline(now_ns)
            assert looked.is_running
            assert all(p.end_ns <= looked.end_ns for p in looked.phases)
        elif action == "sample":
            watched.saw(now_ns, VALUES)
            unwatched.saw(now_ns, VALUES)
        else:
            turn.feed(now_ns, [TextDelta(word) if action == "text" else ThinkingDelta(word)])
    turn.stop(now_ns + MS)
    first, second = watched.timeline(now_ns + MS), unwatched.timeline(now_ns + MS)
    assert plain(first) == plain(second)
    assert (first.text, first.thinking.rstrip()) == (turn.text, turn.thinking)
    assert list(first.chunks.times_ns) == [t_ns - T0 for t_ns in turn.stamps_ns]
    assert first.status == "stopped"
    assert [mark.kind for mark in first.marks][-1:] == ["stopped"]


def test_a_sample_after_the_end_is_not_of_the_answer() -> None:
    turn = Turn(REQUEST, T0)
    live = LiveTimeline(turn)
    turn.accepted(T0 + MS)
    turn.feed(T0 + 10 * MS, [TextDelta("word")])
    live.saw(T0 + 15 * MS, VALUES)
    turn.stop(T0 + 20 * MS)
    # Nobody has looked since the end: the sample comes first.
    live.saw(T0 + 900 * MS, VALUES)
    found = live.timeline(T0 + 1000 * MS)
    assert found.end_ns == 20 * MS
    assert list(found.series["soc.temp"].times_ns) == [15 * MS]


def test_phases_follow_the_words() -> None:
    turn = Turn(REQUEST, T0)
    live = LiveTimeline(turn)
    assert turn.phase is Phase.WAITING
    live.saw(T0 - 50 * MS, VALUES)
    turn.accepted(T0 + 10 * MS)
    pieces = [
        "<think>",
        "let me",
        " see</think>",
        "Look:\n",
        "```py\n",
        "x = 1\n",
        "```\n",
        "Done.",
    ]
    for number, piece in enumerate(pieces):
        turn.feed(T0 + (100 + number) * MS, [TextDelta(piece)])
    turn.end_of_stream(T0 + 200 * MS)
    timeline = live.timeline(T0 + 200 * MS)
    names = [(p.name, p.start_ns // MS) for p in timeline.phases]
    assert names == [
        ("prefill", 0),
        ("thinking", 100),
        ("answer", 103),
        ("code", 104),
        ("answer", 107),
    ]
    assert timeline.words(5, 6) == "x = 1\n"
    assert timeline.chunks.of_offset("text", timeline.text.index("x = 1")) == 5
    assert timeline.kind_of(1) == "thinking"
    assert timeline.series["soc.temp"].at(0, MS) == 60.0
