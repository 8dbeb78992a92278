"""The runtime's own numbers, from the log of a server in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.app.npulse import REPOSITORY, environment
from tests.board.runtime_log.test_load_lines import LOAD, SAID
from tests.commands import logging_server
from tests.commands.asking import ask, said
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


@contextmanager
def server(folder: Path, *arguments: str) -> Iterator[str]:
    """Its address; its output goes into a file, as with ``>> log``."""
    port = folder / "port"
    command = [sys.executable, logging_server.__file__, str(port), *arguments]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_until(lambda: port.exists() and bool(port.read_text()))
        yield f"http://127.0.0.1:{port.read_text()}"
    finally:
        process.kill()
        process.wait()


def test_the_log_of_the_server_tells_what_its_stream_does_not(tmp_path: Path) -> None:
    with server(tmp_path) as url:
        code, out, err = ask(tmp_path, "--url", url, "--json", "--stats", "hello")
    answer = said(out)
    runtime = answer["runtime"]
    assert code == 0
    assert (runtime["prefill_tokens"], runtime["decode_tokens"]) == (19, logging_server.TOKENS)
    assert runtime["prefill_ms"] == 190.5
    assert runtime["peak_bytes"] == round(4413.43994140625 * 2**20)
    assert runtime["source"] == "runtime-log"
    assert (answer["tokens_out"], answer["tokens_source"]) == (logging_server.TOKENS, "runtime")
    assert (answer["decode_tps"], answer["decode_source"]) == (runtime["decode_tps"], "runtime")
    assert "runtime: prefill 19 tok in 0.19 s (99.7 tok/s), decode " in err
    assert "~" not in err.splitlines()[0].partition("TTFT")[0]


@pytest.mark.parametrize("arguments", [("--json",), ("--stats",)])
def test_numbers_of_another_answer_are_refused(tmp_path: Path, arguments: tuple[str]) -> None:
    with server(tmp_path, "lies") as url:
        code, out, err = ask(tmp_path, "--url", url, *arguments, "hello")
    assert code == 0
    if arguments == ("--json",):
        assert said(out)["runtime"] is None
        assert said(out)["tokens_source"] == "estimated"
    else:
        assert "runtime:" not in err


def test_doctor_tells_what_the_model_was_loaded_with(tmp_path: Path) -> None:
    with server(tmp_path) as url:
        with (tmp_path / "server.log").open("ab") as log:
            log.write(("\n".join(LOAD) + "\n").encode())
        command = [sys.executable, "-m", "tui", "doctor", "--url", url, "--json"]
        variables = {k: v for k, v in environment(tmp_path).items() if v is not None}
        done = subprocess.run(
            command, capture_output=True, text=True, env=variables, cwd=REPOSITORY, timeout=60
        )
    checks = {check["id"]: check["detail"] for check in json.loads(done.stdout)["checks"]}
    assert checks["runtime.load"].lower().startswith(SAID.lower())
    assert str(tmp_path / "server.log") in checks["runtime.load"]
