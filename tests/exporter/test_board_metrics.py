"""The board's readings as metrics: units, absences, and any reading at all."""

from __future__ import annotations

import math
import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from tests.board import tree_files, trees
from tests.exporter.exporting import samples, value
from tui.board.one_shot import one_shot
from tui.board.sampler import Sampler
from tui.core.board.reading import Reading, ReadingValue, Snapshot
from tui.exporter.board_metrics import GAUGES, board_families
from tui.exporter.exporter import BusySeconds

NAMES = [*(row.reading for row in GAUGES), "temp.soc", "temp.", "throttle", "board.model"]


class _Board(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self):  # type: ignore[no-untyped-def]
        return board_families(self._snapshot)


def text_of(snapshot: Snapshot) -> str:
    registry = CollectorRegistry()
    registry.register(_Board(snapshot))
    return generate_latest(registry).decode()


def test_a_board_that_decodes_in_base_units(tmp_path: Path) -> None:
    sampler = Sampler(tree_files.write(trees.decoding(), tmp_path))
    found = samples(text_of(one_shot(sampler, time.sleep)))
    sampler.close()
    assert [value(found, "npulse_npu_load_ratio", core=str(core)) for core in range(3)] == [
        0.86,
        0.84,
        0.61,
    ]
    assert value(found, "npulse_ddr_load_ratio") == 0.62
    assert value(found, "npulse_npu_frequency_hertz") == 1e9
    assert value(found, "npulse_board_info", soc="rk3588", simulated="false") == 1
    assert value(found, "npulse_throttle_state", state="none") == 1
    assert value(found, "npulse_throttle_state", state="throttling") == 0


def test_what_is_absent_is_no_series() -> None:
    snapshot = Snapshot(0, 0.0, {"npu.load": Reading.absent("no permission", "%")})
    assert set(samples(text_of(snapshot))) == {("npulse_board_info", (("simulated", "false"),))}


values: st.SearchStrategy[ReadingValue] = st.one_of(
    st.none(),
    st.floats(),
    st.integers(),
    st.text(),
    st.lists(st.one_of(st.none(), st.floats(), st.integers()), max_size=9).map(tuple),
)


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(), values, max_size=12))
def test_any_reading_makes_metrics_that_can_be_read(readings: dict[str, ReadingValue]) -> None:
    snapshot = Snapshot(0, 0.0, {name: Reading(said) for name, said in readings.items()})
    text = text_of(snapshot)
    assert not any(ord(char) < 32 and char != "\n" for char in text)
    for family in text_string_to_metric_families(text):
        assert family.name.startswith("npulse_")
        assert all(math.isfinite(sample.value) for sample in family.samples)


def test_busy_seconds_are_the_load_over_time() -> None:
    busy = BusySeconds()
    for second, loads in enumerate(((100, 0), (50, None), (50, 10))):
        busy.add(Snapshot(second * 10**9, 0.0, {"npu.load": Reading(loads, "%")}))
    busy.add(Snapshot(100 * 10**9, 0.0, {"npu.load": Reading((100, 100), "%")}))  # after a gap
    assert [sample.value for sample in busy.family().samples] == [1.0, 0.1]
