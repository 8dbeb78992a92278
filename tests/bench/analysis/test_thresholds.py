"""Conditions of --fail-on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.made import profile, request, run
from tests.refusals import result_or_refusal
from tui.bench.analysis.compare import compare
from tui.bench.analysis.thresholds import ConditionError, judge, parse
from tui.bench.model.records import Request


def _failed(expression: str, requests: list[Request]) -> list[str]:
    return judge(parse([expression]), run(requests))


def test_absolute_conditions() -> None:
    whole, half = [request()], [request(), Request(id="x", rep=0, order=1, status="empty")]
    assert _failed("success<100%", whole) == []
    assert len(_failed("success<100%", half)) == 1
    assert len(_failed("decode<5", whole)) == 1
    assert _failed("decode<3,ttft>2000", whole) == []
    assert len(_failed("decode<3.2, ttft>=1250", whole)) == 2


def test_a_change_needs_a_baseline() -> None:
    with pytest.raises(ConditionError, match="baseline"):
        judge(parse(["decode<-5%"]), profile(1))
    slower, base = profile(2, factor=0.9), profile(1)
    found = judge(parse(["decode<-5%"]), slower, baseline=base, comparison=compare(base, slower))
    assert "is -1" in found[0]
    assert not judge(parse(["decode<-5%"]), base, baseline=base, comparison=compare(base, base))
    totals = judge(parse(["run_decode_tps<-5%"]), slower, baseline=base)
    assert len(totals) == 1


def test_what_is_not_known_fails() -> None:
    assert "not known" in _failed("memory>9000", [request()])[0]
    with pytest.raises(ConditionError, match="no figure"):
        _failed("beauty>3", [request()])


@pytest.mark.parametrize("text", ["decode", "<3", "decode<<3", "decode<x", "decode < 3 % 4"])
def test_nonsense_is_named(text: str) -> None:
    with pytest.raises(ConditionError, match="not a condition"):
        parse([text])


@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_is_named(text: str) -> None:
    found, refusal = result_or_refusal(ConditionError, lambda: parse([text]))
    if found is None:
        assert "is not a condition" in str(refusal)
    else:
        assert len(found) == sum(bool(part.strip()) for part in text.split(","))


def test_empty_parts_are_nothing() -> None:
    assert parse(["", " , "]) == []
