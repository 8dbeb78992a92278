"""What goes wrong around a run on many boards: schedulers, other runs, versions, names."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.npulse import environment
from tests.fleet.boards import (
    free_port,
    numbered,
    simulated,
    start_worker,
    told_by,
    workers,
    workers_here,
)
from tests.waiting import until, wait_until
from tui import __version__
from tui.bench.model.events import RequestStarted
from tui.bench.model.suite import load_builtin
from tui.bench.store import resume, runs
from tui.commands import bench, lab, worker
from tui.fleet import engine
from tui.fleet.connect import FleetPlan
from tui.fleet.members import Member, Members
from tui.fleet.messages import Announcement, encode
from tui.fleet.ssh_workers import last_words
from tui.remote.address import BoardAddress

pytestmark = pytest.mark.slow

SLOW = ("--decode-tps", "30", "--prefill-tps", "4000")


def variables(home: Path) -> dict[str, str]:
    return {**os.environ, **{k: v for k, v in environment(home).items() if v is not None}}


@pytest.mark.slow
def test_what_a_board_finished_without_its_run_is_fetched_by_resume(tmp_path: Path) -> None:
    """The run is killed while two boards answer: they finish and keep, and nothing is asked
    twice."""
    port, home = free_port(), tmp_path / "home"
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text(
        "".join(f'{{"id": "n{at}", "prompt": "Tell me of number {at}."}}\n' for at in range(1, 7))
    )
    flags = ("--boards", "all", "--listen", f"127.0.0.1:{port}", "--no-warm-up", "--ui", "plain")
    command = [sys.executable, "-m", "tui", "bench"]
    with simulated(tmp_path, 2, *SLOW) as boards, workers(boards, tmp_path, port):
        run = subprocess.Popen(
            [*command, "run", str(prompts), *flags, "--max-tokens", "30"],
            env=variables(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            # In the middle of the second answer of each, when that is long in the journal.
            wait_until(lambda: all(board.tokens() > 45 for board in boards))
        finally:
            run.kill()
            run.wait(60)
        kept = [tmp_path / board.name / "data/npulse/bench/fleet" for board in boards]
        wait_until(lambda: all(any(place.glob("*/*.jsonl")) for place in kept))
        asked = sum(len(board.asked()) for board in boards)
        done = subprocess.run(
            [*command, "resume", "last", *flags], env=variables(home), capture_output=True,
            text=True, timeout=90, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "complete: 6 of 6 answered." in done.stdout
        assert asked >= 4
        assert sum(len(board.asked()) for board in boards) == 6
        wait_until(lambda: not any(any(place.glob("*/*.jsonl")) for place in kept))
    said = (tmp_path / "b1.out").read_text()
    assert "the request in progress is finished and kept here" in said
    assert "Traceback" not in said


async def test_a_scheduler_that_goes_away_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    scheduler = await engine.hosted_scheduler("127.0.0.1", 0)
    port = engine.host_and_port(scheduler.address)[1]
    ends: list[asyncio.Future[object]] = []

    def end(event: object) -> None:
        if isinstance(event, RequestStarted) and not ends:
            ends.append(asyncio.ensure_future(scheduler.close()))

    with simulated(tmp_path, 1, *SLOW) as boards:
        async with workers_here(boards, tmp_path, port):
            plan = FleetPlan(scheduler=str(scheduler.address))
            told = await told_by(numbered(3, 20), tmp_path / "runs", plan, on_event=end)
            assert told.finished.outcome == "incomplete"
            assert "The connection to the scheduler was lost" in told.finished.sentence
            # The board finishes what it began, and the next run fetches it.
            place = tmp_path / "b1" / "fleet"
            await asyncio.to_thread(wait_until, lambda: any(place.glob("*/*.jsonl")))
            before = resume.earlier(Path(told.finished.folder))
            again = FleetPlan(listen=("127.0.0.1", port))
            told = await told_by(before.suite, tmp_path / "runs", again, resume=before)
        assert told.finished.outcome == "complete", told.finished.sentence
        assert boards[0].asked() == ["number 1", "number 2", "number 3"]


async def test_nothing_is_begun_where_nobody_joins(tmp_path: Path) -> None:
    told = await told_by(numbered(1, 8), tmp_path, FleetPlan(wait_s=0.3))
    assert told.finished.outcome == "unreachable"
    assert told.finished.sentence == "No board was ready for 0 s."
    kitchen = FleetPlan(ssh=(BoardAddress("kitchen", "kitchen"),))
    for plan, way in (
        (kitchen, "npulse bench run cache --board kitchen, then npulse bench compare A B"),
        (FleetPlan(), "npulse bench run cache on the board itself"),
    ):
        told = await told_by(load_builtin("cache"), tmp_path, plan)
        assert told.finished.outcome == "refused"
        assert "the suite cache measures a single board" in told.finished.sentence
        assert way in told.finished.sentence
    told = await told_by(numbered(1, 8), tmp_path, FleetPlan(scheduler="tcp://127.0.0.1:9"))
    assert told.finished.sentence == "there is no scheduler at tcp://127.0.0.1:9."
    assert runs.all_ids(tmp_path) == []


async def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = await told_by(numbered(1, 8), tmp_path / "file", FleetPlan())
    assert told.finished.outcome == "refused"
    assert told.finished.sentence.startswith(f"cannot lock {tmp_path / 'file'}")


def test_boards_of_another_version_or_name_are_not_asked() -> None:
    joined: list[Member] = []
    refused: list[tuple[str, str]] = []
    members = Members(
        "2026.1",
        frozenset({"a", "b", "c"}),
        joined.append,
        lambda name, why: refused.append((name, why)),
    )

    def announce(board: str, npulse: str = __version__, dask: str = "2026.1") -> None:
        told = Announcement(
            board=board, address=f"tcp://{board}:1", npulse=npulse, distributed=dask
        )
        for _ in range(2):
            members.announced(encode(told))

    announce("a")
    announce("b", npulse="0.0.9")
    announce("c", dask="2025.12")
    announce("d")
    members.announced(b"no message")
    members.told(b"{}")
    assert [member.name for member in joined] == ["a"]
    assert refused == [
        ("b", f"npulse is 0.0.9 there and {__version__} here; install the same version on both"),
        ("c", "Dask is 2025.12 there and 2026.1 here; pip install 'distributed==2026.1' there"),
    ]
    members.gone("tcp://a:1")
    announce("a")
    assert joined[0].is_gone
    assert len(joined) == 1


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("board b1 has joined the scheduler at tcp://127.0.0.1:1", ""),
        (
            "board b1 has joined the scheduler at x\nnpulse worker: no room",
            "npulse worker: no room",
        ),
        ("npulse worker: work over many boards needs Dask\n", "npulse worker: work over many"),
        ("Permission denied", "Permission denied"),
        ("", ""),
    ],
)
def test_why_a_worker_ended_is_never_what_it_said_while_all_was_well(said: str, why: str) -> None:
    worker = subprocess.Popen(["printf", "%b", said], stdout=subprocess.PIPE)
    found = last_words(worker)
    assert worker.wait(60) == 0
    assert worker.stdout is not None
    worker.stdout.close()
    assert found.startswith(why)
    assert bool(found) == bool(why)


def test_a_worker_ends_with_one_sentence(tmp_path: Path) -> None:
    with simulated(tmp_path, 1, *SLOW) as boards:
        board, port = boards[0], free_port()
        once = start_worker(board, tmp_path / "once", port, "--once")
        waiting = start_worker(board, tmp_path / "waiting", port)
        said = tmp_path / "waiting" / "b1.out"
        wait_until(lambda: "there is no scheduler at" in said.read_text())
        waiting.send_signal(signal.SIGINT)
        assert waiting.wait(60) == 0
        assert once.wait(60) == 5
    assert len(said.read_text().splitlines()) == 1


async def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    scheduler = await engine.hosted_scheduler("127.0.0.1", 0)
    port = engine.host_and_port(scheduler.address)[1]
    try:
        with simulated(tmp_path, 1, *SLOW) as boards:
            async with workers_here(boards, tmp_path, port):
                await until(lambda: scheduler.workers)
                twin = start_worker(boards[0], tmp_path / "twin", port)
                assert await asyncio.to_thread(twin.wait, 30) == 1
    finally:
        await scheduler.close()
    assert (
        "has joined already; give this one another --name"
        in (tmp_path / "twin" / "b1.out").read_text()
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--boards", "all"), "no boards: name them in [boards]"),
        (("--boards", "kitchen"), "there is no board 'kitchen' in [boards]"),
        (("--boards", "all", "--no-board"), "--no-board is for one board"),
        (("--boards", ","), "--boards takes all, or names"),
        (("--listen", "127.0.0.1:0"), "--listen goes with --boards"),
        (("--boards", "all", "--public"), "--public goes with --listen"),
        (("--boards", "all", "--listen", "0.0.0.0:8786"), "can run any program as you"),
        (("--boards", "all", "--listen", "nonsense"), "--listen takes HOST:PORT"),
        (("--boards", "all", "--scheduler", "http://x"), "--scheduler takes the address"),
        (
            ("--boards", "all", "--scheduler", "tcp://x:1", "--listen", "1"),
            "--scheduler and --listen exclude each other",
        ),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(
    arguments: tuple[str, ...],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment(tmp_path).items():
        if value is not None and name.startswith("XDG"):
            monkeypatch.setenv(name, value)
    assert bench.main(["run", "prompts", *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_without_dask_it_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert bench.main(["run", "prompts", "--boards", "all"]) == 2
    assert worker.main(["tcp://127.0.0.1:9"]) == 2
    for line in capsys.readouterr().err.splitlines():
        assert line.endswith(
            "work over many boards needs Dask, which is not installed here; "
            "install it with pip install 'npulse[fleet]'"
        )


def test_the_lab_shares_its_prompts_out_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    (tmp_path / "set.toml").write_text(
        'max_tokens = 8\n[[prompt]]\nid = "p"\ntext = "Tell me of number {{n}}."\n'
        + "".join(f'[[case]]\nid = "c{at}"\nvalues = {{ n = "{at}" }}\n' for at in range(1, 5))
        + '[[variant]]\nid = "a"\n[[variant]]\nid = "b"\ntemperature = 0.1\n'
    )
    with simulated(tmp_path, 2, *SLOW) as boards, workers(boards, tmp_path, port):
        code = lab.main([
            *("run", str(tmp_path / "set.toml"), "--folder", str(tmp_path / "data")),
            *("--boards", "b1,b2", "--listen", f"127.0.0.1:{port}", "--no-warm-up"),
            *("--ui", "plain"),
        ])  # fmt: skip
    said = capsys.readouterr()
    assert code == 0, said.out + said.err
    assert [len(board.asked()) > 0 for board in boards] == [True, True]
    assert sum(len(board.asked()) for board in boards) == 8


def test_dask_says_nothing_of_its_own() -> None:
    """In a process of its own: a logger without a handler speaks on stderr."""
    names = ("distributed.client", "distributed.worker", "distributed.gc", "tornado.application")
    said = subprocess.run(
        [
            *(sys.executable, "-c"),
            "from tui.fleet import engine; engine.prepare(); import logging, distributed.client\n"
            f"for name in {names!r}: logging.getLogger(name).critical('noise')",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout + said.stderr == ""
