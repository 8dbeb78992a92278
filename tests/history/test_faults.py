"""A disk that fails at any write, and power that fails at any moment: never a wrong state."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.app.npulse import REPOSITORY
from tests.history.keeping import PROMPTS, WORDS, keep
from tests.history.made import ORIGIN
from tests.history.streams import asked, end, feed
from tests.waiting import wait_until
from tui.history import inspection, listing, reading, recorder, writers
from tui.history.database import FILE_NAME, damage, open_for_reading, open_for_writing
from tui.history.failures import HistoryError
from tui.history.kept_answer import KeptConversation
from tui.history.recorder import Recorder

pytestmark = pytest.mark.slow

WHOLE = "".join(WORDS)


def kept(path: Path, *, is_well: bool) -> list[tuple[str, str | None]]:
    """What a database has, sound in any case; with ``is_well`` it has to be all."""
    with closing(open_for_writing(path)) as connection:
        assert damage(connection, is_thorough=True) == []
        writers.recover_all(connection)
        assert inspection.unreadable(connection) == []
        rows = listing.conversations(connection)
        found = [reading.conversation(connection, row.id, is_tree=True) for row in rows]
        turns = [turn for one in found if one is not None for turn in one.turns]
    for turn in turns:
        if turn.role == "user":
            assert turn.text in PROMPTS
        else:
            assert WHOLE.startswith(turn.text)
            assert turn.status != "complete" or turn.text == WHOLE
    texts = [turn.text for turn in turns]
    prompts = [turn.parent for turn in turns if turn.role == "assistant"]
    assert len(prompts) == len(set(prompts)), "an answer is there twice"
    if is_well:
        assert texts == [PROMPTS[0], WHOLE, PROMPTS[1], WHOLE]
        assert all(turn.status == "complete" for turn in turns if turn.role == "assistant")
    return [(turn.text, turn.status) for turn in turns]


def run(path: Path, *limit: str, before: tuple[str, ...] = ()) -> tuple[int, str]:
    """How often it changed whether all is well, and the last problem; ``well`` is none."""
    done = subprocess.run(
        [*before, sys.executable, "-m", "tests.history.keeping", str(path), *limit],
        capture_output=True, text=True, cwd=REPOSITORY, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    count, _, last = done.stdout.strip().partition(" ")
    return int(count), last


@pytest.mark.parametrize(
    "limit", [0, 1, 2048, 30_000, 60_000, 65_536, 70_000, 80_000, 90_000, 1 << 30]
)
def test_files_that_may_not_grow(tmp_path: Path, limit: int) -> None:
    path = tmp_path / FILE_NAME
    count, last = run(path, str(limit))
    assert (last == "well") == (count % 2 == 0)
    assert count or limit > 2048
    assert not count or limit < 1 << 30
    if last != "well":
        assert last.startswith("answers are not saved: ")
        assert str(path) in last
    if path.exists():
        kept(path, is_well=last == "well")


@cache
def may_trace() -> bool:
    command = ["strace", "-f", "-qq", "-o", os.devnull, sys.executable, "-c", ""]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


CALLS = ("pwrite64", "fdatasync", "fsync", "openat", "ftruncate", "unlink")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace makes system calls fail")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("nth", ["1", "2", "3", "5", "8", "13", "2+3", "4+7"])
def test_system_calls_that_fail(tmp_path: Path, call: str, nth: str) -> None:
    """The n-th one of the store, and every so many from one on; only on its own files."""
    path = tmp_path / FILE_NAME
    files = [f"-P{path}{suffix}" for suffix in ("", "-wal", "-shm")]
    error = "ENOSPC" if call == "pwrite64" else "EIO"
    inject = f"--inject={call}:error={error}:when={nth}"
    strace = ("strace", "-f", "-qq", "-o", os.devnull, *files, f"--trace={call}", inject)
    if not may_trace():
        pytest.skip("strace may not trace here")
    count, last = run(path, before=strace)
    if path.exists():
        try:
            kept(path, is_well=last == "well")
        except HistoryError:
            assert last != "well"
    assert last == "well" or last.startswith("answers are not saved: "), (count, last)


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small file system of its own, where that may be made."""
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="needs root")
def test_a_disk_that_is_full_and_then_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "EVERY_S", 0.02)
    monkeypatch.setattr(recorder, "RETRY_S", 0.02)
    disk = tmp_path / "disk"
    with mounted(disk, "size=400k"):
        filler = disk / "filler"
        path = disk / "history" / FILE_NAME
        said: list[str | None] = []
        store = Recorder(path, said.append)
        turn = asked(PROMPTS[0])
        assert store.record(turn, ORIGIN, KeptConversation()).is_stored.result(60)
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        for word in WORDS * 200:
            feed(turn, word)
            if said:
                break
            time.sleep(0.002)
        wait_until(lambda: bool(said))
        assert said[0] is not None
        assert "the disk is full" in said[0]
        filler.unlink()
        wait_until(lambda: said[-1] is None)
        end(turn)
        store.close()
        with closing(open_for_reading(path)) as connection:
            found = reading.conversation(connection, 1)
        assert found is not None
        assert found.turns[1].text == turn.text
        assert found.turns[1].status == "complete"


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="needs root")
def test_a_disk_that_cannot_be_written_is_read(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with mounted(disk, "size=2m"):
        path = disk / FILE_NAME
        keep(path)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True, capture_output=True)
        with closing(open_for_reading(path)) as connection:
            assert listing.count(connection) == 1
            assert len(reading.search(connection, "second")) == 1
        said = keep(path)
        assert len(said) == 1
        assert said[0] is not None
        assert "ead-only" in said[0]


def test_power_that_fails_while_an_answer_is_kept(tmp_path: Path) -> None:
    """What is on the disk at a moment, with the end of the log torn off or half written."""
    path = tmp_path / "live" / FILE_NAME
    work = threading.Thread(target=keep, args=(path,))
    work.start()
    copies: list[Path] = []
    while work.is_alive():
        copy = tmp_path / f"copy-{len(copies)}"
        copy.mkdir(exist_ok=True)
        with contextlib.suppress(OSError):
            for suffix in ("", "-wal"):
                shutil.copy(f"{path}{suffix}", copy)
            copies.append(copy / FILE_NAME)
        time.sleep(0.03)
    work.join()
    rng = random.Random(1)
    assert len(copies) > 5
    shown = []
    for at, copy in enumerate(copies):
        log = copy.with_name(f"{FILE_NAME}-wal")
        data = log.read_bytes()
        torn = rng.randrange(0, min(6000, len(data)) + 1)
        if at % 3 == 1:
            log.write_bytes(data[: len(data) - torn])
        elif at % 3 == 2:
            log.write_bytes(data[: len(data) - torn] + rng.randbytes(torn))
        with closing(open_for_writing(copy)) as connection:
            for process in connection.execute("SELECT id FROM writers").fetchall():
                connection.execute("UPDATE writers SET pid = 1, boot_id = '' WHERE id = ?", process)
        shown.append(len(kept(copy, is_well=False)))
    assert shown[-1] >= 2
    kept(path, is_well=True)
