"""Where the user was comes back at the next start: a real process in a real terminal."""

from __future__ import annotations

import json
import os
import signal
import stat
from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.app.test_dashboard import READY, ask, shows
from tests.app.test_kept import is_over
from tests.commands.test_ask_history import database
from tests.servers.plain_server import plain_server
from tests.sim.simulator import running as simulator
from tests.sim.simulator import truth, wait_for_event
from tests.terminal.pty_terminal import PtyTerminal
from tests.waiting import wait_until
from tui.app.last_session import when

pytestmark = pytest.mark.slow

FAST = ("--decode-tps", "400", "--prefill-tps", "4000")
RESUMED = r"conversation of \d+ \w+, \d\d:\d\d · Ctrl\+N for a new one"


def record_file(home: Path) -> Path:
    return home / "state" / "npulse" / "session.json"


def draft_of(home: Path) -> str:
    try:
        return str(json.loads(record_file(home).read_text()).get("draft", ""))
    except (OSError, ValueError):
        return ""


def quit_npulse(terminal: PtyTerminal) -> None:
    terminal.keys("ctrl+q")
    assert terminal.wait_gone() == 0


def rows_in_view(terminal: PtyTerminal) -> list[str]:
    """The first rows of the transcript in 80 columns, without its scrollbar."""
    return [row[:78].strip() for row in terminal.text().splitlines()[1:8]]


