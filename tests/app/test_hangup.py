"""The terminal goes away in the middle of an answer: the answer is finished without it, or not."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.app.test_dashboard import READY, ask
from tests.commands.test_ask_history import database
from tests.commands.test_running import stored_tokens
from tests.sim.simulator import running as simulator
from tests.sim.simulator import truth, wait_for_event
from tests.terminal.pty_terminal import PtyTerminal
from tests.waiting import wait_until
from tui.app.terminal.driver import FORCED_END_S
from tui.history import reading, running_answers
from tui.history.database import open_for_reading
from tui.history.records import Place, StoredTurn

pytestmark = pytest.mark.slow

FAST = ("--decode-tps", "150", "--prefill-tps", "3000")
HANGUP_CODE = 128 + signal.SIGHUP


def stored_answer(home: Path) -> tuple[StoredTurn, int]:
    """The answer, and how many chunks of it have a time."""
    with closing(open_for_reading(database(home))) as connection:
        answer = reading.turn(connection, 2)
        assert answer is not None
        return answer, len(reading.times_ns(connection, 2))


def places(home: Path) -> list[Place]:
    """Where the answers that run are received."""
    with closing(open_for_reading(database(home))) as connection:
        return [one.receiver.place for one in running_answers.running(connection)]


def begun(terminal: PtyTerminal, log: Path, tokens: int) -> None:
    terminal.wait_for(READY)
    ask(terminal, f"long [[tokens={tokens}]]")
    wait_for_event(log, "token", count=60)


@pytest.mark.parametrize("how", ["signal", "closed"])
def test_an_answer_is_finished_without_its_terminal(tmp_path: Path, how: str) -> None:
    log = tmp_path / "truth.jsonl"
    with (
        simulator(*FAST, "--truth", str(log)) as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        begun(terminal, log, 500)
        if how == "closed":
            terminal.hang_up()
        else:
            terminal.signal(signal.SIGHUP)
        # Whatever else tells it that the line is gone changes nothing.
        time.sleep(0.3)
        terminal.signal(signal.SIGHUP)
        assert terminal.process.wait(60) == HANGUP_CODE
        tokens = truth(log, "token")
        if how == "signal":
            assert terminal.left_behind() == []
    answer, count = stored_answer(tmp_path)
    assert answer.status == "complete"
    assert answer.text.strip() == "".join(token["text"] for token in tokens).strip()
    assert count == len(tokens) == 500


def test_a_terminal_that_nobody_reads_does_not_hold_the_answer(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with (
        simulator(*FAST, "--truth", str(log)) as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        begun(terminal, log, 900)
        terminal.read_rate = 1
        for _ in range(6):
            terminal.keys("f1", "escape", pause=0.05)
        terminal.signal(signal.SIGHUP)
        assert terminal.process.wait(60) == HANGUP_CODE
    answer, count = stored_answer(tmp_path)
    assert (answer.status, count) == ("complete", 900)


def test_without_an_answer_a_terminal_that_nobody_reads_is_not_waited_for(tmp_path: Path) -> None:
    with simulator(*FAST) as board, running(tmp_path, "--url", board.url) as terminal:
        terminal.wait_for(READY)
        terminal.read_rate = 1
        for _ in range(6):
            terminal.keys("f1", "escape", pause=0.05)
        terminal.signal(signal.SIGHUP)
        # Less than what an answer would have had.
        assert terminal.process.wait(2 * FORCED_END_S - 0.5) == HANGUP_CODE


def test_the_simulated_board_lives_until_the_answer_is_over(tmp_path: Path) -> None:
    with running(tmp_path, "--demo", "--speed", "20") as terminal:
        terminal.wait_for(READY)
        ask(terminal, "[[tokens=150]]")
        terminal.wait_for("answering")
        terminal.hang_up()
        assert terminal.process.wait(60) == HANGUP_CODE
    answer, _ = stored_answer(tmp_path)
    assert answer.status == "complete"


@pytest.mark.parametrize("setting", ["SESSION__ON_HANGUP=stop", "HISTORY__ENABLED=false"])
def test_it_ends_at_once_where_that_is_wanted_or_nothing_is_kept(
    tmp_path: Path, setting: str
) -> None:
    log = tmp_path / "truth.jsonl"
    name, _, value = setting.partition("=")
    with (
        simulator(*FAST, "--truth", str(log)) as board,
        running(tmp_path, "--url", board.url, env={f"NPULSE_{name}": value}) as terminal,
    ):
        begun(terminal, log, 5000)
        terminal.hang_up()
        assert terminal.process.wait(60) == HANGUP_CODE
        assert b'"finish"' not in log.read_bytes(), "the answer was waited for"
    if "SESSION" in setting:
        answer, _ = stored_answer(tmp_path)
        assert answer.status == "stopped"


def test_sigterm_ends_it_while_it_has_no_terminal(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with (
        simulator(*FAST, "--truth", str(log)) as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        begun(terminal, log, 5000)
        wait_until(lambda: stored_tokens(tmp_path) >= 60)
        terminal.hang_up()
        wait_until(lambda: places(tmp_path) == ["detached"])
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.process.wait(60) == HANGUP_CODE
    answer, count = stored_answer(tmp_path)
    assert answer.status == "stopped"
    assert count >= 60
