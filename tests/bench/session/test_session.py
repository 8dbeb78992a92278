"""Real runs beside a real simulated board: begun, followed, left alone, found again, read."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
import pytest

from tests.bench.made import request as made_request
from tests.bench.made import run as made_run
from tests.bench.session.rig import FLAGS, Rig, place_of
from tests.bench.session.test_live import ended, started
from tests.waiting import wait_until
from tui.bench.model.events import Event, Finished
from tui.bench.model.past_run import PastRun
from tui.bench.model.screen import BenchView, RunView, RunWish
from tui.bench.model.suite import load_file
from tui.bench.session import session
from tui.bench.session.process import BenchPlace
from tui.bench.session.views import partner
from tui.bench.store import active_run, document, runs
from tui.bench.store.detached import Detached, follow, is_alive, last_words, start
from tui.bench.store.run_files import Loaded, save
from tui.sim.server.spawn import Simulator, spawn


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, None, [])
    yield made
    made.close()
    for pid in made.pids():
        os.kill(pid, 9)


@pytest.fixture
def board() -> Iterator[Simulator]:
    with spawn(["--speed", "20"], has_root=True) as simulator:
        yield simulator


def state(view: BenchView, name: str) -> str:
    run = view.run
    found = [] if run is None else [item.state for item in run.plan if item.planned.id == name]
    return found[0] if found else ""


def end_of(run: RunView) -> Finished:
    assert run.finished is not None
    return run.finished


@pytest.mark.slow
def test_a_run_outlives_the_npulse_that_began_it(rig: Rig, board: Simulator) -> None:
    rig.place = place_of(board)
    first = rig.desk()
    assert first.start(RunWish(rig.suite(long=500), seed=3)) is None
    assert first.is_running
    assert first.busy_sentence(board.url) is not None
    assert first.start(RunWish("prompts")) == "a benchmark is already running"
    wait_until(lambda: state(first.view(), "long") == "running")
    assert first.busy_sentence("http://192.0.2.7:8021") is None
    (pid,) = rig.pids()
    rig.close()
    assert is_alive(pid)

    second = rig.desk()
    second.look()
    wait_until(lambda: second.view().run is not None and state(second.view(), "first") == "ok")
    run = second.view().run
    assert run is not None
    assert run.started is not None
    assert run.started.is_simulated
    assert run.started.seed == 3
    second.pause()
    second.skip()
    wait_until(lambda: state(second.view(), "long") == "skipped")
    wait_until(lambda: (seen := second.view().run) is not None and seen.is_paused)
    second.pause()
    wait_until(lambda: not second.is_running)
    run = second.view().run
    assert run is not None
    assert end_of(run).outcome == "incomplete"
    assert [item.state for item in run.plan] == ["ok", "skipped", "ok"]
    assert run.board is not None
    assert run.gates
    assert run.summary["decode_tps"].n == 2

    second.open_result(run.run_id)
    wait_until(lambda: second.view().result is not None)
    result = second.view().result
    assert result is not None
    assert result.can_resume
    assert result.document.run.simulated
    assert [bool(picture.series) for picture in result.pictures] == [True] * 4
    second.export(run.run_id)
    wait_until(lambda: second.view().message.text.startswith("report"))
    written = {
        path.name for path in Path(run.started.folder if run.started else "").glob("report.*")
    }
    assert written == {"report.json", "report.md", "report.html", "report.csv"}
    wait_until(lambda: bool(second.view().past))
    assert second.view().past[0].can_resume

    second.retry()
    wait_until(lambda: second.is_running)
    wait_until(lambda: state(second.view(), "long") == "running")
    assert state(second.view(), "first") == "ok"
    second.abort()
    wait_until(lambda: not second.is_running)
    run = second.view().run
    assert run is not None
    assert end_of(run).outcome == "aborted"


@pytest.mark.slow
def test_two_runs_are_compared(rig: Rig, board: Simulator) -> None:
    rig.place = place_of(board)
    desk = rig.desk()
    suite = rig.suite(long=40)

    def has_past(runs: int) -> bool:
        return len(desk.view().past) == runs

    for seed in (1, 2):
        assert desk.start(RunWish(suite, seed=seed)) is None
        wait_until(lambda: not desk.is_running)
        run = desk.view().run
        assert run is not None
        assert end_of(run).outcome == "complete", end_of(run)
        wait_until(partial(has_past, seed))
    latest, before = desk.view().past
    assert desk.partner_of(latest.id) == before.id
    desk.compare(before.id, latest.id)
    wait_until(lambda: desk.view().comparison is not None)
    found = desk.view().comparison
    assert found is not None
    assert not found.blocking
    assert {row.metric for row in found.rows} >= {"decode_tps", "ttft_client_ms"}
    assert {row.verdict for row in found.rows} <= {"same", "inconclusive"}
    desk.look()
    wait_until(lambda: desk.view().is_measured and bool(desk.view().suites))
    mine = next(one for one in desk.view().suites if one.id == "tiny")
    assert (mine.key, mine.prompts) == (suite, 3)


@pytest.mark.slow
def test_a_run_that_cannot_begin_says_why(rig: Rig, tmp_path: Path) -> None:
    desk = rig.desk()
    assert desk.start(RunWish("prompts")) == "no server answers yet; a run needs one"
    rig.place = BenchPlace("http://127.0.0.1:9", "nobody", "-x\x1b[2J")
    assert rig.desk(busy="an answer is running").start(RunWish("prompts")) == "an answer is running"
    assert desk.start(RunWish("nonsense")) is None
    wait_until(lambda: not desk.is_running)
    run = desk.view().run
    assert run is not None
    assert end_of(run).outcome == "failed"
    assert "there is no suite 'nonsense'" in end_of(run).sentence
    assert desk.start(RunWish("prompts")) is None
    wait_until(lambda: not desk.is_running)
    run = desk.view().run
    assert run is not None
    assert end_of(run).outcome == "unreachable", end_of(run)
    desk.retry()
    assert desk.view().message.text == "this run cannot be resumed"
    desk.pause()
    desk.skip()
    assert desk.view().message.text == "no benchmark is running"
    desk.open_result("../../etc")
    wait_until(lambda: desk.view().message.role == "bad")


def test_suites_are_listed_without_a_server_and_broken_ones_named(rig: Rig) -> None:
    rig.suite(long=10)
    (rig.folder / "suites" / "broken.toml").write_text('id = "\x1b[2J"\n[[prompt]', "utf-8")
    desk = rig.desk()
    desk.look()
    wait_until(lambda: bool(desk.view().suites))
    view = desk.view()
    assert view.suites[0].id == "prompts"
    assert view.suites[-1].id == "tiny"
    assert len(view.problems) == 1
    assert "broken.toml" in view.problems[0]
    assert "\x1b" not in view.problems[0]
    assert not view.is_measured


def test_another_benchmark_is_seen(rig: Rig) -> None:
    from tui.bench.store.runs import Lock

    lock = Lock(rig.folder / "runs")
    lock.take("prompts")
    try:
        desk = rig.desk()
        desk.look()
        wait_until(lambda: desk.view().other_run is not None)
        assert desk.view().other_run == f"prompts (pid {os.getpid()})"
    finally:
        lock.release()
    assert runs.holder(rig.folder / "runs") is None


@pytest.mark.slow
def test_a_run_of_another_terminal_is_followed(rig: Rig, board: Simulator) -> None:
    rig.place = place_of(board)
    desk = rig.desk()
    words = ["run", rig.suite(long=3000), f"--url={board.url}", *FLAGS]
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "bench", *words, "--folder", str(rig.folder / "runs")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: rig.pids() == [process.pid])
        desk.seek()
        wait_until(lambda: state(desk.view(), "first") == "ok")
        assert desk.start(RunWish("prompts")) == "a benchmark is already running"
        late = rig.desk()
        assert "another benchmark is running" in (late.start(RunWish("prompts")) or "")
        wait_until(lambda: late.is_running)
        mine, elsewhere = f"{board.url}/v1", "http://192.0.2.7:8021"
        assert "benchmark" in (active_run.why_wait(rig.folder / "runs", mine) or "")
        assert "benchmark" in (active_run.why_wait(rig.folder / "runs", "http://localhost") or "")
        assert active_run.is_here(rig.folder / "runs")
        assert active_run.why_wait(rig.folder / "runs", elsewhere) is None
        wait_until(lambda: state(desk.view(), "long") == "running")
        desk.abort()
        wait_until(lambda: not desk.is_running)
    finally:
        process.kill()
        process.wait()
    run = desk.view().run
    assert run is not None
    assert end_of(run).outcome == "aborted"
    wait_until(lambda: runs.holder(rig.folder / "runs") is None)
    assert active_run.running(rig.folder / "runs") is None
    assert active_run.why_wait(rig.folder / "runs", board.url) is None


def test_the_screen_is_drawn_while_the_answers_before_a_resume_are_read(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_reading, is_drawn = threading.Event(), threading.Event()
    drawn_meanwhile: list[bool] = []

    def slow(folder: Path) -> Loaded:
        is_reading.set()
        drawn_meanwhile.append(is_drawn.wait(5))
        raise runs.RunError("nothing there")

    async def resumed(process: Detached) -> AsyncIterator[Event]:
        yield started("a", done=1)
        yield Finished(outcome="aborted", sentence="")

    monkeypatch.setattr(document, "load", slow)
    monkeypatch.setattr(session, "follow", resumed)
    monkeypatch.setattr(session, "running", lambda folder: Detached(1, folder))
    desk = rig.desk()
    desk.seek()
    assert is_reading.wait(10)
    assert desk.view().run is not None
    is_drawn.set()
    wait_until(lambda: (run := desk.view().run) is not None and run.is_over)
    assert drawn_meanwhile == [True]


def test_failed_prompts_that_cannot_be_retried_at_the_end_are_told(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_wanted = threading.Event()

    async def failing(process: Detached) -> AsyncIterator[Event]:
        yield started("a")
        yield ended("a", "error_http")
        await asyncio.to_thread(is_wanted.wait, 10)
        yield Finished(outcome="incomplete", sentence="")

    monkeypatch.setattr(session, "follow", failing)
    monkeypatch.setattr(session, "running", lambda folder: Detached(1, folder))
    desk = rig.desk()
    desk.seek()
    wait_until(lambda: state(desk.view(), "a") == "failed")
    desk.retry()
    is_wanted.set()
    wait_until(
        lambda: desk.view().message.text.startswith("failed prompts are not retried: no server")
    )


def test_a_refused_run_leaves_the_mark_of_the_other(tmp_path: Path) -> None:
    lock = runs.Lock(tmp_path)
    lock.take("prompts")
    try:
        mine = active_run.new_journal(tmp_path)
        mine.write_bytes(b"")
        active_run.mark(tmp_path, mine, url="http://127.0.0.1:1")
        found = active_run.running(tmp_path)
        assert found == active_run.ActiveRun(os.getpid(), mine, 0, "http://127.0.0.1:1")
        events = asyncio.run(_followed(start("run", ["prompts"], tmp_path)))
        (last,) = events
        assert last.outcome == "refused"
        assert f"another benchmark is running: prompts (pid {os.getpid()})" in last.sentence
        assert active_run.running(tmp_path) == found
    finally:
        lock.release()
    assert active_run.running(tmp_path) is None


async def _followed(run: Detached) -> list[Finished]:
    return [event async for event in follow(run) if isinstance(event, Finished)]


def test_a_mark_of_another_process_is_not_believed(tmp_path: Path) -> None:
    place = tmp_path / "detached"
    place.mkdir()
    (place / "x.jsonl").write_text("")
    mark = place / active_run.MARK_FILE
    assert active_run.running(tmp_path) is None
    told = json.dumps({"pid": os.getpid(), "journal": str(place / "x.jsonl")})
    for text in ("", "{}", told, told.replace("}", ', "offset": -1}'), "[" * 9000):
        mark.write_text(text)
        assert active_run.running(tmp_path) is None
    said = place / "x.txt"
    noise = Detached(1, tmp_path, said=said)
    assert last_words(noise) == ""
    said.write_bytes(b"\xff\x1b[2J bad\n\n")
    assert "\x1b" not in last_words(noise)
    assert "bad" in last_words(noise)


def test_the_partner_of_a_run() -> None:
    old, new = (
        PastRun(id=str(at), started_utc="", suite="prompts", model="m", status="complete", scored=1)
        for at in (1, 2)
    )
    assert partner([new, old], "2") == "1"
    assert partner([new, old], "1") == "2"
    assert partner([new], "2") is None
    assert partner([], "2") is None
    other = replace(old, id="0", suite="standard")
    simulated = replace(old, id="3", is_simulated=True)
    assert partner([new, simulated, other], "2") is None
    named = replace(old, id="4", baseline="cold")
    assert partner([new, old, named], "2") == "4"


def kept_run(folder: Path, *, is_complete: bool) -> None:
    """A run of the tiny suite as it lies there while it goes on, and once it is over."""
    suite = load_file(folder / "suites" / "tiny.toml")
    asked = [made_request(prompt.id) for prompt in suite.prompts]
    run_id = "20250101T120000Z-tiny-qwen3-4b-0001"
    document = made_run(asked, run_id=run_id, suite_sha256=suite.sha256, is_simulated=True)
    info = msgspec.structs.replace(document.run, suite="tiny", wall_s=60.0)
    loaded = Loaded(msgspec.structs.replace(document, run=info))
    path = folder / "runs" / run_id
    path.mkdir(parents=True, exist_ok=True)
    if is_complete:
        save(loaded, path)


def test_durations_follow_the_model_that_is_found_and_the_run_that_ends(
    rig: Rig, tmp_path: Path
) -> None:
    rig.suite(long=500)
    kept_run(tmp_path, is_complete=False)
    desk = rig.desk()
    desk.look()
    wait_until(lambda: bool(desk.view().suites))
    assert not desk.view().is_measured
    # A server is found while the screen is open.
    rig.place = BenchPlace("http://127.0.0.1:9", "nobody", "qwen3-4b", is_simulated=True)
    desk.seek()
    wait_until(lambda: not desk.view().is_looking)
    # The run that was seen unfinished is over.
    kept_run(tmp_path, is_complete=True)
    desk.look()
    wait_until(lambda: desk.view().is_measured)
    tiny = next(one for one in desk.view().suites if one.id == "tiny")
    assert tiny.full.likely_s == pytest.approx(60.0)
    # It is of the simulated board: a real one of the same name is not measured by it.
    rig.place = replace(rig.place, is_simulated=False)
    desk.seek()
    wait_until(lambda: not desk.view().is_measured)
