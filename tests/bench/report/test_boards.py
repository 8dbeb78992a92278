"""The table of boards: its figures, what it expects of larger runs, every form of the report."""

from __future__ import annotations

import json

import msgspec

from tests.bench.made import ENV, MODEL, request, trace
from tui.bench.analysis.boards import projections, with_figures
from tui.bench.model import records
from tui.bench.model.boards import Board
from tui.bench.model.conditions import Config
from tui.bench.model.events import (
    BoardSeen,
    Closed,
    Event,
    Header,
    RequestEnded,
    RequestStarted,
    Sampled,
    Segment,
)
from tui.bench.model.records import Run
from tui.bench.model.suite import Suite
from tui.bench.report.boards import duration, text_lines
from tui.bench.report.render import makers
from tui.bench.store.document import from_lines
from tui.bench.store.run_files import Loaded

EVIL = "kit\x1b[31mchen|<b>"


def segment(number: int, board: str = "") -> Segment:
    return Segment(
        number=number,
        started_utc="2026-01-01T00:00:00Z",
        t_ns=10**9,
        env=ENV,
        model=MODEL,
        config=Config(),
        board=board,
    )


def started(prompt_id: str, board: str, number: int) -> RequestStarted:
    return RequestStarted(
        id=prompt_id, rep=0, order=0, segment=number, wall="", t_ns=10**9, prompt="x",
        prompt_sha256="", board=board,
    )  # fmt: skip


def ended(prompt_id: str, board: str, number: int, tps: float, again: str = "") -> RequestEnded:
    made = request(prompt_id, made=trace(tps=tps))
    change = msgspec.structs.replace
    return RequestEnded(
        request=change(made, board=board, segment=number, asked_again=again), text="words"
    )


def run_of(*lines: Event, planned: int) -> Loaded:
    run = Run(id="20260101T000000Z-x", suite="made", suite_sha256="", planned=planned)
    suite = Suite(id="made", title="Made", prompts=())
    return from_lines([Header(run=run, suite=suite, config=Config()), segment(0), *lines])


def two_boards() -> Loaded:
    return run_of(
        segment(1, EVIL),
        BoardSeen(board=EVIL, state="working", model="qwen3-4b"),
        segment(2, "attic"),
        BoardSeen(board="attic", state="working", address="ssh://attic"),
        BoardSeen(board="cellar", state="refused", sentence="npulse is not installed there"),
        started("a", EVIL, 1),
        started("b", "attic", 2),
        Sampled(t_ns=2 * 10**9, values={"temp.max": 71.0}, board="attic"),
        ended("a", EVIL, 1, 4.0),
        BoardSeen(board="attic", state="lost", sentence="its connection was lost"),
        started("b", EVIL, 1),
        ended("b", EVIL, 1, 2.0, "attic was lost while it answered"),
        Closed(number=1, wall_s=90.0, ended="complete"),
        Closed(number=2, wall_s=30.0, ended="lost"),
        Closed(number=0, wall_s=100.0, ended="complete"),
        planned=2,
    )


def test_what_each_board_answered_and_lost() -> None:
    loaded = two_boards()
    document = loaded.document
    kitchen, attic, cellar = document.boards
    assert (kitchen.answered, kitchen.lost, attic.answered, attic.lost) == (2, 0, 0, 1)
    assert (kitchen.min_tps, kitchen.median_tps) == (2.0, 3.0)
    assert kitchen.tokens_out == 128
    assert kitchen.requests_per_h == 2 * 3600 / 90
    assert (attic.state, attic.address, attic.wall_s) == ("lost", "ssh://attic", 30.0)
    assert (cellar.state, cellar.answered) == ("refused", 0)
    # Boards work side by side: their times do not add up to the run's.
    assert (document.run.status, document.run.wall_s) == ("complete", 100.0)
    assert [s.board for s in document.run.segments] == ["", EVIL, "attic"]
    # A board has a clock of its own, so its samples are nobody else's.
    assert loaded.samples == []
    assert len(loaded.board_samples["attic"]) == 1
    assert loaded.samples_of(document.requests[0]) == []
    again = records.decode(records.encode(document))
    assert again.boards == document.boards


def test_every_form_of_the_report_has_the_boards_and_nothing_of_a_terminal() -> None:
    loaded = two_boards()
    for form, make in makers().items():
        data = make(loaded)
        assert b"\x1b" not in data
        assert form == "csv" or b"npulse is not installed there" in data
        assert form == "csv" or b"attic was lost while it answered" in data
    markdown = makers()["md"](loaded).decode()
    assert "## Boards" in markdown
    assert "| 1,000 | ~12 h 30 min | ~6 h 16 min |" in markdown
    lines = text_lines(loaded.document)
    assert len(lines) == 5
    assert "\x1b" not in "".join(lines)
    assert lines[-1].startswith("expected for similar prompts on one board: 1,000 ~")
    told = json.loads(makers()["json"](loaded))
    assert [board["name"] for board in told["boards"]][1:] == ["attic", "cellar"]


def test_a_run_of_one_board_has_no_table() -> None:
    loaded = run_of(started("a", "", 0), planned=1)
    assert loaded.document.boards == ()
    assert "## Boards" not in makers()["md"](loaded).decode()
    assert text_lines(loaded.document) == []


def test_boards_add_up_and_the_slowest_comes_last() -> None:
    fast, slow = Board(name="a", wall_s=3600.0), Board(name="b", wall_s=3600.0)
    requests = [
        msgspec.structs.replace(request(f"r{at}"), board="a" if at < 30 else "b")
        for at in range(40)
    ]
    boards = with_figures([fast, slow, Board(name="c")], requests, {}, {})
    found = {(one.prompts, one.boards): one.hours for one in projections(boards)}
    assert {count for _, count in found} == {1, 2, 4}
    # 30 and 10 answers an hour; a slow one takes six minutes.
    assert found[1000, 2] == 1000 / 40 + 1 / 10
    assert found[1000, 1] == 1000 / 20
    assert found[1000, 4] == 1000 / 80 + 1 / 10
    assert projections((Board(name="x"),)) == ()


def test_durations_in_words() -> None:
    assert [duration(hours) for hours in (0.0, 0.005, 0.5, 1.999, 47.0, 50.0)] == [
        "1 s", "18 s", "30 min", "2 h 0 min", "47 h 0 min", "2 d 2 h",
    ]  # fmt: skip
