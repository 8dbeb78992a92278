"""``npulse running``: real processes that answer, are stopped, let go of their terminal, die."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.app.npulse import REPOSITORY, environment
from tests.app.npulse import running as dashboard
from tests.app.test_dashboard import READY
from tests.app.test_dashboard import ask as type_prompt
from tests.commands.test_ask_history import database
from tests.sim.simulator import running as simulator
from tests.sim.simulator import truth, wait_for_event
from tests.waiting import wait_until
from tui.history import reading
from tui.history.database import open_for_reading, open_for_writing
from tui.history.failures import HistoryError
from tui.history.running_answers import want_stop

pytestmark = pytest.mark.slow

SLOW = ("--decode-tps", "30", "--prefill-tps", "3000")


def npulse(home: Path, *arguments: str) -> tuple[int, str, str]:
    variables = {k: v for k, v in environment(home).items() if v is not None}
    done = subprocess.run(
        [sys.executable, "-m", "tui", *arguments],
        capture_output=True, text=True, cwd=REPOSITORY, env=variables, timeout=60, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def rows(home: Path) -> list[dict[str, Any]]:
    code, out, _ = npulse(home, "running", "--json")
    assert code == 0
    found: list[dict[str, Any]] = json.loads(out)
    return found


@contextmanager
def asking(home: Path, url: str, prompt: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``npulse ask`` with some tokens of its answer stored."""
    variables = {k: v for k, v in environment(home).items() if v is not None}
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "ask", prompt, "--url", url],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=REPOSITORY, env=variables,
    )  # fmt: skip
    try:
        wait_for_event(log, "token", count=20)
        wait_until(lambda: stored_tokens(home) >= 20)
        yield process
    finally:
        process.kill()
        process.wait()


def stored_tokens(home: Path, answer: int = 2) -> int:
    try:
        with closing(open_for_reading(database(home))) as connection:
            return len(reading.times_ns(connection, answer))
    except HistoryError:
        return 0  # it is not made yet


def status(home: Path, answer: int = 2) -> str | None:
    with closing(open_for_reading(database(home))) as connection:
        found = reading.turn(connection, answer)
        return None if found is None else found.status


def test_nothing_runs(tmp_path: Path) -> None:
    code, out, err = npulse(tmp_path, "running")
    assert (code, out) == (0, "")
    assert err.startswith("npulse running: no answer is running; npulse history list")
    assert rows(tmp_path) == []
    assert not database(tmp_path).exists()


def test_an_answer_of_ask_is_told_of_and_stopped_from_elsewhere(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with (
        simulator(*SLOW, "--truth", str(log)) as board,
        asking(tmp_path, board.url, "count to a\nmillion [[tokens=3000]]", log) as process,
    ):
        (row,) = rows(tmp_path)
        assert (row["pid"], row["where"], row["id"]) == (process.pid, "ask", 1)
        assert (row["status"], row["is_simulated"], row["url"]) == ("answering", True, board.url)
        assert row["first_words"] == "count to a million [[tokens=3000]]"
        assert row["tokens"] >= 20
        assert row["tokens_source"] == row["decode_source"] == "estimated"
        sent_ns = [token["t_ns"] for token in truth(log, "token")[: row["tokens"]]]
        sent_tps = (len(sent_ns) - 1) * 1e9 / (sent_ns[-1] - sent_ns[0])
        assert row["decode_tps"] == pytest.approx(sent_tps, rel=0.3)
        assert 0 < row["elapsed_s"] < 60
        _, out, err = npulse(tmp_path, "running")
        assert err == ""
        assert f"ask (pid {process.pid})" in out
        assert "tok/s" in out
        with closing(open_for_writing(database(tmp_path))) as connection:
            assert want_stop(connection, row["turn"])
        assert process.wait(60) == 130
        assert rows(tmp_path) == []
        assert status(tmp_path) == "stopped"
        with closing(open_for_writing(database(tmp_path))) as connection:
            assert not want_stop(connection, row["turn"])


def test_a_second_ask_waits_for_the_first_one(tmp_path: Path) -> None:
    """At a server where a second prompt would end the first answer."""
    log = tmp_path / "truth.jsonl"
    with (
        simulator(*SLOW, "--dialect", "rkllm-chat", "--truth", str(log)) as board,
        asking(tmp_path, board.url, "[[tokens=150]]", log) as first,
    ):
        code, out, err = npulse(tmp_path, "ask", "[[tokens=12]]", "--url", board.url)
        assert code == 0
        assert out.strip()
        assert f"the server answers npulse ask (pid {first.pid}) first" in err
        assert first.wait(60) == 0
        assert len(truth(log, "token")) == 162
        assert [status(tmp_path, answer) for answer in (2, 4)] == ["complete", "complete"]


def test_an_answer_of_a_killed_process_is_told_of_once_as_interrupted(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with (
        simulator(*SLOW, "--truth", str(log)) as board,
        asking(tmp_path, board.url, "[[tokens=3000]]", log) as process,
    ):
        process.kill()
        process.wait()
        (row,) = rows(tmp_path)
        assert (row["pid"], row["status"]) == (process.pid, "interrupted")
        assert row["tokens"] == stored_tokens(tmp_path) >= 20
        assert rows(tmp_path) == []
        assert status(tmp_path) == "interrupted"


def test_a_number_of_a_process_that_is_used_again_is_no_running_answer(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with (
        simulator(*SLOW, "--truth", str(log)) as board,
        asking(tmp_path, board.url, "[[tokens=3000]]", log) as process,
    ):
        process.kill()
        process.wait()
    with closing(sqlite3.connect(database(tmp_path))) as connection, connection:
        connection.execute("UPDATE writers SET pid = ?", (os.getpid(),))
    (row,) = rows(tmp_path)
    assert (row["pid"], row["status"]) == (os.getpid(), "interrupted")


def test_a_dashboard_without_its_terminal_is_detached_and_may_be_stopped(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with (
        simulator(*SLOW, "--truth", str(log)) as board,
        dashboard(tmp_path, "--url", board.url) as terminal,
    ):
        terminal.wait_for(READY)
        type_prompt(terminal, "[[tokens=3000]]")
        wait_for_event(log, "token", count=5)
        wait_until(lambda: database(tmp_path).exists() and stored_tokens(tmp_path) > 0)
        (row,) = rows(tmp_path)
        assert (row["pid"], row["where"]) == (terminal.process.pid, "dashboard")
        terminal.signal(signal.SIGHUP)
        wait_until(lambda: rows(tmp_path)[0]["where"] == "detached")
        with closing(open_for_writing(database(tmp_path))) as connection:
            assert want_stop(connection, row["turn"])
        terminal.process.wait(60)
        assert rows(tmp_path) == []
        assert status(tmp_path) == "stopped"


def test_a_benchmark_is_told_of(tmp_path: Path) -> None:
    with simulator("--decode-tps", "20", "--prefill-tps", "3000") as board:
        variables = {k: v for k, v in environment(tmp_path).items() if v is not None}
        process = subprocess.Popen(
            [sys.executable, "-m", "tui", "bench", "run", "prompts", "--url", board.url],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=REPOSITORY, env=variables,
        )  # fmt: skip
        try:
            wait_until(lambda: any(row["model"] for row in rows(tmp_path)))
            (row,) = rows(tmp_path)
            assert (row["where"], row["pid"], row["id"]) == ("bench", process.pid, None)
            assert row["is_simulated"]
            assert row["since"] >= time.strftime("%Y-%m-%dT%H", time.gmtime(time.time() - 600))
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
