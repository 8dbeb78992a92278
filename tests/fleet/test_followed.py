"""A run on many boards as a screen of another process follows it: by its journal, as any run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.session.rig import Rig
from tests.fleet.boards import free_port, numbered, simulated, told_by, workers_here
from tests.waiting import until
from tui.bench.model.events import RequestEnded
from tui.bench.model.screen import RunView
from tui.bench.session.process import BenchPlace
from tui.bench.store import active_run, runs
from tui.bench.store.controls import Controls
from tui.bench.store.folder import boards_folder
from tui.commands.running import benchmark_in
from tui.fleet.connect import FleetPlan

pytestmark = pytest.mark.slow


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, None, [])
    yield made
    made.close()


async def test_it_is_found_followed_paused_and_ended(rig: Rig, tmp_path: Path) -> None:
    port, folder = free_port(), tmp_path / "runs"
    desk = rig.desk()

    def run() -> RunView:
        desk.seek()
        return desk.view().run or RunView()

    def is_asked(name: str) -> bool:
        return any(one.board.name == name and one.asked is not None for one in run().boards)

    with simulated(tmp_path, 2, "--decode-tps", "20", "--prefill-tps", "4000") as boards:
        async with workers_here(boards, tmp_path, port):
            plan = FleetPlan(listen=("127.0.0.1", port))
            going = asyncio.create_task(told_by(numbered(40, 16), folder, plan))
            await until(lambda: is_asked("b1") and is_asked("b2"))
            await until(lambda: run().count("ok") >= 2)
            view = run()
            assert view.is_of_boards
            assert view.stage.stage == "measure"
            assert view.time is not None
            assert view.time.left_s > 0
            assert {item.board for item in view.plan if item.state == "running"} <= {"b1", "b2"}
            assert sum(one.board.answered for one in view.boards) == view.count("ok")
            # No NPU of this machine is in use, but for those who look at one of the boards.
            assert desk.busy_sentence("http://localhost:8021") is None
            rig.place = BenchPlace("http://127.0.0.1:9", "x", own_login=("b1", "http://x"))
            assert "a benchmark is running" in (desk.busy_sentence("http://localhost:8021") or "")
            assert runs.holder(folder) is None
            row = benchmark_in(boards_folder(folder))
            assert row is not None
            assert (row.status, row.server) == ("measuring", "many boards")
            desk.skip()
            assert "none of their prompts is skipped" in desk.view().message.text
            desk.pause()
            await until(lambda: run().is_paused)
            assert not any(one.asked for one in run().boards)
            desk.pause()
            await until(lambda: is_asked("b1") or is_asked("b2"))
            desk.abort()
            told = await going
            await until(lambda: run().is_over)
    assert told.finished.outcome == "aborted"
    last = desk.view().run
    assert last is not None
    assert last.finished is not None
    assert last.finished.outcome == "aborted"
    (past,) = desk.view().past
    assert past.is_of_boards
    assert active_run.running(boards_folder(folder)) is None


async def test_of_two_at_once_the_second_is_followed_when_the_first_is_over(
    tmp_path: Path,
) -> None:
    folder, ports = tmp_path / "runs", [free_port(), free_port()]
    place, controls = boards_folder(folder), Controls()
    journals: list[Path] = []

    def look(event: object) -> None:
        """Ends the second one as soon as others follow it."""
        found = active_run.running(place)
        is_begun = found is not None and found.journal.parent.parent == folder
        if isinstance(event, RequestEnded) and found is not None and is_begun:
            if found.journal not in journals:
                journals.append(found.journal)
            if len(journals) == 2:
                controls.abort()

    with simulated(tmp_path, 2, "--decode-tps", "60", "--prefill-tps", "4000") as boards:
        async with (
            workers_here(boards[:1], tmp_path, ports[0]),
            workers_here(boards[1:], tmp_path, ports[1]),
        ):
            plans = [FleetPlan(listen=("127.0.0.1", port)) for port in ports]
            first = asyncio.create_task(told_by(numbered(6, 8), folder, plans[0], on_event=look))
            await until(lambda: active_run.running(place) is not None)
            second = asyncio.create_task(
                told_by(numbered(500, 8), folder, plans[1], on_event=look, controls=controls)
            )
            found = [await first, await second]
    assert [told.finished.outcome for told in found] == ["complete", "aborted"]
    assert [one.parent for one in journals] == [Path(told.finished.folder) for told in found]
