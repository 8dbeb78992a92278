"""The card of a result: complete, inert, and without names."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tui.bench.analysis.compare import compare_values
from tui.core.board.reading import Reading, ReadingValue, Snapshot
from tui.fixes.card import Card, card_of, markdown, svg
from tui.fixes.change import Change, ChangedFile
from tui.fixes.trial import Trial
from tui.recording.scrub import Scrubber

DDR = "/sys/class/devfreq/dmc/governor"
CHANGE = Change(
    id="0a",
    rule="ddr-clock",
    title="keep the memory at its highest clock",
    root="/",
    boot_id="b",
    time_s=1.0,
    files=(ChangedFile(path=DDR, before="dmc_ondemand", after="performance"),),
)
SCRUBBER = Scrubber(hosts=("kitchen-pi",), users=("ben",), places=("/home/ben",))


def snapshot(**values: ReadingValue) -> Snapshot:
    readings = {name.replace("__", "."): Reading(value) for name, value in values.items()}
    return Snapshot(time.perf_counter_ns(), time.time(), readings)


BOARD: dict[str, ReadingValue] = {
    "board__model": "kitchen-pi OPi 5 Max",
    "board__soc": "rk3588",
    "board__kernel": "6.1.84 (ben@kitchen-pi) 192.168.7.9",
    "npu__driver": "0.9.8",
    "npu__runtime": "1.2.3",
    "ram__total": 16.0 * 2**30,
    "npu__freq": 1e9,
    "cpu__freq": (1.8e9, 2.3e9),
}
TRIAL = Trial(
    compare_values("decode_tps", [2.1, 2.1, 2.12, 2.09], [3.2, 3.21, 3.18, 3.2]),
    None,
    snapshot(**BOARD, ddr__freq=528e6),
    snapshot(**BOARD, ddr__freq=2112e6),
)


@pytest.mark.parametrize("make", [markdown, svg])
def test_it_says_all_and_names_nobody(make: Callable[[Card], str]) -> None:
    model = "/home/ben/qwen3|4b<script>"
    text = make(card_of(CHANGE, TRIAL, model, "ben", SCRUBBER))
    for name in ("kitchen", "ben", "192.168", "<script"):
        assert name not in text.replace("\\<", "")
    for word in ("2.10 to 3.20 tok/s (+52", "OPi 5 Max rk3588, 16.0 GiB", "528 MHz", "2112 MHz"):
        assert word in text, word
    assert "dmc_ondemand" in text
    assert "imulated board" not in text


def test_the_picture_is_one_without_script() -> None:
    simulated = snapshot(**BOARD, board__simulated="qwen3-4b", ddr__freq=2112e6)
    card = card_of(CHANGE, replace(TRIAL, after=simulated), "m\x00\x1b[2J", "s", SCRUBBER)
    picture = ElementTree.fromstring(svg(card))
    tags = {element.tag.rpartition("}")[2] for element in picture.iter()}
    assert tags == {"svg", "title", "style", "rect", "text"}
    assert "simulated board: these are no measurements" in svg(card)
    assert "NPU clock" not in svg(card)


def test_without_a_board_nothing_is_invented() -> None:
    card = card_of(CHANGE, replace(TRIAL, before=None, after=None), "", "", SCRUBBER)
    assert card.facts == (("board", "unknown"), ("model", "unknown"), ("server", "unknown"))
    assert card.clocks == ()
