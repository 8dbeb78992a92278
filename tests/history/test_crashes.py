"""The real program, ended at any moment in any way: what was shown a second before is there.

The simulated board writes down every token that it sent and when; that log is what the database is
held against.
"""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.app.npulse import running
from tests.app.test_dashboard import READY
from tests.app.test_dashboard import ask as type_prompt
from tests.commands.test_ask_history import database
from tests.sim.simulator import running as simulator
from tests.sim.simulator import truth_so_far, wait_for_event
from tests.terminal.pty_terminal import PtyTerminal
from tests.waiting import wait_until
from tui.history import listing, reading, writers
from tui.history.database import damage, open_for_writing
from tui.sim.server.spawn import Simulator

pytestmark = pytest.mark.slow

FAST = ("--decode-tps", "150", "--prefill-tps", "3000")
SECOND_NS = 1_000_000_000
MOST_S = 1.9
"""After so long at most, from the moment when the request has arrived, it is ended."""
GOES_ON_S = 0.6
"""So long it may go on without its terminal. Less than the second that may be missing: the killing
is then the moment that counts, whether it had gone on or was about to end."""
HANG_UP = "closed terminal"
WAYS: tuple[signal.Signals | str, ...] = (
    signal.SIGKILL,
    signal.SIGTERM,
    signal.SIGHUP,
    HANG_UP,
)


@contextmanager
def started(
    home: Path, make: str, board: Simulator, prompt: str, *, shows_last: bool
) -> Iterator[PtyTerminal]:
    """``npulse ask``, or the dashboard that was asked, in a terminal.

    With ``shows_last`` the dashboard opens on the answer that went on without its terminal.
    """
    words = ("ask", prompt) if make == "ask" else ()
    # What one dashboard left is found in the database; the next one begins anew.
    env = {"NPULSE_SESSION__RESUME": "false"}
    with running(home, *words, "--url", board.url, env=env) as terminal:
        if make == "dashboard":
            if shows_last:
                terminal.wait_for("npulse ended while this answer ran")
                terminal.keys("ctrl+n")
            terminal.wait_for(READY)
            type_prompt(terminal, prompt)
        yield terminal


def end(terminal: PtyTerminal, how: signal.Signals | str) -> int:
    """Ends it that way; when that was done."""
    t_ns = time.perf_counter_ns()
    if isinstance(how, signal.Signals):
        terminal.process.send_signal(how)
    else:
        terminal.hang_up()
    try:
        terminal.process.wait(GOES_ON_S if how in (signal.SIGHUP, HANG_UP) else 5)
    except subprocess.TimeoutExpired:
        # It may go on without its terminal: then it is killed, and has to have kept what it had.
        t_ns = time.perf_counter_ns()
        terminal.process.kill()
        terminal.process.wait()
    return t_ns


def sent_tokens(log: Path) -> list[dict[str, Any]]:
    return [event for event in truth_so_far(log) if event["event"] == "token"]


def is_written_to(log: Path, ended_ns: int) -> bool:
    """Whether the board has written down what it did up to that moment: a token or the end that
    came later stands there."""
    return any(
        event["event"] in ("token", "finish") and event["t_ns"] > ended_ns
        for event in truth_so_far(log)
    )


def check(home: Path, log: Path, prompt: str, ended_ns: int) -> None:
    """What the database has of that prompt, held against what was sent."""
    with closing(open_for_writing(database(home))) as connection:
        assert damage(connection, is_thorough=True) == []
        writers.recover_all(connection)
        hits = connection.execute(
            "SELECT t.id FROM turns AS t JOIN bodies ON turn = t.id WHERE text = ?", (prompt,)
        ).fetchall()
        assert len(hits) == 1, "the prompt was sent, and is not stored once"
        (asked,) = hits[0]
        answers = connection.execute("SELECT id FROM turns WHERE parent = ?", (asked,)).fetchall()
        assert len(answers) == 1
        (number,) = answers[0]
        answer = reading.turn(connection, number)
        times_ns = reading.times_ns(connection, number)
        assert connection.execute("SELECT count(*) FROM pieces").fetchone() == (0,)
    assert answer is not None
    tokens = sent_tokens(log)
    sent = "".join(token["text"] for token in tokens)
    due = "".join(token["text"] for token in tokens if token["t_ns"] <= ended_ns - SECOND_NS)
    text = answer.text.lstrip()
    assert sent.lstrip().startswith(text.rstrip()), "not what was sent, in order, once"
    assert len(text) >= len(due.strip()), "more than a second is missing"
    assert len(times_ns) <= len(tokens)
    assert times_ns == sorted(times_ns)
    if answer.status == "interrupted":
        assert answer.error is not None
        assert f"after {len(times_ns)} token" in answer.error.sentence


def kill_at_random(
    home: Path, make: str, how: signal.Signals | str, seed: str, *, shows_last: bool = False
) -> None:
    delay_s = random.Random(seed).uniform(0.0, MOST_S)
    prompt = f"{seed} [[tokens=1500]]"
    log = home / f"{seed.replace(' ', '-')}.jsonl"
    with (
        simulator(*FAST, "--truth", str(log)) as board,
        started(home, make, board, prompt, shows_last=shows_last) as terminal,
    ):
        wait_for_event(log, "request")
        time.sleep(delay_s)
        ended_ns = end(terminal, how)
        wait_until(lambda: is_written_to(log, ended_ns))
        check(home, log, prompt, ended_ns)


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("how", WAYS, ids=str)
@pytest.mark.parametrize("make", ["ask", "dashboard"])
def test_a_hundred_ends(tmp_path: Path, make: str, how: signal.Signals | str, number: int) -> None:
    """Several on one database each: what one left is found by the next."""
    for at in range(3 if make == "ask" else 2):
        shows_last = at > 0 and how in (signal.SIGHUP, HANG_UP)
        kill_at_random(tmp_path, make, how, f"{make} {how} {number} {at}", shows_last=shows_last)
    with closing(open_for_writing(database(tmp_path))) as connection:
        assert listing.count(connection) == (3 if make == "ask" else 2)
