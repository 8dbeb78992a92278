"""Events of a run folded into what the screen shows; nothing from outside gets through raw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.hostile import HOSTILE, raw_controls
from tui.bench.model.conditions import Gate
from tui.bench.model.events import (
    Event,
    Finished,
    Forecast,
    GateSeen,
    Noted,
    Planned,
    Progressed,
    RequestEnded,
    RequestStarted,
    Sampled,
    StageChanged,
    Started,
    Summarised,
    TokensArrived,
)
from tui.bench.model.metrics import metric
from tui.bench.model.records import Check, Request, Status, Summary, Tokens
from tui.bench.model.screen import RunView
from tui.bench.session.live import KEPT_TEXT, MAX_TEXT, LiveRun
from tui.widgets.bench.statistics import shown_figures


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def planned(name: str, expected_s: float | None = 10.0) -> Planned:
    return Planned(id=name, rep=0, name=name, group="", max_tokens=64, expected_s=expected_s)


def started(*names: str, done: int = 0, text: str = "suite") -> Started:
    return Started(
        run_id="id",
        folder="/folder",
        suite=text,
        title=text,
        model=text,
        server=text,
        is_simulated=True,
        seed=1,
        plan=tuple(planned(name) for name in names),
        done=done,
    )


def begun(name: str, *, is_warmup: bool = False, number: int = 1) -> RequestStarted:
    return RequestStarted(
        id=name,
        rep=0,
        order=0,
        segment=0,
        wall="",
        t_ns=1,
        prompt_sha256="",
        name=name,
        number=number,
        planned=3,
        max_tokens=64,
        prompt="",
        is_warmup=is_warmup,
    )


def progressed(name: str, tokens: int) -> Progressed:
    return Progressed(
        id=name,
        rep=0,
        phase="answering",
        elapsed_s=1.0,
        tokens=tokens,
        tokens_source="estimated",
        ttft_ms=20.0,
        rate_now_tps=3.1,
        rate_tps=3.0,
        itl_p50_ms=1.0,
        itl_p99_ms=2.0,
        idle_s=0.0,
        idle_limit_s=30.0,
        context_used=1,
        context_tokens=2,
    )


def arrived(name: str, text: str = "", thinking: str = "") -> TokensArrived:
    return TokensArrived(id=name, rep=0, text=text, thinking=thinking)


def ended(name: str, status: Status = "ok", **more: Any) -> RequestEnded:
    request = Request(id=name, rep=0, order=0, status=status, **more)
    return RequestEnded(request=request)


def folded(*events: Event, clock: Clock | None = None) -> RunView:
    run = LiveRun(clock_s=clock or Clock())
    for event in events:
        run.apply(event)
    return run.view()


def test_a_run_from_its_plan_to_its_end() -> None:
    checks = (Check(id="a", passed=True), Check(id="b", passed=False), Check(id="c", passed=None))
    view = folded(
        started("a", "b", "c"),
        StageChanged(stage="measure"),
        begun("a"),
        progressed("a", 32),
        arrived("a", "some words"),
        ended("a", m={"decode_tps_cl": 3.14}, tok=Tokens(out=40, cap=64), checks=checks),
        Summarised(
            summary={"decode_tps": Summary(n=1, median=3.14), "prefill_tps_est": Summary(n=1)},
            totals={},
        ),
        begun("b", number=2),
        ended("b", "timeout_idle", error="no token"),
        begun("c", number=3),
        progressed("c", 16),
        arrived("c", "more"),
    )
    first, second, third = view.plan
    assert first.request is not None
    assert first.state == "ok"
    assert (first.request.rate_tps, first.request.tok.out) == (3.14, 40)
    assert first.request.passed_checks == (1, 2)
    assert not first.request.is_rate_estimated
    assert second.request is not None
    assert second.state == "failed"
    assert (second.request.status_word, second.request.error) == ("timeout idle", "no token")
    assert (third.state, third.share) == ("running", 0.25)
    assert (view.count("ok"), view.count("failed"), view.planned) == (1, 1, 3)
    assert view.text.text == "more"
    assert view.summary["decode_tps"].median == 3.14
    shown = {known.short_label: known.id for known, _ in shown_figures(view.summary)}
    assert shown["prefill"] == "prefill_tps_est"
    over = folded(
        started("a"), begun("a"), Finished(outcome="aborted", sentence="Ended.", run_id="id")
    )
    assert over.is_over
    assert (over.plan[0].state, over.plan[0].request) == ("skipped", None)
    assert over.time is not None
    assert over.time.share == 0.0


def test_what_a_person_skipped_did_not_fail() -> None:
    view = folded(
        started("a", "b"),
        begun("a"),
        ended("a", "cancelled", error="skipped"),
        begun("b", number=2),
        ended("b", "cancelled", error="the run was ended"),
    )
    words = [item.request.status_word for item in view.plan if item.request is not None]
    assert words == ["by you", "cancelled"]
    assert [item.state for item in view.plan] == ["skipped", "skipped"]


def test_warm_ups_are_no_part_of_the_plan() -> None:
    view = folded(started("a"), begun("warm", is_warmup=True), progressed("warm", 3))
    assert [item.planned.id for item in view.plan] == ["a"]
    assert view.plan[0].state == "waiting"
    assert view.answer is not None
    assert view.answer.started.is_warmup


def test_time_goes_on_between_two_forecasts() -> None:
    clock = Clock()
    run = LiveRun(clock_s=clock)
    run.apply(started("a", "b"))
    run.apply(begun("a"))
    run.apply(
        Forecast(
            elapsed_s=10.0,
            left_s=40.0,
            left_low_s=30.0,
            left_high_s=50.0,
            left_most_s=90.0,
            share=0.2,
        )
    )
    clock.now_s += 5
    assert time_of(run)[:4] == (15.0, 35.0, 25.0, 45.0)
    clock.now_s += 500
    assert time_of(run)[1] == 0.0
    run.apply(Finished(outcome="complete", sentence="1 of 1"))
    taken = time_of(run)
    clock.now_s += 500
    assert time_of(run) == taken
    assert taken[-1] == 1.0


def time_of(run: LiveRun) -> tuple[float, ...]:
    """(elapsed, left, low, high, share)."""
    time = run.view().time
    assert time is not None
    return time.elapsed_s, time.left_s, time.left_low_s, time.left_high_s, time.share


def test_what_waits_takes_its_share_of_the_time_that_is_left() -> None:
    forecast = Forecast(
        elapsed_s=1, left_s=5, left_low_s=5, left_high_s=5, left_most_s=5, share=0.1
    )
    view = folded(started("a", "b"), forecast)
    assert [item.planned.expected_s for item in view.plan] == [2.5, 2.5]


def test_what_an_earlier_segment_did_is_done() -> None:
    old = Request(id="a", rep=0, order=0, status="capped", m={"decode_tps_rt": 2.0})
    run = LiveRun(Clock())
    run.apply(started("a", "b", done=1), [old])
    assert [item.state for item in run.view().plan] == ["ok", "waiting"]


def test_pauses() -> None:
    run = LiveRun(clock_s=Clock())
    run.apply(started("a"))
    run.asked_to_pause(is_asked=True)
    assert run.view().is_pausing
    assert not run.view().is_paused
    run.apply(StageChanged(stage="paused"))
    assert run.view().is_paused
    assert not run.view().is_pausing
    run.apply(StageChanged(stage="measure"))
    assert not run.view().is_paused


@given(st.lists(st.tuples(st.booleans(), st.text(max_size=4000)), max_size=30))
def test_the_text_is_bounded_and_grows_at_its_end(pieces: list[tuple[bool, str]]) -> None:
    run = LiveRun(clock_s=Clock())
    run.apply(begun("a"))
    for is_thinking, piece in pieces:
        before = run.view().text
        run.apply(arrived("a", *(("", piece) if is_thinking else (piece, ""))))
        after = run.view().text
        assert len(after.text) <= MAX_TEXT + 4000
        assert not raw_controls(after.text)
        if after.serial == before.serial:
            kept = before.text[after.dropped - before.dropped :]
            assert after.text.startswith(kept)
    assert KEPT_TEXT < MAX_TEXT


def test_digits() -> None:
    assert [metric("decode_tps").digits_of(value) for value in (None, 3.14, 31.4, 314.0)] == [
        2,
        2,
        1,
        0,
    ]


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for one in fields(value):
            yield from strings(getattr(value, one.name))
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from strings(getattr(value, name))
    elif isinstance(value, tuple):
        for each in value:
            yield from strings(each)
    elif isinstance(value, dict):
        yield from strings(tuple(value.items()))


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_hostile_gets_through(name: str) -> None:
    text = HOSTILE[name]
    request = Request(
        id=text, rep=0, order=0, status="error_http", name=text, error=text, taint=("swap",)
    )
    view = folded(
        started("a", text, text=text),
        StageChanged(stage="preflight", sentence=text),
        GateSeen(gate=Gate(id="x", ok=False, severity="warn", sentence=text, fix=text)),
        Noted(t_ns=1, sentence=text),
        begun(text),
        progressed(text, 1),
        arrived(text, text, text),
        Sampled(t_ns=1, values={"throttle": text, "npu.freq": text, "npu.load.0": text}),
        RequestEnded(request=request),
        Finished(outcome="failed", sentence=text),
    )
    allowed = {"\n"}
    for found in strings(view):
        assert not raw_controls("".join(char for char in found if char not in allowed)), found
