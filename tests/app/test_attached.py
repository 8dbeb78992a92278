"""An answer that another npulse receives, on the screen of a second one: real processes."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.app.test_dashboard import READY, ask, shows
from tests.commands.test_ask_history import database
from tests.commands.test_running import npulse, stored_tokens
from tests.sim.simulator import running as simulator
from tests.sim.simulator import truth, wait_for_event
from tests.terminal.pty_terminal import PtyTerminal
from tests.waiting import wait_until
from tui.history import reading
from tui.history.database import open_for_reading
from tui.history.records import StoredTurn

pytestmark = pytest.mark.slow

SLOW = ("--decode-tps", "40", "--prefill-tps", "3000")
ELSEWHERE = "running in another npulse"


def stored(home: Path, answer: int = 2) -> StoredTurn:
    with closing(open_for_reading(database(home))) as connection:
        found = reading.turn(connection, answer)
        assert found is not None
        return found


def begun(terminal: PtyTerminal, home: Path, log: Path, tokens: int = 240) -> None:
    """An answer of so many tokens, some of which are stored."""
    terminal.wait_for(READY)
    ask(terminal, f"theirs [[tokens={tokens}]]")
    wait_for_event(log, "token", count=30)
    wait_until(lambda: stored_tokens(home) > 5)


def last_words(home: Path, count: int = 4) -> str:
    """The last words that are stored by now."""
    return " ".join(re.findall("[a-zA-Z]+", stored(home).text)[-count:])


def chat_text(terminal: PtyTerminal) -> str:
    """What stands left of the panels, in one line."""
    lines = (line.partition("│")[0].lstrip(" ▎") for line in terminal.text().splitlines())
    return " ".join(" ".join(lines).split())


def has_words(words: str) -> Callable[[PtyTerminal], bool]:
    """Whether the chat has them, wherever its lines break."""
    return lambda terminal: words in chat_text(terminal)


def keeps_up(home: Path) -> Callable[[PtyTerminal], bool]:
    """Whether the chat has the last words that are stored, without any sign of markup."""
    return lambda terminal: (
        last_words(home) in " ".join(re.findall("[a-zA-Z]+", chat_text(terminal)))
    )


def lacks_words(words: str) -> Callable[[PtyTerminal], bool]:
    return lambda terminal: words not in chat_text(terminal)


def test_an_answer_goes_on_without_its_terminal_and_the_next_npulse_shows_it(
    tmp_path: Path,
) -> None:
    log = tmp_path / "truth.jsonl"
    with simulator(*SLOW, "--truth", str(log)) as board:  # noqa: SIM117
        with running(tmp_path, "--url", board.url) as first:
            begun(first, tmp_path, log)
            first.signal(signal.SIGHUP)
            with running(tmp_path, "--url", board.url) as second:
                second.wait_for("theirs [[tokens=240]]")
                second.wait_for(has_words(f"running in another npulse (pid {first.process.pid})"))
                for _ in range(2):
                    second.wait_for(keeps_up(tmp_path))
                second.wait_for("tok/s")
                assert first.process.wait(60) == 128 + signal.SIGHUP
                second.wait_for(shows(r"240 tokens.*tok/s"))
                second.wait_for(lacks_words(ELSEWHERE))
                answer = stored(tmp_path)
                assert answer.status == "complete"
                tokens = truth(log, "token")
                assert answer.text.strip() == "".join(one["text"] for one in tokens).strip()
                second.wait_for(keeps_up(tmp_path))
                # It goes on in the conversation that it was attached to.
                ask(second, "mine [[tokens=12]]")
                wait_until(lambda: is_complete(tmp_path, 4))
                second.keys("ctrl+q")
                assert second.wait_gone() == 0
    assert stored(tmp_path, 3).parent == 2
    with running(tmp_path, "--url", board.url) as third:
        third.wait_for("mine [[tokens=12]]")
        assert "the terminal was closed" not in third.text()


@pytest.mark.slow
def test_a_conversation_that_runs_elsewhere_is_shown_from_the_history(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with simulator(*SLOW, "--truth", str(log)) as board:  # noqa: SIM117
        with running(tmp_path, "--url", board.url) as first:
            begun(first, tmp_path, log)
            with running(tmp_path, "--url", board.url) as second:
                second.wait_for(READY)
                second.keys("f4")
                second.wait_for("theirs [[tokens=240]]")
                second.keys("c")
                second.wait_for(has_words(f"running in another npulse (pid {first.process.pid})"))
                second.wait_for(keeps_up(tmp_path))
                assert "npulse attach" not in second.text()


def is_complete(home: Path, answer: int) -> bool:
    with closing(open_for_reading(database(home))) as connection:
        found = reading.turn(connection, answer)
        return found is not None and found.status == "complete"


def test_an_answer_that_was_finished_without_a_terminal_is_told_of_once(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with simulator("--decode-tps", "150", "--truth", str(log)) as board:
        with running(tmp_path, "--url", board.url) as first:
            begun(first, tmp_path, log, 200)
            first.signal(signal.SIGHUP)
            first.process.wait(60)
        for is_first in (True, False):
            with running(tmp_path, "--url", board.url) as second:
                second.wait_for("theirs [[tokens=200]]")
                second.wait_for(shows(r"200 tokens"))
                if is_first:
                    second.wait_for("this answer was finished without it")
                second.keys("ctrl+q")
                assert second.wait_gone() == 0
                assert is_first or "finished without it" not in second.text()


def test_the_stop_key_stops_an_attached_answer_at_its_owner(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with (
        simulator(*SLOW, "--truth", str(log)) as board,
        running(tmp_path, "--url", board.url) as first,
    ):
        begun(first, tmp_path, log, 3000)
        with running(tmp_path, "attach", "--url", board.url, size=(80, 24)) as second:
            second.wait_for(has_words(ELSEWHERE))
            second.wait_for(keeps_up(tmp_path))
            ask(second, "and mine?")
            second.wait_for(has_words("your prompt stays here until it ends"))
            second.keys("escape")
            second.wait_for(has_words("is asked to stop"))
            wait_until(lambda: stored(tmp_path).status == "stopped")
            first.wait_for("stopped")
            second.wait_for(lacks_words(ELSEWHERE))
            second.wait_for("and mine?")
            second.keys("ctrl+q")
            assert second.wait_gone() == 0
        first.keys("ctrl+q")
        assert first.wait_gone() == 0


def test_an_owner_that_is_killed_leaves_an_interrupted_answer(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with (
        simulator(*SLOW, "--truth", str(log)) as board,
        running(tmp_path, "--url", board.url) as first,
    ):
        begun(first, tmp_path, log, 3000)
        with running(tmp_path, "attach", "1", "--url", board.url) as second:
            second.wait_for(has_words(ELSEWHERE))
            first.process.kill()
            first.process.wait()
            second.wait_for(
                lambda terminal: re.search(r"interrupted after \d+ tokens", chat_text(terminal))
            )
            wait_until(lambda: stored(tmp_path).status == "interrupted")
            code, out, _ = npulse(tmp_path, "running")
            assert (code, out) == (0, "")
            second.keys("ctrl+q")
            assert second.wait_gone() == 0


@pytest.mark.parametrize("how", ["busy", "one at a time"])
def test_a_prompt_waits_behind_another_npulse_and_shows_its_answer(
    tmp_path: Path, how: str
) -> None:
    """A server that says that it is busy, and one whose answer a second prompt would end."""
    log = tmp_path / "truth.jsonl"
    dialect = "rkllm-chat" if how == "one at a time" else "rockchipllama"
    with (
        simulator(*SLOW, "--dialect", dialect, "--truth", str(log)) as board,
        running(tmp_path, "--url", board.url) as first,
    ):
        begun(first, tmp_path, log, 500)
        with running(tmp_path, "--url", board.url) as second:
            second.wait_for(READY)
            ask(second, "mine [[tokens=12]]")
            second.wait_for(has_words(f"running in another npulse (pid {first.process.pid})"))
            second.wait_for(has_words('your prompt "mine [[tokens=12]]" is sent when it is over'))
            second.wait_for(keeps_up(tmp_path))
            second.keys("escape")
            second.wait_for("not sent")
            second.wait_for(lacks_words(ELSEWHERE))
            assert stored(tmp_path).status == "running"
            second.keys("enter")
            second.wait_for(has_words(ELSEWHERE))
            wait_until(lambda: is_complete(tmp_path, 2))
            second.wait_for(shows(r"~1[12] tokens"))
            assert ELSEWHERE not in chat_text(second)
            second.keys("ctrl+q")
            assert second.wait_gone() == 0
        first.keys("ctrl+q")
        assert first.wait_gone() == 0
    assert len(truth(log, "token")) == 512


def test_a_second_dashboard_says_that_another_one_is_answered(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with (
        simulator(*SLOW, "--truth", str(log)) as board,
        running(tmp_path, "--url", board.url) as first,
    ):
        begun(first, tmp_path, log, 3000)
        with running(tmp_path, "--url", board.url) as second:
            second.wait_for("receives an answer now")
            second.keys("ctrl+q")
            assert second.wait_gone() == 0
        assert stored(tmp_path).status == "running"


def test_attach_where_nothing_runs_is_one_sentence(tmp_path: Path) -> None:
    assert npulse(tmp_path, "attach") == (
        1,
        "",
        "npulse attach: no answer is running; npulse attach ID opens a kept conversation, npulse "
        "history list shows them\n",
    )
    for word, said in (("7", "no conversation 7"), ("x", "'x' is not the id")):
        code, out, err = npulse(tmp_path, "attach", word)
        assert (code, out) == (2, "")
        assert said in err
