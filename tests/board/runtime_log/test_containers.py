"""The log of a container, asked of the program that runs it: here a script in its place."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tui.board.readers.files import Files
from tui.board.runtime_log.blocks import blocks
from tui.board.runtime_log.containers import container_of_port, run_program
from tui.board.runtime_log.reader import source_of_container
from tui.board.runtime_log.source import LogSource
from tui.board.runtime_log.tail import LogTail

ID = "ab" * 32
SCRIPT = """#!/bin/sh
echo "$0 $*" >>"$LOG_OF_CALLS"
case $1 in
ps) printf '%s' "$CONTAINERS" ;;
logs)
    echo '{time} I rkllm:  Prefill       402.36           19        21.18            47.22'
    echo '{time} I rkllm:  Generate      11874.10         63        188.48           5.31' >&2
    ;;
esac
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of PATH; `calls` in it says what was started."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setenv("LOG_OF_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("CONTAINERS", f"{ID}\n")
    return tmp_path


def install(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(script)
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("program", "stamp"),
    [("docker", "2026-11-26T10:00:05.250000000Z"), ("podman", "2026-11-26T12:00:05.25+02:00")],
)
def test_both_outputs_of_a_container_are_read_with_their_times(
    program: str, stamp: str, programs: Path
) -> None:
    for other in ("docker", "podman"):
        install(programs, other, "#!/bin/sh\nexit 125\n")
    install(programs, program, SCRIPT.replace("{time}", stamp))
    source = source_of_container(8080)
    assert source is not None
    assert (source.kind, source.name) == (program, ID)
    tail = LogTail(Files(), source)
    tail.mark(1_795_000_000.9)
    lines = [line for line in tail.lines() if line.text]
    assert [line.time_s for line in lines] == [1_795_687_205.25] * 2
    assert len(blocks(tail.lines())) == 1
    calls = (programs / "calls").read_text()
    assert "publish=8080" in calls
    assert f"logs --timestamps --since=1795000000 --tail=400 {ID}" in calls


def test_two_containers_of_one_port_are_none(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(programs, "docker", SCRIPT)
    install(programs, "podman", "#!/bin/sh\nexit 1\n")
    monkeypatch.setenv("CONTAINERS", f"{ID}\n{'cd' * 32}\n")
    assert container_of_port(8080) is None
    monkeypatch.setenv("CONTAINERS", "error: \x1b[31m who are you\n")
    assert container_of_port(8080) is None


def test_a_program_that_refuses_gives_no_lines(programs: Path) -> None:
    install(programs, "docker", "#!/bin/sh\nexit 1\n")
    assert LogTail(Files(), LogSource("docker", ID)).lines() == []


def test_a_program_that_hangs_is_ended(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.board.runtime_log.containers.PROGRAM_S", 0.2)
    install(programs, "docker", "#!/bin/sh\nexec sleep 30\n")
    began_s = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired):
        run_program(("docker", "ps"))
    assert time.monotonic() - began_s < 20
