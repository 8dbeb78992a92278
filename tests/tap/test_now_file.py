"""What a tap says of this moment, and what a board's readers make of it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.history.test_client_requests import RUNNING
from tui.board.readers.files import Files
from tui.board.readers.sample_context import SampleContext
from tui.board.readers.tap_now import TapNow, TapReader
from tui.core.board.reading import Reading
from tui.tap.now_file import NowFile, now_of

ANSWERING = replace(RUNNING, phase="answering", decode_tps=3.127, decode_source="measured")
QUEUED = replace(RUNNING, phase="queued")


def read(root: Path, reader: TapReader | None = None, t_ns: int = 0) -> dict[str, Reading]:
    return (reader or TapReader(Files(root))).read(SampleContext(t_ns, 0.0))


def root_with(tmp_path: Path, folder: str = "run/npulse-tap") -> tuple[Path, NowFile]:
    """A board's root on which this process runs."""
    process = tmp_path / "proc" / str(os.getpid())
    process.mkdir(parents=True)
    (process / "stat").write_text("")
    (tmp_path / folder).parent.mkdir(parents=True)
    return tmp_path, NowFile(tmp_path / folder)


def test_what_runs_and_what_waits() -> None:
    pid = os.getpid()
    assert now_of(()) == TapNow(pid=pid)
    assert now_of((QUEUED,)) == TapNow(pid=pid, phase="queued", n_queued=1)
    assert now_of((replace(RUNNING, phase="prefill"), QUEUED)) == TapNow(
        pid=pid, phase="prefill", n_queued=1
    )
    assert now_of((ANSWERING, QUEUED)) == TapNow(
        pid=pid, phase="answering", rate_tps=3.13, is_estimated=False, n_queued=1
    )
    guessed = replace(ANSWERING, decode_source="estimated")
    assert now_of((ANSWERING, guessed)) == TapNow(
        pid=pid, phase="answering", rate_tps=6.25, is_estimated=True
    )


@pytest.mark.parametrize("folder", ["run/npulse-tap", "run/user/1000/npulse-tap"])
def test_a_reader_of_the_board_finds_it(folder: str, tmp_path: Path) -> None:
    root, file = root_with(tmp_path, folder)
    reader = TapReader(Files(root))
    assert read(root, reader)["tap.state"].value == "idle"
    file.write((replace(ANSWERING, decode_source="estimated"), QUEUED))
    found = read(root, reader)
    assert (found["tap.rate"].value, found["tap.rate"].flags) == (3.13, ("estimated",))
    assert found["tap.queue"].value == 1
    file.remove()
    assert read(root, reader, 1) == {}


def test_the_file_of_a_tap_that_was_killed_says_nothing(tmp_path: Path) -> None:
    root, file = root_with(tmp_path)
    file.write((ANSWERING,))
    (root / "proc" / str(os.getpid()) / "stat").unlink()
    assert read(root) == {}


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"pid": 1, "phase": "\\u001b[2J"}', "\0"])
def test_what_is_no_such_file_says_nothing(text: str, tmp_path: Path) -> None:
    root, file = root_with(tmp_path)
    del file
    (root / "run" / "npulse-tap" / "now.json").write_text(text)
    assert read(root) == {}


def test_a_folder_that_cannot_be_made_holds_nothing_up(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    file = NowFile(tmp_path / "file" / "below")
    file.write((ANSWERING,))
    file.remove()
