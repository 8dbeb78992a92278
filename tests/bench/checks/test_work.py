"""Checks of hostile answers: the work grows with the text, and no faster.

Counted in processor time at a size where a pattern that backtracks takes many times the bound.
"""

from __future__ import annotations

import time
import typing

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.bench.checks.fences import closed_fences, open_fence
from tui.bench.checks.languages import without_code
from tui.bench.checks.python_code import candidates
from tui.bench.checks.run import check_answer
from tui.bench.model import check_specs as s
from tui.bench.model.answer import Answer

SIZE = 32 << 10
BOUND_S = 2.5
UNITS = (
    *("<", "`", "```\n", "```a\n", "~~~\n", "~~~~ ", "|", " ", "[", "{", "#", '"', "\\", "\n"),
    *("- ", "9", "| ", "[\n", "*", "**a**\n", "1. ", "1.1.", "a.", "! ", "。", "。 ", "'", "a-"),
    *("# x\n", "//", "// x\n", ", ", ",\n]", "(", "{a}", "%(", "${", "_", "字", " \n", "\t", "-\n"),
    *("12:30 ", "week 3 ", "9 - ", "def f():\n", "    ", '"""', "key: ", '{"a":', '"a":1,'),
)


def specs() -> list[s.CheckSpec]:
    """One of every kind, with the smallest values of its fields."""

    def value(kind: object) -> object:
        if kind == s.CheckSpec:
            return s.HasText(text="x")
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin is typing.Literal:
            return arguments[0]
        if origin is tuple:
            return (value(arguments[0]),)
        return {str: "x", int: 3, float: 1.0, bool: True}.get(typing.cast("type", kind), ())

    made = []
    for kind in typing.get_args(s.CheckSpec):
        required = [f for f in msgspec.structs.fields(kind) if f.required]
        try:
            made.append(kind(**{f.name: value(f.type) for f in required}))
        except TypeError:
            continue
    return made


SPECS = [spec for spec in specs() if not isinstance(spec, s.Python)]


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS)
def test_any_repetition_is_checked_in_bounded_work(unit: str) -> None:
    text = "[x " + unit * (SIZE // len(unit)) + " y]"
    before = time.process_time()
    for spec in SPECS:
        check_answer([spec], Answer(text=text, prompt="x"))
    blocks = candidates(text)
    assert time.process_time() - before < BOUND_S
    assert sum(map(len, blocks)) <= 8 * len(text)


def test_every_kind_of_check_was_tried() -> None:
    assert len(SPECS) >= len(typing.get_args(s.CheckSpec)) - 2


LINES = st.sampled_from(
    ["```", "````", "~~~", "~~~~", "```py", "~~~ `x`", "  ```  ", "text", "", "``` x ```", "`"]
)


@given(st.lists(LINES, max_size=12), st.booleans())
def test_fences_hold_whole_lines_and_never_overlap(lines: list[str], has_end: bool) -> None:
    text = "\n".join(lines) + ("\n" if has_end else "")
    end = 0
    for fence in closed_fences(text):
        assert end <= fence.start < fence.inner <= fence.inner_end < fence.end
        end = fence.end
    open_fence(text)
    without_code(text)


def test_a_fence_closes_at_one_as_long_of_the_same_kind() -> None:
    assert [f.language for f in closed_fences("````md\n```\nx\n```\n````\n")] == ["md"]
    assert closed_fences("```\nx\n~~~\n") == []
    assert open_fence("```a\nx\n```\n~~~b\ny\n") == ("b", "y\n")
    assert without_code("a\n```\nsecret\n```\nb").split() == ["a", "`", "`", "b"]
