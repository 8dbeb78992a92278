"""How the process starts and ends, whatever happens to the one that started it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.sim.simulator import ask, raw_request, running
from tests.waiting import wait_until
from tui.commands.sim import main
from tui.sim.server.spawn import SpawnError, spawn

pytestmark = pytest.mark.slow


SIM = [sys.executable, "-m", "tui", "sim"]
REPOSITORY = Path(__file__).parents[2]

STARTER = """
import sys, time
from tui.commands.sim import main
from tui.sim.server.spawn import spawn
simulator = spawn(["--speed", "5"], has_root=True)
print(simulator.pid, simulator.root, simulator.url, flush=True)
time.sleep(600)
"""


def _run(*arguments: str, seconds: float = 20) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SIM, *arguments], capture_output=True, text=True, timeout=seconds, cwd=REPOSITORY,
        check=False,
    )  # fmt: skip


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_first_line_says_where_it_listens() -> None:
    process = subprocess.Popen([*SIM, "--port", "0"], stdout=subprocess.PIPE, cwd=REPOSITORY)
    assert process.stdout is not None
    line = process.stdout.readline().decode()
    assert line.startswith("listening on http://127.0.0.1:")
    assert httpx.get(line.split()[-1] + "/v1/health", timeout=60).status_code == 200
    process.terminate()
    assert process.stdout.read() == b""
    process.stdout.close()
    assert process.wait(60) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_cleanly_also_in_mid_answer(number: signal.Signals) -> None:
    with running("--speed", "5", has_root=True) as simulator:
        host, _, port = simulator.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            body = b'{"messages":[{"role":"user","content":"hi"}],"stream":true}'
            connection.sendall(
                raw_request("POST", "/v1/chat/completions", body, "application/json")
            )
            while b"content" not in connection.recv(65536).partition(b"data:")[2]:
                pass
            os.kill(simulator.pid, number)
            assert simulator.stop(10) == 0
        assert simulator.root is not None
        assert not simulator.root.exists()


def test_it_dies_with_a_parent_that_is_killed_and_takes_its_tree_along() -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    assert starter.stdout is not None
    pid, root, url = starter.stdout.readline().split()
    assert httpx.get(url + "/v1/health", timeout=60).status_code == 200
    assert Path(root, "npulse-simulated").exists()
    starter.kill()
    starter.wait()
    starter.stdout.close()
    wait_until(lambda: not _is_alive(int(pid)))
    assert not Path(root).exists()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, timeout=60)


def test_it_does_not_start_for_a_parent_that_is_gone() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert _run("--parent", str(gone.pid)).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--fault", "cutt=3"], "did you mean cut?"),
        (["--fault", "splitutf8"], "did you mean split-utf8?"),
        (["--fault", "xyzzy"], "there are cut"),
        (["--fault", "cut"], "needs a number of tokens"),
        (["--fault", "stall=-1"], "from 0 up"),
        (["--fault", "busy=3"], "takes no value"),
        (["--fault", "slow-first=nan"], "number of seconds"),
        (["--profile", "qwen3-4"], "did you mean qwen3-4b?"),
        (["--speed", "0"], "above 0"),
        (["--speed", "inf"], "above 0"),
        (["--decode-tps", "fast"], "above 0"),
        (["--tokens", "0"], "from 1 to"),
        (["--port", "70000"], "from 0 to 65535"),
        (["--nonsense"], "unrecognized arguments"),
        (["--root", "/"], "empty or new directory"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert says in said.err
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("npulse sim: ")


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = _run("--port", str(taken.getsockname()[1]))
    assert result.returncode == 1
    assert "in use" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_truth_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    result = _run("--truth", str(tmp_path / "no" / "such" / "file"))
    assert result.returncode == 1
    assert "No such file" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_directory_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    result = _run("--root", str(tmp_path), "--remove-root-at-exit")
    assert result.returncode == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine"]


def test_a_given_root_stays_and_can_be_used_again(tmp_path: Path) -> None:
    root = tmp_path / "board"
    for profile in ("qwen3-4b", "gemma3-1b"):
        with running("--root", str(root), "--profile", profile):
            assert (root / "npulse-simulated").read_text() == f"{profile}\n"
        assert (root / "proc/meminfo").exists()


def test_help_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    for word in ("--truth", "slow-first=S", "[[hostile]]", "qwen3-0.6b", "listening on"):
        assert word in said
    assert "--parent" not in said


def test_truth_is_appended(tmp_path: Path) -> None:
    log = tmp_path / "truth"
    log.write_text('{"earlier": true}\n')
    with running("--speed", "200", "--truth", str(log)) as simulator:
        ask(simulator.url, "[[tokens=2]]")
    assert log.read_text().startswith('{"earlier": true}\n{"t_ns":')


def test_it_listens_on_loopback_only() -> None:
    with running() as simulator:
        port = int(simulator.url.rpartition(":")[2])
        with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port), timeout=2):
            pass


def test_spawn_says_why_it_failed(tmp_path: Path) -> None:
    with pytest.raises(SpawnError, match="did you mean qwen3-4b"):
        spawn(["--profile", "qwen3-4"], has_root=True)


def test_stop_may_be_called_again() -> None:
    simulator = spawn(["--speed", "10"], has_root=True)
    assert simulator.is_running
    assert simulator.stop() == simulator.stop() == 0
    assert simulator.root is not None
    assert not simulator.root.exists()
