"""A board where npulse is installed too: it samples there, or a loop does, with the reason."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app.npulse import REPOSITORY
from tests.remote.sshd import Sshd, needs_sshd, sshd
from tests.sim.simulator import running as simulator
from tests.waiting import wait_until
from tui import __version__
from tui.board.advice.json_snapshot import snapshot_of
from tui.remote import npulse_sampler
from tui.remote.board import RemoteBoard

pytestmark = pytest.mark.slow

INSTALLED = f'PYTHONPATH="{REPOSITORY}" exec "{sys.executable}" -m tui "$@"'
VERSION = f'[ "$1" = --version ] && {{ echo "npulse {__version__}"; exit; }}'


@contextmanager
def having(folder: Path, npulse: str | None) -> Iterator[Sshd]:
    """An sshd whose sessions have this script as npulse, or none."""
    programs = folder / "programs"
    programs.mkdir(parents=True)
    if npulse is not None:
        (programs / "npulse").write_text(f"#!/bin/sh\n{npulse}\n")
        (programs / "npulse").chmod(0o755)
    with sshd(folder, f"SetEnv PATH={programs}:/usr/bin:/bin HOME={folder}") as there:
        yield there


@needs_sshd
def test_its_samples_are_taken_there_and_by_the_loop_once_it_is_gone(tmp_path: Path) -> None:
    with simulator(has_root=True) as sim, having(tmp_path, INSTALLED) as there:
        address = replace(there.address, root=str(sim.root))
        with closing(RemoteBoard(address, there.options, interval_s=0.2)) as board:
            board.connect(may_ask=False)
            assert (board.link.has_npulse, board.link.note) == (True, "")
            first, second = board.sample(), board.sample()
            assert second.t_ns > first.t_ns
            assert (second.text("board.model") or "").startswith("RK3588")
            assert second.number("npu.freq") == 1e9
            assert second.get("npulse.rss").value is None
            assert board.link.latency_ms is not None
            (pid,) = watching(sim.root)
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: board.link.state == "connected" and not board.link.has_npulse
                            if board.sample() else False)  # fmt: skip
            assert board.link.note == (
                "npulse there has ended: a shell loop reads its files instead"
            )
            assert board.sample().number("npu.freq") == 1e9
        wait_until(lambda: not watching(sim.root))


def watching(root: Path | None) -> list[int]:
    """Processes of ``npulse board --watch`` below that root."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"--watch" in words and str(root).encode() in words:
            found.append(int(path.parent.name))
    return found


@needs_sshd
def test_it_ends_there_when_the_line_does(tmp_path: Path) -> None:
    with simulator(has_root=True) as sim, having(tmp_path, INSTALLED) as there:
        address = replace(there.address, root=str(sim.root))
        with closing(RemoteBoard(address, there.options, interval_s=0.2)) as board:
            board.connect(may_ask=False)
            assert len(watching(sim.root)) == 1
        wait_until(lambda: not watching(sim.root))


@needs_sshd
@pytest.mark.parametrize(
    ("npulse", "note"),
    [
        (None, ""),
        ("echo npulse 9.8.7", f"npulse there is 9.8.7, and {__version__} here"),
        ("exit 1", f"npulse there is of an unknown version, and {__version__} here"),
        (f"{VERSION}\nwhile :; do echo Welcome; done",
         "npulse there sends no samples (unexpected output: Welcome)"),
        (f"{VERSION}\necho '{{\"t_ns\": 1}}'; exit 1",
         "npulse there sends no samples (npulse there has ended)"),
        (f"{VERSION}\nexec sleep 60", "npulse there sends no samples (no sample within 1 s)"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_replaced_by_the_loop(
    npulse: str | None, note: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npulse_sampler, "START_S", 1.0)
    with (
        having(tmp_path, npulse) as there,
        closing(RemoteBoard(there.address, there.options)) as board,
    ):
        board.connect(may_ask=False)
        assert not board.link.has_npulse
        assert board.link.note == (note and f"{note}: a shell loop reads its files instead")
        assert board.sample().number("ram.total") is not None


@given(st.binary() | st.text().map(str.encode))
def test_what_is_no_snapshot_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError, match="no snapshot"):
        snapshot_of(line)


def test_texts_of_another_machine_are_sanitised() -> None:
    told = snapshot_of(
        b'{"t_ns": 5, "time": "2026-01-01T00:00:00.000+00:00", "readings": {"a": {"value": '
        b'"x\\u001b[2Jy", "flags": ["\\u0007"]}, "b": {"value": [1, null]}, "c": {}}}'
    )
    assert "\x1b" not in (told.text("a") or "")
    assert "\x07" not in told.get("a").flags[0]
    assert told.get("b").value == (1, None)
    assert told.get("c").reason == "not told"
