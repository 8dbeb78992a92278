"""A run on many boards over real Dask, real workers and real simulators."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.bench.runs_of import Told
from tests.fleet.boards import (
    SimulatedBoard,
    free_port,
    numbered,
    simulated,
    told_by,
    workers,
    workers_here,
)
from tests.waiting import wait_until
from tui.bench.model.events import RequestEnded, RequestStarted
from tui.bench.report.boards import text_lines
from tui.bench.store import batch_results
from tui.bench.store.controls import Controls
from tui.fleet.connect import FleetPlan

pytestmark = pytest.mark.slow


def check_against_truth(told: Told, boards: list[SimulatedBoard]) -> None:
    """Each request once in the results, answered by the board whose own log says so; what was
    asked beyond that is told as lost."""
    assert told.loaded is not None
    document = told.loaded.document
    for board in boards:
        finished = board.finished()
        answered = {r.id.replace("n", "number "): r for r in told.requests if r.board == board.name}
        assert set(answered) <= set(finished)
        assert [finished[words] for words in answered] == [r.tok.out for r in answered.values()]
        row = next(row for row in document.boards if row.name == board.name)
        assert row.answered == len(answered)
        assert row.tokens_out == sum(r.tok.out or 0 for r in answered.values())
        assert len(board.asked()) == row.answered + row.lost
    ids = [r.id for r in told.requests]
    assert len(ids) == len(set(ids))
    assert all(r.is_scored for r in told.requests)


async def test_a_killed_worker_costs_its_running_request_only(tmp_path: Path) -> None:
    port, killed, ports = free_port(), list[str](), list[object]()
    with ExitStack() as stack:
        # Slow enough that it still answers when the kill reaches it.
        speeds = ("60", "10", "60")
        boards = [
            stack.enter_context(
                simulated(tmp_path, 1, "--decode-tps", tps, "--prefill-tps", "4000", first=at)
            )[0]
            for at, tps in enumerate(speeds, 1)
        ]
        processes = stack.enter_context(workers(boards, tmp_path, port))

        def kill(event: object) -> None:
            if not killed and isinstance(event, RequestStarted) and event.board == "b2":
                wait_until(lambda: bool(boards[1].asked()))
                there = psutil.Process(processes[1].pid).net_connections("inet")
                ports.extend(one for one in there if one.status == psutil.CONN_LISTEN)
                os.kill(processes[1].pid, signal.SIGKILL)
                killed.append(event.id)

        plan = FleetPlan(listen=("127.0.0.1", port))
        told = await told_by(numbered(12, 20), tmp_path / "runs", plan, on_event=kill)
        check_against_truth(told, boards)
    assert told.finished.outcome == "complete", told.finished.sentence
    assert ports == []
    again = [r for r in told.requests if r.asked_again]
    # On a busy machine the first answer may be over before the kill.
    running = boards[1].asked()[-1].replace("number ", "n")
    assert [(r.id, r.asked_again) for r in again] == [(running, "b2 was lost while it answered")]
    assert told.loaded is not None
    rows = {row.name: row for row in told.loaded.document.boards}
    assert (rows["b2"].state, rows["b2"].lost) == ("lost", 1)
    assert min(rows["b1"].answered, rows["b3"].answered) > 0
    lines = [json.loads(line) for line in batch_results.lines(told.loaded).splitlines()]
    assert Counter(line["id"] for line in lines) == Counter(f"n{at}" for at in range(1, 13))
    assert any(line.get("asked_again") for line in lines)
    assert "was lost" in "\n".join(text_lines(told.loaded.document))
    # Dask's own words are not for a terminal.
    said = "".join((tmp_path / f"b{at}.out").read_text() for at in (1, 2, 3))
    assert "distributed" not in said
    assert "Traceback" not in said


@pytest.mark.slow
async def test_twenty_boards_two_of_which_are_killed(tmp_path: Path) -> None:
    port, killed = free_port(), set[str]()
    with (
        # Slow enough that they still answer when the kill reaches them.
        simulated(tmp_path, 2, "--decode-tps", "10", "--prefill-tps", "4000") as killable,
        simulated(tmp_path, 18, "--decode-tps", "40", "--prefill-tps", "4000", first=3) as others,
        workers(killable[:1], tmp_path, port) as processes,
    ):
        boards = [*killable, *others]
        async with workers_here(boards[1:], tmp_path, port):
            ended, kills = 0, list[asyncio.Future[None]]()

            def kill(board: SimulatedBoard, pid: int, number: str) -> None:
                wait_until(lambda: f"number {number}" in board.asked())
                os.kill(pid, signal.SIGKILL)

            def on_event(event: object) -> None:
                """One loses its worker, one its server, both while they answer."""
                nonlocal ended
                ended += isinstance(event, RequestEnded)
                if ended < 60 or not isinstance(event, RequestStarted) or event.board in killed:
                    return
                if event.board in ("b1", "b2"):
                    killed.add(event.board)
                    at = int(event.board[1:]) - 1
                    pid = (processes[0].pid, boards[1].simulator.pid)[at]
                    # Aside: b2's worker is one of this loop.
                    call = asyncio.to_thread(kill, boards[at], pid, event.id[1:])
                    kills.append(asyncio.ensure_future(call))

            plan = FleetPlan(listen=("127.0.0.1", port))
            told = await told_by(numbered(200, 12), tmp_path / "runs", plan, on_event=on_event)
            await asyncio.gather(*kills)
        check_against_truth(told, boards)
    assert told.finished.outcome == "complete", told.finished.sentence
    assert killed == {"b1", "b2"}
    assert len(told.requests) == 200
    assert {r.asked_again.split()[0] for r in told.requests if r.asked_again} >= {"b1"}
    assert told.loaded is not None
    rows = {row.name: row for row in told.loaded.document.boards}
    assert len(rows) == 20
    assert sum(row.answered for row in rows.values()) == 200
    assert (rows["b1"].lost, rows["b2"].lost) == (1, 1)
    # Also where it was looked at again and had no server: it has worked on this run.
    assert rows["b1"].state == rows["b2"].state == "lost"
    assert all(row.answered for row in rows.values())


async def test_a_run_that_is_ended_or_has_no_time_left_keeps_what_it_has(tmp_path: Path) -> None:
    port, controls = free_port(), Controls()
    plan = FleetPlan(listen=("127.0.0.1", port))
    ended = 0

    def abort(event: object) -> None:
        nonlocal ended
        ended += isinstance(event, RequestEnded)
        if ended == 2:
            controls.abort()

    with simulated(tmp_path, 1, "--decode-tps", "30", "--prefill-tps", "4000") as boards:
        async with workers_here(boards, tmp_path, port):
            told = await told_by(
                numbered(9, 8), tmp_path / "a", plan, controls=controls, on_event=abort
            )
            assert told.finished.outcome == "aborted"
            assert told.statuses[:2] == ["capped", "capped"]
            assert len(told.requests) <= 3
            told = await told_by(numbered(9, 8), tmp_path / "b", plan, max_time_s=0.5)
            assert told.finished.outcome == "incomplete"
            assert told.statuses[0] == "capped"
            assert told.statuses[-1] == "skipped_budget"
            assert set(told.statuses) == {"capped", "skipped_budget"}
