"""A benchmark of another machine's board over a real sshd: its server, its heat and clocks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.app.npulse import REPOSITORY, environment
from tests.remote.sshd import needs_sshd, ssh_in_path, sshd
from tests.sim.simulator import running as simulator
from tests.waiting import wait_until
from tui.app.remote_reader import RemoteReader
from tui.bench.session.process import BenchPlace, place_arguments
from tui.cli import main
from tui.remote.ssh import Ssh, SshError
from tui.settings.board_login import log_in
from tui.sim.server.spawn import Simulator

FAST = ("--no-warm-up", "--cool-down", "0", "--ui", "none", "--force")
SUITE = """
id = "mine"
[[prompt]]
id = "a"
text = "One [[tokens=40]]"
max_tokens = 80
"""
SET = """
max_tokens = 60
[[prompt]]
id = "words"
text = "Say something. [[tokens=5]]"
"""


class Home:
    """A laptop whose config knows the board ``kitchen``."""

    def __init__(self, folder: Path, path: str) -> None:
        self.folder = folder
        self._env = {**os.environ, **{k: v or "" for k, v in environment(folder).items()}}
        self._env["PATH"] = self.path = path

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts npulse, which cannot ask anybody for anything."""
        return subprocess.Popen(
            [sys.executable, "-m", "tui", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._env,
            cwd=REPOSITORY,
        )

    def npulse(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        process = self.begin(*arguments)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@contextmanager
def kitchen(folder: Path, *faults: str) -> Iterator[tuple[Home, Simulator]]:
    home = folder / "home"
    (home / "config" / "npulse").mkdir(parents=True)
    arguments = ("--decode-tps", "30", "--prefill-tps", "400", *faults)
    with simulator(*arguments, has_root=True) as sim, sshd(folder / "sshd") as there:
        (home / "config" / "npulse" / "config.toml").write_text(
            f'[boards]\nkitchen = {{ ssh = "{there.address.shown}", server = "{sim.url}", '
            f'root = "{sim.root}" }}\n'
        )
        (home / "mine.toml").write_text(SUITE)
        (home / "set.toml").write_text(SET)
        yield Home(home, ssh_in_path(folder / "bin", there)), sim


def last_run(home: Home) -> dict[str, Any]:
    (path,) = home.folder.glob("data/npulse/bench/*/run.json")
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


@needs_sshd
@pytest.mark.slow
def test_a_run_holds_the_samples_of_the_board_that_answered(tmp_path: Path) -> None:
    with kitchen(tmp_path, "--fault", "throttle=5-40") as (home, sim):
        done = home.npulse(
            "--board", "kitchen", "bench", "run", str(home.folder / "mine.toml"), *FAST
        )
        assert done.returncode == 0, done.stderr
        run = last_run(home)
        plan = home.npulse(
            "lab", "run", str(home.folder / "set.toml"), "--board=kitchen", "--plan", *FAST
        )
        assert plan.returncode == 0, plan.stderr
    env = run["env"]
    assert env["board"].startswith("RK3588")
    assert env["server"]["url"] == f"http://kitchen:{sim.url.rpartition(':')[2]}"
    assert env["client"]["where"] == "remote"
    assert env.get("os") is None
    assert any(
        note.startswith("the board kitchen is read over ssh, ") for note in run["run"]["notes"]
    )
    (request,) = run["requests"]
    assert request["status"] == "ok"
    hardware = request["hw"]
    assert hardware["samples"] >= 3
    assert hardware["t_max"] > 20
    assert "throttled" in request["taint"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("bench", "run", "smoke", "--board", "kitchen"), 2, "the name of a board in [boards]"),
        (("bench", "run", "smoke", "--board", "ssh://x", "--no-board"), 2, "not allowed with"),
        (("bench", "run", "smoke", "--ssh-socket", "/x"), 2, "--ssh-socket goes with --board"),
        (("bench", "run", "smoke", "--board", "ssh://x", "--pin"), 2, "holds the governors"),
        (("--board=ssh://127.0.0.1:9", "bench", "run", "smoke"), 5, "was not reached"),
        (("lab", "run", "x", "--board", "ssh://127.0.0.1:9"), 5, "was not reached"),
        (("--board", "ssh://x", "doctor"), 2, "npulse doctor knows this machine only"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    arguments: tuple[str, ...],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if code == 5 and shutil.which("ssh") is None:
        pytest.skip("no ssh here")
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value or "")
    assert main(arguments) == code
    assert said in capsys.readouterr().err


@pytest.mark.slow
@needs_sshd
def test_a_run_of_the_dashboard_logs_in_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value or "")
    with sshd(tmp_path / "sshd") as there:
        monkeypatch.setenv("PATH", ssh_in_path(tmp_path / "bin", there))
        with closing(log_in(there.address.shown, "http://127.0.0.1:8021", may_ask=True)) as login:
            reader = RemoteReader(login, 1.0)
            (url,) = login.urls
            assert reader.own_login(url) == (there.address.shown, "http://127.0.0.1:8021")
            assert reader.own_login("http://10.0.0.9:1") is None
            shown = reader.url_there(url)
            assert shown == "http://127.0.0.1:8021"  # by its name, which here is that
            place = BenchPlace(url, "x", is_elsewhere=True, own_login=reader.own_login(url))
            assert place_arguments(place) == [
                f"--board={there.address.shown}",
                "--url=http://127.0.0.1:8021",
            ]
    assert place_arguments(BenchPlace("http://h", "x", is_elsewhere=True)) == [
        "--url=http://h",
        "--no-board",
    ]


@needs_sshd
@pytest.mark.slow
def test_a_run_goes_through_a_login_that_had_to_ask_and_outlives_who_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key with a passphrase asks as a password does. The dashboard answers, begins the run and
    is closed: the run reads the board to its end, and then ends the connection."""
    asker = tmp_path / "askpass"
    asker.write_text("#!/bin/sh\necho secret\n")
    asker.chmod(0o755)
    with kitchen(tmp_path) as (home, sim):
        key = str(tmp_path / "sshd" / "user")
        subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", key], check=True)
        for name, value in environment(home.folder).items():
            monkeypatch.setenv(name, value or "")
        monkeypatch.setenv("PATH", home.path)
        monkeypatch.setenv("SSH_ASKPASS", str(asker))
        monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
        with closing(log_in("kitchen", None, may_ask=True)) as login:
            own = login.own_login(login.urls[0])
            assert own is not None
            assert own[:2] == ("kitchen", sim.url)
            socket = Path(own[2])
            place = BenchPlace(login.urls[0], "x", is_elsewhere=True, own_login=own)
            suite = str(home.folder / "mine.toml")
            run = home.begin("bench", "run", suite, *place_arguments(place), *FAST)
            journal = "data/npulse/bench/*/journal.jsonl"
            wait_until(lambda: any(home.folder.glob(journal)))
        assert socket.exists()
        _, said = run.communicate(timeout=120)
        assert run.returncode == 0, said
        wait_until(lambda: not socket.parent.exists())
        (request,) = last_run(home)["requests"]
        assert request["hw"]["samples"] > 0
        # Without it the run cannot log in, and says so.
        done = home.npulse("bench", "run", suite, *place_arguments(place), *FAST)
        assert done.returncode == 5
        assert "Permission denied" in done.stderr


@needs_sshd
def test_a_login_that_needs_a_question_is_not_made_by_a_run(tmp_path: Path) -> None:
    with sshd(tmp_path) as there:
        # Who is not known yet has to be agreed to: a yes that no run can say.
        config = (tmp_path / "ssh_config").read_text()
        (tmp_path / "ssh_config").write_text(config.replace("Checking no", "Checking ask"))
        ssh = Ssh(there.address, there.options)
        try:
            with pytest.raises(SshError, match="Host key verification failed"):
                ssh.connect(may_ask=False)
            (tmp_path / "ssh_config").write_text(config)
            ssh.connect(may_ask=True)
            assert not ssh.has_asked
        finally:
            ssh.close()
