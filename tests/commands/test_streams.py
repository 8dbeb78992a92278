"""Every command beside a stdout that takes nothing, words of any kind, and any order of words."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.app.npulse import REPOSITORY, environment
from tests.servers.plain_server import plain_server
from tests.servers.raw_server import free_port
from tui.commands import (
    ask_arguments,
    bench_arguments,
    board,
    doctor,
    models,
    setup_npu_access,
    sim,
)
from tui.commands.exit_code import ExitCode
from tui.commands.parser import Parser
from tui.sim.server.spawn import spawn

pytestmark = pytest.mark.slow

PRINTING = (
    ("--help",),
    ("--version",),
    ("board", "--json"),
    ("bench", "list", "--json"),
    ("bench", "schema"),
    ("bench", "history"),
    ("sim", "--help"),
    ("setup-npu-access",),
)


def npulse(
    home: Path,
    *arguments: str,
    stdout: int | None = None,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
) -> tuple[int, str, str]:
    variables = {k: v for k, v in environment(home).items() if v is not None}
    done = subprocess.run(
        [sys.executable, "-m", "tui", *arguments],
        input=stdin, stdin=subprocess.DEVNULL if stdin is None else None,
        stdout=subprocess.PIPE if stdout is None else stdout, stderr=subprocess.PIPE,
        cwd=REPOSITORY, env={**variables, **(env or {})}, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, (done.stdout or b"").decode(), done.stderr.decode()


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_a_full_stdout_is_exit_4_and_a_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "share").mkdir()
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        code, _, err = npulse(tmp_path, *arguments, stdout=full.fileno())
    if arguments == ("bench", "history") and code == 0:
        pytest.skip("nothing to print without a run")
    assert (code, err.count("Traceback")) == (4, 0)
    assert "npulse: the output could not be written: No space left on device" in err


@pytest.mark.parametrize("arguments", [("--version",), ("board",), ("bench", "schema")])
def test_a_closed_stdout_is_exit_4_and_a_sentence(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    command = [sys.executable, "-m", "tui", *arguments]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command], stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL, cwd=REPOSITORY, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 4
    assert done.stderr == b"npulse: the output could not be written: stdout is closed\n"


def test_a_reader_that_left_is_no_failure(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    code, _, err = npulse(tmp_path, "bench", "schema", stdout=writer)
    os.close(writer)
    assert (code, err) == (0, "")


@pytest.mark.parametrize("fd", [0, 2])
def test_stdin_or_stderr_may_be_closed(tmp_path: Path, fd: int) -> None:
    shell = f'exec "$@" {"<" if fd == 0 else f"{fd}>"}&-'
    done = subprocess.run(
        ["sh", "-c", shell, "sh", sys.executable, "-m", "tui", "ask", "hi", "--json", "--url",
         f"http://127.0.0.1:{free_port()}"],
        stdout=subprocess.PIPE, cwd=REPOSITORY, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 5
    assert json.loads(done.stdout)["status"] == "error"


EVIL = "\x1b]0;owned\x07\x9b31m\u202e"
PARSERS = {
    "ask": ask_arguments.parser, "models": models.parser, "board": board.parser,
    "doctor": doctor.parser,
    "bench": bench_arguments.parser, "sim": sim.parser, "setup": setup_npu_access.parser,
}  # fmt: skip


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("form", ["--{}", "--nope={}", "{}"])
def test_a_wrong_word_is_one_clean_sentence(
    name: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = PARSERS[name]()
    assert isinstance(made, Parser)
    words = ["x", "y", "z"] if name == "ask" else []
    with pytest.raises(SystemExit) as ended:
        made.parse_args([*words, form.format(EVIL)])
    assert ended.value.code == ExitCode.USAGE
    err = capsys.readouterr().err
    assert err.startswith(f"npulse {made.prog.split()[1]}")
    assert err.count("\n") == 1
    assert not set(err) & set("\x1b\x07\x9b\u202e")


def test_options_between_words() -> None:
    parsed = models.parser().parse_args(["load", "--url", "U", "m"])
    assert (parsed.action, parsed.name, parsed.url) == ("load", "m", "U")
    parsed = models.parser().parse_args(["--json", "load", "m", "--force"])
    assert (parsed.action, parsed.name, parsed.force, parsed.json) == ("load", "m", True, True)
    assert models.parser().parse_args([]).action == "list"
    parsed = bench_arguments.parser().parse_args(["compare", "a", "--force", "b"])
    assert (parsed.runs, parsed.force) == (["a", "b"], True)
    parsed = bench_arguments.parser().parse_args(["control", "pause", "--folder", "d", "r"])
    assert (parsed.word, parsed.run) == ("pause", "r")
    parsed = bench_arguments.parser().parse_args(["baseline", "--folder", "d", "n", "r"])
    assert (parsed.name, parsed.run) == ("n", "r")
    parsed = ask_arguments.parser().parse_args(["--url", "U", "--", "--not an option"])
    assert parsed.prompt == "--not an option"


@pytest.mark.parametrize(
    ("words", "fed", "sent"),
    [
        ([], b"from stdin", "from stdin"),
        (["-"], b"from stdin", "from stdin"),
        (["sum up"], b"line 1\nline 2\n", "sum up\n\nline 1\nline 2\n"),
        (["sum up"], b"", "sum up"),
        (["sum up"], b" \n", "sum up"),
        (["sum up"], None, "sum up"),
    ],
)
def test_words_and_stdin_are_one_prompt(
    tmp_path: Path, words: list[str], fed: bytes | None, sent: str
) -> None:
    with plain_server() as server:
        code, out, err = npulse(tmp_path, "ask", *words, "--url", server.url, stdin=fed)
    assert (code, out, err) == (0, "ok\n", "")
    (body,) = server.bodies
    assert body["messages"][-1]["content"] == sent


def test_no_prompt_at_a_terminal_is_a_usage_sentence(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "tui", "ask"], stdin=slave, capture_output=True, cwd=REPOSITORY,
        timeout=60, check=False,
    )  # fmt: skip
    os.close(slave)
    os.close(master)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"npulse ask: no prompt")


def test_models_in_any_order(tmp_path: Path) -> None:
    with spawn(("--speed", "100")) as simulator:
        code, out, _ = npulse(tmp_path, "models", "load", "--url", simulator.url, "gemma3-1b")
        assert (code, out.partition(" (")[0]) == (0, "gemma3-1b is loaded.")


def test_a_dumb_terminal_is_told_what_works_without_one(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    variables = {k: v for k, v in environment(tmp_path).items() if v is not None}
    done = subprocess.run(
        [sys.executable, "-m", "tui"], stdin=slave, stdout=slave, stderr=subprocess.PIPE,
        cwd=REPOSITORY, env=variables | {"TERM": "dumb"}, timeout=60, check=False,
    )  # fmt: skip
    os.close(slave)
    os.close(master)
    assert done.returncode == 2
    assert b"TERM=dumb" in done.stderr
    assert b"npulse ask, models, history, running, bench, board and doctor" in done.stderr
    code, _, err = npulse(tmp_path)
    assert (code, err.startswith("npulse: the dashboard needs a terminal")) == (2, True)
