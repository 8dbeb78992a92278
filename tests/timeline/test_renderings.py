"""A timeline as a picture, as words and as JSON: whole and inert whatever it holds."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.hostile import HOSTILE
from tests.timeline.test_any_times import timelines
from tui.core.types import TurnError
from tui.history.board_samples import BoardSample
from tui.history.records import Origin, StoredTurn
from tui.timeline.record import Mark, Timeline
from tui.timeline.stored import stored_timeline
from tui.timeline.svg import HEAD_ROWS, LEFT, RIGHT, WIDTH, timeline_svg
from tui.timeline.values import timeline_values
from tui.timeline.words import timeline_words

S = 1_000_000_000
SVG = "{http://www.w3.org/2000/svg}"
_NUMBER = re.compile(r"-?\d+")


def answer(n_tokens: int = 200, every_ns: int = S // 4, model: str = "qwen3-4b") -> Timeline:
    """An answer with samples each second and heat from the twentieth on."""
    times_ns = [S + n * every_ns for n in range(n_tokens)]
    end_s = times_ns[-1] // S
    samples = [
        BoardSample(
            t * S,
            {
                "npu.load.0": 80.0 + t % 5,
                "npu.freq": 1e9 if t < 20 else 6e8,
                "soc.temp": 50.0 + t,
                "ram.available": float(9 << 30),
                "throttle.level": 0.0 if t < 20 else 2.0,
            },
        )
        for t in range(end_s)
    ]
    stored = StoredTurn(
        2, 1, "assistant", 1_795_000_000_000, "word " * n_tokens, "", "complete",
        origin=Origin(model, is_simulated=True),
        numbers={"tokens_out": n_tokens, "decode_tps": 4.0, "decode_source": "measured",
                 "latency_ms": times_ns[-1] / 1e6},
    )  # fmt: skip
    return stored_timeline("why?", stored, times_ns, samples)


def points(path: str) -> list[tuple[int, int]]:
    """Where a path of M, l (relative), h, H, V and z goes."""
    found: list[tuple[int, int]] = []
    x = y = start_x = start_y = 0
    for command, rest in re.findall(r"([MlhHVz])([^MlhHVz]*)", path):
        numbers = [int(number) for number in _NUMBER.findall(rest)]
        if command == "M":
            x, y = start_x, start_y = numbers[0], numbers[1]
        elif command == "l":
            for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
                x, y = x + dx, y + dy
                found.append((x, y))
        elif command == "h":
            x += numbers[0]
        elif command == "H":
            x = numbers[0]
        elif command == "V":
            y = numbers[0]
        else:
            x, y = start_x, start_y
        found.append((x, y))
    return found


@pytest.mark.slow
@given(timelines(), st.integers(1, 300))
@settings(max_examples=150, deadline=None)
def test_a_picture_of_any_times_is_well_formed_and_stays_on_its_axis(
    timeline: Timeline, columns: int
) -> None:
    picture = ElementTree.fromstring(timeline_svg(timeline, columns=columns))
    height = int(picture.get("height", "0"))
    for path in picture.iter(f"{SVG}path"):
        for x, y in points(path.get("d", "")):
            assert LEFT <= x <= WIDTH - RIGHT + 1
            assert HEAD_ROWS <= y <= height
    for rect in picture.iter(f"{SVG}rect"):
        if rect.get("x") is not None:
            x, width = int(rect.get("x", "0")), int(rect.get("width", "0"))
            assert LEFT <= x <= x + width <= WIDTH - RIGHT + 1


@given(timelines())
@settings(max_examples=100, deadline=None)
def test_words_and_json_of_any_times(timeline: Timeline) -> None:
    for line in timeline_words(timeline):
        assert "\n" not in line
        assert "nan" not in line
    json.dumps(timeline_values(timeline), allow_nan=False)


def test_a_picture_shows_curves_phases_and_marks() -> None:
    timeline = answer()
    svg = timeline_svg(timeline)
    picture = ElementTree.fromstring(svg)
    texts = [text.text or "" for text in picture.iter(f"{SVG}text")]
    for label in ("rate", "NPU", "NPU clock", "heat", "free RAM", "phases", "answer"):
        assert label in texts
    assert "prefill" in [title.text for title in picture.iter(f"{SVG}title")]
    assert any("throttled" in text for text in texts)
    assert "SIMULATED" in (picture.findtext(f"{SVG}title") or "")
    assert "prefers-color-scheme:dark" in svg


def test_a_picture_is_inert_and_refers_to_nothing() -> None:
    for hostile in (*filter(None, HOSTILE.values()), '"/><script>alert(1)</script>', "\x00\ufffe"):
        timeline = answer(8, model="x")
        mark = Mark("error", 0, S, hostile)
        odd = replace(
            timeline, model=hostile, marks=(mark,), notes=(hostile,),
            error=TurnError("cut", hostile), status="error",
        )  # fmt: skip
        svg = timeline_svg(odd)
        tags = {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(svg).iter()}
        assert tags <= {"svg", "title", "style", "rect", "text", "path"}
        assert "href" not in re.sub(r">[^<]*<", "><", svg)
        assert "url(" not in svg.partition("</style>")[0]


def test_an_answer_of_16384_tokens_is_a_small_picture() -> None:
    svg = timeline_svg(answer(16_384), columns=140, has_style=False)
    assert len(svg) < 30_000


def test_words_tell_phases_causes_and_the_rate_of_sections() -> None:
    lines = list(timeline_words(answer()))
    assert lines[0].startswith("qwen3-4b, SIMULATED, complete, 200 tokens, 4.00 tok/s")
    assert "  0.00 s to 1.00 s: prefill, 1.00 s" in lines
    assert any(line.startswith("  20.0 s") and "throttled" in line for line in lines)
    sections = lines[lines.index("Rate by sections") + 1 :]
    assert len(sections) == 10
    assert "4.00 tok/s, NPU 8" in sections[0]
    assert "NPU clock 600 MHz" in sections[-1]


def test_json_has_the_curves_in_the_units_that_it_names() -> None:
    values = json.loads(json.dumps(timeline_values(answer(40))))
    assert values["series"]["npu.freq"]["unit"] == "MHz"
    assert values["series"]["npu.freq"]["values"][0] == 1000
    assert values["chunks"]["are_words_estimated"] is True
    assert len(values["chunks"]["times_ms"]) == 40
    assert values["phases"][0] == {"name": "prefill", "start_ms": 0.0, "end_ms": 1000.0}
