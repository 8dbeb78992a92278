"""Runs that want the same boards take turns: at a scheduler, at a port, and on a board."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from tests.fleet.boards import free_port, numbered, simulated, told_by, workers_here
from tui.bench.model.events import BoardSeen, RequestEnded, StageChanged
from tui.bench.store.controls import Controls
from tui.bench.store.runs import Lock
from tui.fleet import engine
from tui.fleet.connect import FleetPlan

pytestmark = pytest.mark.slow

SLOW = ("--decode-tps", "30", "--prefill-tps", "4000")


class Heard:
    """What a run said of its turn, and whether it has had an answer."""

    def __init__(self) -> None:
        self.waits: list[str] = []
        self.has_answered = asyncio.Event()

    def __call__(self, event: object) -> None:
        if isinstance(event, StageChanged) and event.stage == "queue":
            self.waits.append(event.sentence)
        elif isinstance(event, RequestEnded):
            self.has_answered.set()


async def test_two_runs_at_one_scheduler_take_turns(tmp_path: Path) -> None:
    scheduler = await engine.hosted_scheduler("127.0.0.1", 0)
    port = engine.host_and_port(scheduler.address)[1]
    plan = FleetPlan(scheduler=str(scheduler.address))
    heard = Heard()
    try:
        with simulated(tmp_path, 1, *SLOW) as boards:
            async with workers_here(boards, tmp_path, port):
                found = await asyncio.gather(
                    told_by(numbered(3, 8), tmp_path / "one", plan, on_event=heard),
                    told_by(numbered(3, 8), tmp_path / "two", plan, on_event=heard),
                )
    finally:
        await scheduler.close()
    assert [told.finished.outcome for told in found] == ["complete", "complete"]
    assert len(heard.waits) == 1
    assert heard.waits[0].startswith("Waiting for another run on these boards: made of ")
    first, second = sorted(
        (min(r.t.t0_ns or 0 for r in told.requests), max(r.t.te_ns or 0 for r in told.requests))
        for told in found
    )
    assert first[1] < second[0]


async def test_two_runs_that_listen_at_one_port_take_turns(tmp_path: Path) -> None:
    port = free_port()
    plan = FleetPlan(listen=("127.0.0.1", port))
    one, two = Heard(), Heard()
    with simulated(tmp_path, 1, *SLOW) as boards:
        async with workers_here(boards, tmp_path, port):
            first = asyncio.create_task(
                told_by(numbered(4, 8), tmp_path / "one", plan, on_event=one)
            )
            await asyncio.wait_for(one.has_answered.wait(), 60)
            second = await told_by(numbered(2, 8), tmp_path / "two", plan, on_event=two)
            assert (await first).finished.outcome == "complete"
    assert second.finished.outcome == "complete", second.finished.sentence
    assert one.waits == []
    assert two.waits == [
        f"Another program listens at 127.0.0.1:{port}. If it is another run of this fleet, this "
        "one begins when that has ended; Ctrl+C leaves."
    ]
    assert len(boards[0].asked()) == 6


async def test_a_run_can_be_ended_while_it_waits_for_a_port(tmp_path: Path) -> None:
    controls = Controls()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        plan = FleetPlan(listen=taken.getsockname())

        def end(event: object) -> None:
            if isinstance(event, StageChanged) and event.stage == "queue":
                controls.abort()

        told = await told_by(numbered(1, 8), tmp_path, plan, controls=controls, on_event=end)
    assert told.finished.outcome == "aborted"
    assert told.finished.sentence == "Ended while it waited for another run."


async def test_a_benchmark_on_a_board_is_waited_for_by_name(tmp_path: Path) -> None:
    port, lock = free_port(), Lock(tmp_path / "b1")
    lock.take("smoke")
    states: list[tuple[str, str]] = []

    def seen(event: object) -> None:
        if isinstance(event, BoardSeen):
            states.append((event.state, event.sentence))
            if event.state == "waiting":
                lock.release()

    with simulated(tmp_path, 1, *SLOW) as boards:
        async with workers_here(boards, tmp_path, port):
            plan = FleetPlan(listen=("127.0.0.1", port))
            told = await told_by(numbered(2, 8), tmp_path / "runs", plan, on_event=seen)
    assert told.finished.outcome == "complete", told.finished.sentence
    assert [state for state, _ in states] == ["waiting", "working", "done"]
    assert states[0][1].startswith("Waiting for another benchmark of this board: smoke (pid ")
