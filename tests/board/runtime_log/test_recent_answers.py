"""The last answers in the log of whatever listens on a port."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from tests.board.runtime_log.test_blocks import HEAD, RULE
from tests.board.runtime_log.test_source import ROWS
from tests.waiting import wait_until
from tui.board.readers.files import Files
from tui.board.runtime_log.recent_answers import RecentAnswers

SERVER = """
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], file=sys.stderr, flush=True)
sys.stdin.read()
"""


def test_answers_are_read_from_the_output_of_the_process(tmp_path: Path) -> None:
    log = tmp_path / "nohup.out"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert server.stderr is not None
        port = int(server.stderr.readline())
        output.write(f"{RULE}\n{HEAD}\n{RULE}\n{ROWS}{RULE}\n" * 3)
    try:
        answers = RecentAnswers(Files(), port)
        wait_until(lambda: len(answers.look(2)) == 2)
        found = answers.look(2)[0]
        assert (found.prefill_tokens, found.decode_tokens) == (19, 63)
    finally:
        server.communicate(timeout=60)


def test_a_port_that_nobody_listens_on_has_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert RecentAnswers(Files(), port).look(3) == []