def test_the_conversation_the_draft_and_the_prompts_come_back(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with simulator(*FAST, "--truth", str(log)) as board:
        with running(tmp_path, "--url", board.url) as terminal:
            terminal.wait_for(READY)
            ask(terminal, "the first question [[tokens=30]]")
            terminal.wait_for("~30 tokens")
            ask(terminal, "the second question [[tokens=20]]")
            terminal.wait_for("~20 tokens")
            terminal.type("half of a third")
            terminal.wait_for("> half of a third")
            quit_npulse(terminal)
        assert stat.S_IMODE(record_file(tmp_path).stat().st_mode) == 0o600
        with running(tmp_path, "--url", board.url) as terminal:
            terminal.wait_for(shows(RESUMED))
            terminal.wait_for("the first question")
            terminal.wait_for("> half of a third")
            terminal.keys("up")
            terminal.wait_for("> the second question")
            terminal.keys("up")
            terminal.wait_for("> the first question")
            terminal.keys("down", "down")
            terminal.wait_for("> half of a third")
            terminal.wait_for("qwen3")
            terminal.type(" [[tokens=10]]")
            terminal.keys("enter")
            terminal.wait_for("~10 tokens")
            wait_for_event(log, "request", 3)
            sizes = [event["prompt_tokens"] for event in truth(log, "request")]
            assert sizes[2] > sizes[1] + 20
            wait_until(lambda: is_over(tmp_path, 6))
            quit_npulse(terminal)


def test_a_new_conversation_stays_new(tmp_path: Path) -> None:
    with simulator(*FAST) as board:
        with running(tmp_path, "--url", board.url) as terminal:
            terminal.wait_for(READY)
            ask(terminal, "the first question [[tokens=30]]")
            terminal.wait_for("~30 tokens")
            terminal.keys("ctrl+n")
            terminal.wait_for("a new conversation")
            quit_npulse(terminal)
        with running(tmp_path, "--url", board.url) as terminal:
            terminal.wait_for(READY)
            terminal.keys("up")
            terminal.wait_for("> the first question")
            assert "conversation of" not in terminal.text()


def test_a_killed_one_loses_little_of_a_draft(tmp_path: Path) -> None:
    with simulator(*FAST) as board:
        with running(tmp_path, "--url", board.url) as terminal:
            terminal.wait_for(READY)
            terminal.type("a draft that stays")
            wait_until(lambda: draft_of(tmp_path) == "a draft that stays")
            terminal.process.send_signal(signal.SIGKILL)
            terminal.process.wait()
        with running(tmp_path, "--url", board.url) as terminal:
            terminal.wait_for("> a draft that stays")


def test_what_is_typed_at_once_is_not_overwritten(tmp_path: Path) -> None:
    record_file(tmp_path).parent.mkdir(parents=True)
    record_file(tmp_path).write_text('{"version": 1, "draft": "the old draft"}')
    with simulator(*FAST) as board, running(tmp_path, "--url", board.url) as terminal:
        terminal.type("typed ahead")
        terminal.wait_for("Up brings the draft of the last run")
        terminal.wait_for("> typed ahead")
        terminal.keys("up")
        terminal.wait_for("> the old draft")
        terminal.keys("down")
        terminal.wait_for("> typed ahead")


@pytest.mark.parametrize("how", ["flag", "config", "resume"])
def test_nothing_is_written_where_nothing_shall_be_kept(tmp_path: Path, how: str) -> None:
    flags = ["--no-store"] if how == "flag" else []
    name = {"config": "NPULSE_HISTORY__ENABLED", "resume": "NPULSE_SESSION__RESUME"}.get(how)
    env = {} if name is None else {name: "false"}
    with (
        simulator(*FAST) as board,
        running(tmp_path, "--url", board.url, *flags, env=env) as terminal,
    ):
        terminal.wait_for(READY)
        ask(terminal, "a secret [[tokens=10]]")
        terminal.wait_for("~10 tokens")
        terminal.type("a draft")
        quit_npulse(terminal)
    written = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert "session.json" not in [path.name for path in written]
    assert (tmp_path / "data" / "npulse" / "history").exists() == (how == "resume")


def test_a_second_one_begins_anew_and_leaves_the_first_alone(tmp_path: Path) -> None:
    with simulator(*FAST) as board, running(tmp_path, "--url", board.url) as first:
        first.wait_for(READY)
        first.type("the draft of the first")
        wait_until(lambda: draft_of(tmp_path) == "the draft of the first")
        with running(tmp_path, "--url", board.url) as second:
            second.wait_for("another npulse is open")
            second.type("of the second")
            quit_npulse(second)
        assert draft_of(tmp_path) == "the draft of the first"


FOREIGN = {
    "damaged": b'{"version": 1, "draft": ',
    "newer": b'{"version": 99, "draft": "of a newer one"}',
    "of another program": b"\x00\xff binary",
    "of other types": b'{"version": 1, "conversation": "x", "draft": ["y"]}',
    "of huge numbers": b'{"version": 1, "conversation": 99999999999999999999999}',
}


@pytest.mark.parametrize("kind", [*FOREIGN, "a pipe", "a folder"])
def test_whatever_stands_there_npulse_starts_and_nothing_is_lost(tmp_path: Path, kind: str) -> None:
    path = record_file(tmp_path)
    path.parent.mkdir(parents=True)
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
    else:
        path.write_bytes(FOREIGN[kind])
    with simulator(*FAST) as board, running(tmp_path, "--url", board.url) as terminal:
        terminal.wait_for("a new conversation begins")
        terminal.wait_for(READY)
        terminal.type("a draft")
        terminal.wait_for("> a draft")
        quit_npulse(terminal)
    if kind in FOREIGN:
        assert draft_of(tmp_path) == "a draft"
        assert path.with_name("session.json.old").read_bytes() == FOREIGN[kind]
    else:
        assert path.is_dir() or path.is_fifo()


def test_the_place_in_the_transcript_comes_back(tmp_path: Path) -> None:
    with simulator(*FAST) as board:
        with running(tmp_path, "--url", board.url, size=(80, 24)) as terminal:
            terminal.wait_for(READY)
            for number in range(3):
                ask(terminal, f"question {number} [[tokens=90]]")
                terminal.wait_for(shows(rf"question {number}[^~]*~90 tokens"))
            terminal.keys("ctrl+home", "alt+down")
            terminal.wait_for(lambda one: "question 1" in one.text().splitlines()[2])
            terminal.keys("tab", "down", "down", "down")
            terminal.wait_for(lambda one: "question 1" not in one.text())
            terminal.wait_quiet()
            top = rows_in_view(terminal)
            quit_npulse(terminal)
        with running(tmp_path, "--url", board.url, size=(80, 24)) as terminal:
            terminal.wait_for(lambda one: rows_in_view(one) == top)


def test_a_conversation_that_was_deleted_is_not_shown(tmp_path: Path) -> None:
    with simulator(*FAST) as board:
        with running(tmp_path, "--url", board.url) as terminal:
            terminal.wait_for(READY)
            ask(terminal, "the first question [[tokens=30]]")
            terminal.wait_for("~30 tokens")
            terminal.keys("f4")
            terminal.wait_for("1 conversation")
            terminal.keys("d")
            terminal.wait_for("brings it back")
            terminal.keys("escape")
            quit_npulse(terminal)
        with running(tmp_path, "--url", board.url) as terminal:
            terminal.wait_for(READY)


def test_a_conversation_that_cannot_be_read_now_is_not_forgotten(tmp_path: Path) -> None:
    record_file(tmp_path).parent.mkdir(parents=True)
    record_file(tmp_path).write_text('{"version": 1, "conversation": 7, "leaf": 9}')
    database(tmp_path).parent.mkdir(parents=True)
    database(tmp_path).write_text("not a database")
    with simulator(*FAST) as board, running(tmp_path, "--url", board.url) as terminal:
        terminal.wait_for(READY)
        terminal.type("a draft")
        wait_until(lambda: draft_of(tmp_path) == "a draft")
        quit_npulse(terminal)
    kept = json.loads(record_file(tmp_path).read_text())
    assert (kept["conversation"], kept["leaf"]) == (7, 9)


def test_the_server_whose_address_was_typed_comes_back(tmp_path: Path) -> None:
    ports = {"NPULSE_SERVER__PORTS": "1"}
    with plain_server() as server:
        with running(tmp_path, env=ports) as terminal:
            terminal.wait_for("http://HOST:PORT, Enter connects")
            terminal.keys("alt+u")
            terminal.wait_for("Enter connect ")
            terminal.type(server.url)
            terminal.keys("enter")
            terminal.wait_for("m is ready on")
            state = tmp_path / "state" / "npulse" / "state.json"
            wait_until(lambda: state.exists() and server.url in state.read_text())
            quit_npulse(terminal)
        with running(tmp_path, env=ports) as terminal:
            terminal.wait_for("m is ready on")
            quit_npulse(terminal)
        with running(tmp_path, "--url", "http://127.0.0.1:1", env=ports) as terminal:
            # What is said at the start wins.
            terminal.wait_for("No server listens on http://127.0.0.1:1")
            quit_npulse(terminal)
    with running(tmp_path, env=ports) as terminal:
        terminal.wait_for("used last, does not answer")
        terminal.wait_for("No rkllm server answers yet")


def test_a_moment_is_told_in_words() -> None:
    assert when(10**20) == "–"
    assert when(1_700_000_000_000).endswith(" 2023, " + when(1_700_000_000_000)[-5:])
