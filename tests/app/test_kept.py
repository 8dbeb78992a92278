"""What the dashboard keeps of its conversations: a real process in a real terminal."""

from __future__ import annotations

import signal
from contextlib import closing
from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.app.test_dashboard import READY, ask
from tests.commands.test_ask_history import database
from tests.sim.simulator import running as simulator
from tests.sim.simulator import wait_for_event
from tests.terminal.pty_terminal import PtyTerminal
from tests.waiting import wait_until
from tui.history import reading
from tui.history.database import open_for_reading
from tui.history.failures import HistoryError
from tui.history.records import StoredTurn

pytestmark = pytest.mark.slow

FAST = ("--decode-tps", "200", "--prefill-tps", "2000")


def stored(home: Path, number: int = 1) -> tuple[StoredTurn, ...]:
    """All branches of a conversation, as another process reads them."""
    with closing(open_for_reading(database(home))) as connection:
        found = reading.conversation(connection, number, is_tree=True)
        return () if found is None else found.turns


def is_over(home: Path, count: int, number: int = 1) -> bool:
    try:
        turns = stored(home, number)
    except HistoryError:
        return False
    return len(turns) == count and all(turn.status != "running" for turn in turns)


def test_a_conversation_and_its_branches_are_kept(tmp_path: Path) -> None:
    with (
        simulator(*FAST, has_root=True) as board,
        running(tmp_path, "--url", board.url, "--root", str(board.root)) as terminal,
    ):
        terminal.wait_for(READY)
        ask(terminal, "first [[tokens=260]]")
        wait_until(lambda: is_over(tmp_path, 2))
        ask(terminal, "second [[tokens=20]]")
        wait_until(lambda: is_over(tmp_path, 4))
        terminal.keys("ctrl+r")
        wait_until(lambda: is_over(tmp_path, 5))
        ask(terminal, "third [[tokens=20]]")
        wait_until(lambda: is_over(tmp_path, 7))
        terminal.keys("ctrl+n")
        terminal.wait_for("a new conversation")
        ask(terminal, "another [[tokens=20]]")
        wait_until(lambda: is_over(tmp_path, 2, 2))
        terminal.keys("ctrl+q")
        assert terminal.wait_gone() == 0
    turns = stored(tmp_path)
    one, two = turns[0], turns[2]
    assert [(turn.role, turn.parent) for turn in turns] == [
        ("user", None),
        ("assistant", one.id),
        ("user", turns[1].id),
        ("assistant", two.id),
        ("assistant", two.id),
        ("user", turns[4].id),
        ("assistant", turns[5].id),
    ]
    assert all(turn.status == "complete" for turn in turns if turn.role == "assistant")
    with closing(open_for_reading(database(tmp_path))) as connection:
        assert len(reading.times_ns(connection, turns[1].id)) == 260
        samples = reading.board_samples(connection, turns[1].id)
        assert "npu.load.0" in samples[0].values
        found = reading.conversation(connection, 1)
        assert found is not None
        assert [turn.id for turn in found.turns] == [turns[n].id for n in (0, 1, 2, 4, 5, 6)]


def begun(terminal: PtyTerminal, log: Path, count: int) -> None:
    terminal.wait_for(READY)
    ask(terminal, "long [[tokens=2000]]")
    wait_for_event(log, "token", count=count)


def test_an_answer_of_a_killed_dashboard_is_found_again(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with simulator(*FAST, "--truth", str(log)) as board:
        with running(tmp_path, "--url", board.url) as terminal:
            begun(terminal, log, 400)
            terminal.process.send_signal(signal.SIGKILL)
            terminal.process.wait()
        answer = stored(tmp_path)[1]
        assert answer.status == "interrupted"
        assert answer.error is not None
        with closing(open_for_reading(database(tmp_path))) as connection:
            count = len(reading.times_ns(connection, answer.id))
        assert count >= 400 - 200
        assert f"after {count} tokens" in answer.error.sentence


def test_an_answer_that_runs_at_the_end_is_kept_as_stopped(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with simulator(*FAST, "--truth", str(log)) as board:
        with running(tmp_path, "--url", board.url) as terminal:
            begun(terminal, log, 60)
            terminal.keys("ctrl+q")
            terminal.keys("ctrl+q")
            assert terminal.wait_gone() == 0
        prompt, answer = stored(tmp_path)
        assert prompt.text == "long [[tokens=2000]]"
        assert (answer.status, bool(answer.text)) == ("stopped", True)


def test_what_cannot_be_kept_is_told_and_the_chat_goes_on(tmp_path: Path) -> None:
    path = database(tmp_path)
    path.parent.parent.mkdir(parents=True)
    path.parent.write_text("in the way")
    with (
        simulator(*FAST) as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        terminal.wait_for(READY)
        ask(terminal, "hello [[tokens=30]]")
        terminal.wait_for("answers are not saved")
        terminal.wait_for("~30 tokens")
        terminal.keys("ctrl+q")
        assert terminal.wait_gone() == 0
        assert "npulse: answers are not saved: " in terminal.text().replace("\n", " ")


def test_what_could_not_be_kept_is_kept_when_it_can_be(tmp_path: Path) -> None:
    path = database(tmp_path)
    path.parent.parent.mkdir(parents=True)
    path.parent.write_text("in the way")
    with (
        simulator(*FAST) as board,
        running(tmp_path, "--url", board.url) as terminal,
    ):
        terminal.wait_for(READY)
        ask(terminal, "hello [[tokens=30]]")
        terminal.wait_for("answers are not saved")
        path.parent.unlink()
        wait_until(lambda: is_over(tmp_path, 2))
        terminal.wait_for("answers are kept again")
