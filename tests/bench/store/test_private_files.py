"""Files of runs belong to their owner, and nothing odd in their place stops npulse."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.bench.store.test_journal import began, header, segment, write
from tui.bench.store import active_run, history, journal, runs
from tui.bench.store.document import load
from tui.bench.store.folder import LOCK_FILE
from tui.bench.store.run_files import save
from tui.bench.store.runs import Lock, RunError

RUN_ID = "20250131T120000Z-prompts-m-0001"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_run_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        place = runs.make(tmp_path / "new" / "bench", RUN_ID)
        write(place / journal.FILE_NAME, header(), segment(), began("a"))
        save(load(place), place)
        active_run.mark(place.parent, active_run.new_journal(place.parent))
    finally:
        os.umask(before)
    found = list((tmp_path / "new").rglob("*"))
    assert any(path.name.endswith(".prompt.txt") for path in found)
    for path in (tmp_path / "new", *found):
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path


def test_the_lock_does_not_follow_a_link(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("kept")
    (tmp_path / LOCK_FILE).symlink_to(target)
    with pytest.raises(RunError, match="symbolic link"):
        Lock(tmp_path).take("prompts")
    assert target.read_text() == "kept"
    assert runs.holder(tmp_path) is None


@pytest.mark.parametrize("name", [runs.RUN_FILE, journal.FILE_NAME])
def test_a_pipe_in_place_of_a_file_is_a_sentence(tmp_path: Path, name: str) -> None:
    place = runs.make(tmp_path, RUN_ID)
    os.mkfifo(place / name)
    with pytest.raises(RunError, match=RUN_ID):
        load(place)
    assert [entry.id for entry in history.entries(tmp_path)] == [RUN_ID]


def test_a_pipe_in_place_of_the_lock_is_a_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / LOCK_FILE)
    with pytest.raises(RunError, match="cannot lock"):
        Lock(tmp_path).take("prompts")


def test_the_holder_is_known_by_its_process_id(tmp_path: Path) -> None:
    lock = Lock(tmp_path)
    lock.take("a suite (pid 1)")
    held = runs.lock_holder(tmp_path)
    lock.release()
    assert held is not None
    assert held.pid == os.getpid()
    assert held.name == f"a suite (pid 1) (pid {os.getpid()})"
    assert runs.lock_holder(tmp_path) is None


def test_any_flipped_bit_of_a_journal_costs_its_line_only(tmp_path: Path) -> None:
    path = tmp_path / journal.FILE_NAME
    write(path, header(), segment(), began("a"), began("b"))
    data = path.read_bytes()
    at = data.index(b"ask a")
    path.write_bytes(data[:at] + bytes([data[at] ^ 0x80]) + data[at + 1 :])
    lines, damaged = journal.read(path)
    assert (len(lines), damaged) == (3, 1)
    loaded = load(tmp_path)
    assert "1 damaged lines" in loaded.document.run.notes[-1]
    assert journal.outline(path)[0] is not None
