"""A run of npulse bench that is killed, stopped, resumed or left alone."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.bench.processes import FAST, bench, only_run, read_until, started
from tests.waiting import wait_until
from tui.bench.model.events import Finished, Started, TokensArrived, from_json
from tui.bench.store import active_run
from tui.bench.store.detached import Detached, follow, start
from tui.bench.store.history import entries
from tui.commands.bench import main
from tui.sim.server.spawn import Simulator

pytestmark = pytest.mark.slow


def tokens_in(journal: Path, prompt: str) -> int:
    """How many tokens of that prompt's answer have been written to the journal."""
    events = map(from_json, journal.read_bytes().splitlines())
    return sum(len(e.t_ns) for e in events if isinstance(e, TokensArrived) and e.id == prompt)


def test_kill_nine_then_report_then_resume(
    sim: Simulator, tmp_path: Path, long_suite: Path
) -> None:
    folder = tmp_path / "runs"
    process = started(folder, "run", str(long_suite), "--url", sim.url, *FAST, "--ui", "plain")
    read_until(process, "b #1: ok")
    (journal,) = folder.glob("*/journal.jsonl")
    wait_until(lambda: tokens_in(journal, "c") > 40)
    process.kill()
    process.communicate()
    (entry,) = entries(folder, model="qwen3-4b", suite="mine")
    assert (entry.status, entry.scored, entry.planned) == ("unfinished", 2, 3)
    assert entry.is_simulated
    text = bench(folder, "report", "last").stdout
    assert "PARTIAL 2/3" in text
    assert "npulse ended before the answer did" in text
    assert "Partial response" in text
    partial = json.loads(bench(folder, "report", "last", "--json", "-").stdout)["requests"][2]
    # 125 tokens a second, of which at most one second may be lost.
    assert 20 < partial["tok"]["out"] < 200
    done = bench(folder, "resume", "last", "--url", sim.url, *FAST[:-2], "--ui", "plain")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 requests are done already" in done.stdout
    assert "a #1" not in done.stdout
    document = only_run(folder)
    assert document.run.status == "complete"
    assert [s.ended for s in document.run.segments] == ["killed", "complete"]
    assert [r.status for r in document.requests] == ["ok"] * 3
    assert document.requests[2].tok.out == 200
    again = bench(folder, "resume", "last", "--url", sim.url)
    assert again.returncode == 2
    assert "complete" in again.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_safely(
    own_sim: Simulator, tmp_path: Path, endless_suite: Path, number: signal.Signals
) -> None:
    process = started(
        tmp_path, "run", str(endless_suite), "--url", own_sim.url, *FAST, "--ui", "plain"
    )
    read_until(process, "b #1: ok")
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "bench resume" in out
    assert "Traceback" not in out
    document = only_run(tmp_path)
    assert [r.status for r in document.requests][:2] == ["ok", "ok"]
    assert document.run.status == "partial"


def test_a_second_signal_ends_at_once(
    own_sim: Simulator, tmp_path: Path, endless_suite: Path
) -> None:
    arguments = [argument for argument in FAST if argument not in ("--drain", "0.5")]
    process = started(
        tmp_path, "run", str(endless_suite), "--url", own_sim.url, *arguments, "--ui", "plain"
    )
    read_until(process, "b #1: ok")
    (journal,) = tmp_path.glob("*/journal.jsonl")
    wait_until(lambda: tokens_in(journal, "c") > 0)
    process.send_signal(signal.SIGINT)
    read_until(process, "drain: The server is still working on the answer.")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in out
    text = bench(tmp_path, "report", "last").stdout
    assert "PARTIAL 2/3" in text


def test_a_lost_terminal_does_not_stop_a_run(sim: Simulator, tmp_path: Path, suite: Path) -> None:
    process = started(tmp_path, "run", str(suite), "--url", sim.url, *FAST, "--ui", "plain")
    read_until(process, "a #1: ok")
    assert process.stdout is not None
    process.stdout.close()
    process.send_signal(signal.SIGHUP)
    process.wait(timeout=60)
    assert only_run(tmp_path).run.status == "complete"


def test_the_server_of_the_config_is_asked(
    sim: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "npulse").mkdir()
    config = tmp_path / "npulse" / "config.toml"
    config.write_text(f'[server]\nurl = "{sim.url}"\n')
    assert main(["list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "qwen3-4b"
    assert main(["list", "--json", "--url", "http://127.0.0.1:9"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] is None
    config.write_text('[server]\nurl = "ftp://x"\n')
    assert main(["list"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


async def _follow(run: Detached) -> list[object]:
    return [event async for event in follow(run)]


def test_a_detached_run_can_be_followed(sim: Simulator, tmp_path: Path, suite: Path) -> None:
    events = asyncio.run(_follow(start("run", [str(suite), "--url", sim.url, *FAST], tmp_path)))
    assert any(isinstance(event, Started) for event in events)
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.outcome == "complete"
    journal = Path(last.folder) / "journal.jsonl"
    assert events == [from_json(line) for line in journal.read_bytes().splitlines()]
    assert not list((tmp_path / active_run.EVENTS_FOLDER).glob("*.jsonl"))


def test_following_a_run_that_died(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"type":"note","t_ns":1,"text":"x"}\n{"type":"no')
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    mark = tmp_path / active_run.EVENTS_FOLDER / active_run.MARK_FILE
    mark.parent.mkdir()
    mark.write_text(json.dumps({"pid": dead.pid, "journal": str(path), "offset": 0}))
    events = asyncio.run(_follow(Detached(dead.pid, tmp_path)))
    assert len(events) == 2
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.outcome == "failed"


def test_control_of_another_process(
    own_sim: Simulator, tmp_path: Path, endless_suite: Path
) -> None:
    process = started(
        tmp_path, "run", str(endless_suite), "--url", own_sim.url, *FAST, "--ui", "plain"
    )
    read_until(process, "b #1: ok")
    assert bench(tmp_path, "control", "abort").returncode == 0
    process.communicate(timeout=60)
    assert process.returncode == 130
