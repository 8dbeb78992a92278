"""The snapshot as JSON and as text, whatever is in it."""

from __future__ import annotations

import json
import math
from datetime import datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.board import trees
from tests.board.boards import Board
from tui.board.advice.report import to_json, to_text, wall_time
from tui.core.board.reading import Reading, Snapshot

words = st.text(max_size=20)
numbers = st.one_of(st.integers(-(2**70), 2**70), st.floats())
values = st.one_of(
    st.none(), numbers, words, st.lists(st.one_of(st.none(), numbers), max_size=4).map(tuple)
)
any_reading = st.builds(
    Reading,
    value=values,
    unit=st.sampled_from(["", "%", "Hz", "B", "°C", "V", "GB/s", "jobs/s"]),
    source=words,
    reason=st.one_of(st.none(), words),
    flags=st.lists(words, max_size=3).map(tuple),
)
ids = st.one_of(words, st.sampled_from(["npu.load", "ddr.freq", "board.simulated", "throttle"]))


def test_shape(tmp_path: Path) -> None:
    with Board(tmp_path, trees.decoding()) as board:
        snapshot = board.settled()
    found = json.loads(json.dumps(to_json(snapshot), allow_nan=False))
    assert set(found) == {"t_ns", "time", "readings"}
    assert found["t_ns"] == snapshot.t_ns
    moment = datetime.fromisoformat(found["time"])
    assert moment.utcoffset() is not None
    assert moment.timestamp() == snapshot.time
    for reading in found["readings"].values():
        assert list(reading) == ["value", "unit", "source", "reason", "flags"]
        assert (reading["value"] is None) == (reading["reason"] is not None)
    assert found["readings"]["npu.load"]["value"] == [86, 84, 61]
    assert found["readings"]["npu.load"]["unit"] == "%"
    assert found["readings"]["npu.max_freq"]["value"] == 1_000_000_000


def test_numbers_that_json_does_not_have() -> None:
    snapshot = Snapshot(
        0,
        0.0,
        {"a.x": Reading(math.nan, "%"), "a.y": Reading(math.inf), "a.z": Reading((1.0, math.nan))},
    )
    found = json.loads(json.dumps(to_json(snapshot), allow_nan=False))["readings"]
    assert found["a.x"]["value"] is None
    assert found["a.x"]["reason"]
    assert found["a.y"]["value"] is None
    assert found["a.z"]["value"] == [1.0, None]


def test_times_beyond_the_calendar() -> None:
    for seconds in (1e30, -1e30, math.nan, math.inf):
        assert datetime.fromisoformat(wall_time(seconds))


@given(st.dictionaries(ids, any_reading, max_size=6), st.floats())
def test_any_snapshot_is_json_and_text(readings: dict[str, Reading], moment: float) -> None:
    snapshot = Snapshot(1, moment, readings)
    json.loads(json.dumps(to_json(snapshot), allow_nan=False))
    for text in (to_text(snapshot), json.dumps(to_json(snapshot), ensure_ascii=False)):
        assert not [char for char in text if ord(char) < 32 and char != "\n"]
        assert not [char for char in text if 127 <= ord(char) < 160 or "‪" <= char <= "‮"]


def test_every_absent_reading_of_a_group_is_named_with_its_reason(tmp_path: Path) -> None:
    with Board(tmp_path, trees.no_driver()) as board:
        snapshot = board.settled()
        text = to_text(snapshot)
    for name, reading in snapshot.readings.items():
        assert name in text
        if reading.value is None:
            assert f"– {reading.reason}: " in text
