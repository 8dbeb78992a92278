"""A run on many boards folded from its events."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.bench.session.test_live import Clock, begun, ended, started
from tests.core.hostile import HOSTILE, raw_controls
from tui.bench.model.boards import BoardState
from tui.bench.model.conditions import Gate
from tui.bench.model.events import BoardSeen, Event, Finished, Forecast, GateSeen, StageChanged
from tui.bench.model.records import Tokens
from tui.bench.model.screen import RunView
from tui.bench.session.live import LiveRun


def seen(board: str, state: BoardState = "working", sentence: str = "") -> BoardSeen:
    return BoardSeen(board=board, state=state, sentence=sentence, address=f"ssh://{board}")


def asked(name: str, board: str) -> Event:
    return msgspec.structs.replace(begun(name), board=board)


def answered(name: str, board: str, tps: float = 5.0, **more: Any) -> Event:
    return ended(name, board=board, m={"decode_tps_cl": tps}, tok=Tokens(out=10, cap=64), **more)


def at(elapsed_s: float, left_s: float = 100.0) -> Forecast:
    return Forecast(
        elapsed_s=elapsed_s, left_s=left_s, left_low_s=0, left_high_s=0, left_most_s=0, share=0
    )


def folded(*events: Event) -> RunView:
    run = LiveRun(clock_s=Clock(), is_of_boards=True)
    for event in events:
        run.apply(event)
    return run.view()


def test_who_is_asked_what_and_how_long_and_what_came_of_it() -> None:
    view = folded(
        started("a", "b", "c"),
        StageChanged(stage="measure"),
        seen("one"),
        seen("two"),
        asked("a", "one"),
        asked("b", "two"),
        at(10.0),
        answered("a", "one"),
        asked("c", "one"),
        at(13.0),
    )
    one, two = view.boards
    assert (one.board.answered, one.board.decode_tps, one.board.requests_per_h) == (
        1, 5.0, 3600 / 13,
    )  # fmt: skip
    assert one.asked_words == "c  0:03"
    assert (two.board.answered, two.asked_words) == (0, "b  0:13")
    assert [item.state for item in view.plan] == ["ok", "running", "running"]
    assert [item.board for item in view.plan[1:]] == ["two", "one"]
    assert view.answer is None
    assert view.text.text == ""


def test_what_a_lost_board_was_asked_waits_again_and_counts_as_lost_there() -> None:
    begin = (started("a"), seen("one"), seen("two"), asked("a", "one"))
    view = folded(*begin, seen("one", "lost", "its connection was lost"))
    assert [item.state for item in view.plan] == ["waiting"]
    assert (view.boards[0].asked, view.boards[0].board.lost) == (None, 1)
    # A board that gives a request up without going away says nothing of itself.
    for lost in ((seen("one", "lost"),), ()):
        view = folded(*begin, *lost, asked("a", "two"), answered("a", "two"))
        assert [one.board.lost for one in view.boards] == [1, 0]
        assert [one.board.answered for one in view.boards] == [0, 1]
    view = folded(*begin, Finished(outcome="aborted", sentence="Ended."))
    assert (view.boards[0].asked, view.boards[0].board.state) == (None, "done")


def test_a_board_says_why_it_rests_and_closed_gates_are_kept_for_each_board() -> None:
    cooling = seen("one", "working", "63 °C, waiting for 58 °C, at most 120 s.")
    closed = [
        GateSeen(gate=Gate(id="heat", ok=False, severity="warn", sentence=f"{name}: hot"))
        for name in ("one", "two")
    ]
    before_each = GateSeen(
        gate=Gate(id="cool_down", ok=False, severity="warn", sentence="61 °C"), request="a"
    )
    view = folded(started("a"), seen("one"), cooling, *closed, before_each)
    assert view.boards[0].board.sentence.startswith("63 °C")
    assert [gate.sentence for gate in view.gates] == ["one: hot", "two: hot"]


def test_the_time_left_is_shared_by_the_boards() -> None:
    view = folded(started("a", "b", "c", "d"), seen("one"), seen("two"), at(0.0, 40.0))
    assert [item.planned.expected_s for item in view.plan] == [20.0] * 4


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_board_cannot_write_on_the_terminal(kind: str) -> None:
    text = HOSTILE[kind]
    board = f"b{text}"
    view = folded(started(text), seen(board, "working", text), asked(text, board))
    (row,) = view.boards
    assert row.asked is not None
    assert view.plan[0].state == "running"
    for said in (row.board.name, row.board.sentence, row.board.address, row.asked_words):
        assert not raw_controls(said)
