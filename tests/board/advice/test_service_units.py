"""The units of the tap and the exporter: what they may do, and how they are installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.board.advice.test_access import System, system
from tui.board.advice.root_writer import own_command
from tui.board.advice.service_units import SERVICES, Service, install, remove, unit
from tui.board.advice.systemd import UnitError, verify
from tui.commands import setup_service

__all__ = ["system"]
HAS_ANALYZE = shutil.which("systemd-analyze") is not None
MAX_EXPOSURE = 2.0


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.skipif(not HAS_ANALYZE, reason="no systemd-analyze here")
def test_systemd_takes_the_unit_and_finds_little_exposed(service: Service, tmp_path: Path) -> None:
    wanted = unit(service, ("--listen", "0.0.0.0:8090", "--public"), "/bin/true", is_local=False)
    assert verify(wanted.name, wanted.text)
    path = tmp_path / wanted.name
    path.write_text(wanted.text)
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    level = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert level is not None, done.stdout + done.stderr
    assert float(level[1]) <= MAX_EXPOSURE


def test_it_speaks_to_this_machine_only_unless_it_has_to() -> None:
    assert "IPAddressDeny=any" in unit("tap", is_local=True).text
    assert "IPAddressDeny" not in unit("tap", is_local=False).text
    assert "ProtectHome=read-only" in unit("tap", program="/home/u/bin/npulse").text
    assert "ProtectHome=yes" in unit("tap", program="/usr/bin/npulse").text


def test_words_of_a_command_are_quoted() -> None:
    text = unit("tap", ("--to", 'http://h/"%i" $x'), "/usr/bin/npulse").text
    assert 'ExecStart=/usr/bin/npulse tap --to "http://h/\\"%%i\\" $$x"' in text


def test_install_then_again_then_remove(system: System) -> None:
    system.program("systemd-sysusers", "exit 0")
    wanted = unit("tap", ("--to", "http://127.0.0.1:8021"))
    assert install(wanted, system.root).is_changed
    path = system.root / wanted.path.lstrip("/")
    assert path.read_text() == wanted.text
    assert (system.root / "etc/sysusers.d/npulse.conf").read_text().startswith("u npulse ")
    assert system.calls() == [
        "systemd-sysusers /etc/sysusers.d/npulse.conf",
        "systemctl daemon-reload",
        f"systemctl enable {wanted.name}",
        f"systemctl restart {wanted.name}",
    ]
    assert not install(wanted, system.root).is_changed
    assert remove("tap", system.root).is_changed
    assert not path.exists()
    assert not remove("tap", system.root).is_changed


def test_what_fails_is_one_sentence(system: System) -> None:
    system.program("systemd-sysusers", 'echo "no room" >&2; exit 1')
    with pytest.raises(UnitError, match=r"systemd-sysusers .* failed: no room"):
        install(unit("tap"), system.root)
    (system.root / "run/systemd/system").rmdir()
    with pytest.raises(UnitError, match="systemd does not run this system"):
        install(unit("exporter"), system.root)


def test_only_root(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for option in ("--install", "--remove"):
        assert setup_service.main(["tap", option]) == 1
        assert f"sudo npulse setup-service tap {option}" in capsys.readouterr().err


def test_printing_gives_the_command_that_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert setup_service.main(["tap", "--", "--to", "http://10.0.0.3:8021"]) == 0
    said = capsys.readouterr()
    words = "tap --to http://10.0.0.3:8021 --publish /run/npulse-tap/"
    start = f"ExecStart={' '.join(own_command())} {words}"
    assert start in said.out
    assert "IPAddressDeny" not in said.out
    assert "sudo npulse setup-service tap --install -- --to http://10.0.0.3:8021" in said.err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["nothing"], "invalid choice"),
        (["tap", "--", "--nonsense"], "unrecognized arguments"),
        (["tap", "--", "--to", "http://h:1/path/x"], "has a path"),
        (["tap", "--", "--listen", "h:p"], "HOST:PORT"),
        (["exporter", "--", "--api-key", "sk-1"], "every user can read a unit"),
        (["tap", "--", "--to", "http://a\n"], "cannot be part of a unit"),
    ],
)
def test_a_wrong_use_is_one_sentence(
    words: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        setup_service.main(words)
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert problem in said.err
    assert not said.out
    assert "sk-1" not in said.err
