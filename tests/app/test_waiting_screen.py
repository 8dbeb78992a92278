"""A busy server as a person meets it: a real terminal, and another client that is answered."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import pytest

from tests.app.npulse import running
from tests.app.test_dashboard import READY, ask, shows
from tests.sim.simulator import running as simulator
from tests.sim.simulator import wait_for_event

pytestmark = pytest.mark.slow


def answered_elsewhere(url: str, n_tokens: int) -> threading.Thread:
    """Another client that reads an answer of so many tokens."""
    message = {"role": "user", "content": f"theirs [[tokens={n_tokens}]]"}

    def read() -> None:
        body = {"messages": [message], "stream": True}
        httpx.post(f"{url}/rkllm_chat", json=body, timeout=60).raise_for_status()

    thread = threading.Thread(target=read)
    thread.start()
    return thread


def test_a_prompt_waits_is_taken_back_and_is_sent_when_the_other_one_is_done(
    tmp_path: Path,
) -> None:
    log = tmp_path / "truth.jsonl"
    options = ("--dialect", "rkllm-chat", "--decode-tps", "20", "--truth", str(log))
    with simulator(*options) as board, running(tmp_path, "--url", board.url) as terminal:
        terminal.wait_for(READY)
        theirs = answered_elsewhere(board.url, 80)
        wait_for_event(log, "token", 1, 3)
        ask(terminal, "hello [[tokens=12]]")
        terminal.wait_for("server busy: ")
        terminal.wait_for("the send key sends it now")
        terminal.keys("escape")
        terminal.wait_for("not sent")
        terminal.wait_for(shows(r" > hello"))
        terminal.keys("enter")
        terminal.wait_for("server busy: ")
        theirs.join(60)
        terminal.wait_for(shows(r"~\d+ tokens"))
        terminal.keys("ctrl+q")
        assert terminal.wait_gone() == 0
