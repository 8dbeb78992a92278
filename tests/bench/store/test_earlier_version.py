"""Runs that an earlier version of npulse kept, one whole and one killed, can still be used.

``data/`` is a folder of runs as that version left it: two prompts, twice each, at the simulated
board; the second run was killed after two answers.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import msgspec
import pytest

from tui.bench.analysis.compare import NotComparableError, compare
from tui.bench.model.events import Event, Finished, RequestStarted, Segment
from tui.bench.store import active_run, history, journal, resume, runs
from tui.bench.store.detached import Detached, follow, start
from tui.bench.store.document import load
from tui.bench.store.runs import RunError
from tui.sim.server.spawn import spawn

DATA = Path(__file__).with_name("data")
WHOLE = "20261127T022229Z-small-qwen3-4b-bf2b"
KILLED = "20261127T022232Z-small-qwen3-4b-a0db"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA, tmp_path / "runs"))


def test_both_are_listed_and_neither_is_running(folder: Path) -> None:
    found = history.entries(folder)
    assert [(one.id, one.status, one.scored) for one in found] == [
        (WHOLE, "complete", 4),
        (KILLED, "unfinished", 2),
    ]
    assert runs.holder(folder) is None
    assert active_run.running(folder) is None


@pytest.mark.parametrize("without", ["", "run.json", "journal.jsonl"])
def test_the_whole_run_opens_from_either_file(folder: Path, without: str) -> None:
    if without:
        (folder / WHOLE / without).unlink()
    loaded = load(folder / WHOLE)
    document = loaded.document
    assert (document.run.id, document.run.status, document.run.seed) == (WHOLE, "complete", 1)
    assert loaded.damaged == 0
    assert {(r.key, r.status) for r in document.requests} == {
        (("one", 0), "capped"),
        (("one", 1), "capped"),
        (("two", 0), "ok"),
        (("two", 1), "ok"),
    }
    assert document.run.simulated
    assert loaded.texts["one", 1][0]
    assert document.summary["ttft_client_ms"].n == 4
    # That version called a count of chunks measured.
    assert {(r.tok.source, r.m.get("decode_tps_cl")) for r in document.requests} == {
        ("estimated", None)
    }


def test_the_killed_run_opens(folder: Path) -> None:
    loaded = load(folder / KILLED)
    assert (loaded.document.run.status, loaded.damaged) == ("partial", 0)
    assert [(r.key, r.status) for r in loaded.document.requests] == [
        (("one", 0), "capped"),
        (("two", 0), "ok"),
    ]
    assert len(loaded.stamps["two", 0]) == 30
    assert [segment.ended for segment in loaded.document.run.segments] == ["killed"]


def test_they_compare(folder: Path) -> None:
    found = compare(load(folder / WHOLE).document, load(folder / KILLED).document)
    assert found.blocking == ()
    row = found.row("ttft_client_ms")
    assert row is not None
    assert (row.n_a, row.n_b) == (4, 2)


def test_a_context_that_was_only_guessed_forbids_nothing(folder: Path) -> None:
    old = load(folder / WHOLE).document
    model = msgspec.structs.replace(old.model, ctx=4096)
    found = compare(old, msgspec.structs.replace(old, model=model))
    assert found.blocking == ()
    assert "ctx: 16384 against 4096" in found.warnings
    known = msgspec.structs.replace(old.model, guessed=("quant",))
    with pytest.raises(NotComparableError, match="ctx"):
        compare(
            msgspec.structs.replace(old, model=known),
            msgspec.structs.replace(old, model=msgspec.structs.replace(known, ctx=4096)),
        )


async def _followed(run: Detached) -> list[Event]:
    return [event async for event in follow(run)]


@pytest.mark.slow
def test_the_killed_run_is_resumed_and_followed_from_there(folder: Path) -> None:
    before = (folder / KILLED / journal.FILE_NAME).read_bytes()
    with spawn(["--speed", "50"], has_root=True) as board:
        place = (f"--url={board.url}", f"--root={board.root}")
        run = start("resume", [KILLED, *place, "--no-warm-up", "--cool-down=0"], folder)
        events = asyncio.run(_followed(run))
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.outcome == "complete", last.sentence
    asked = [e.rep for e in events if isinstance(e, RequestStarted) and not e.is_warmup]
    assert asked == [1, 1]
    assert [e.number for e in events if isinstance(e, Segment)] == [1]
    loaded = load(folder / KILLED)
    assert loaded.document.run.status == "complete"
    assert sorted(r.key for r in loaded.document.requests) == [
        (name, rep) for name in ("one", "two") for rep in (0, 1)
    ]
    assert [segment.ended for segment in loaded.document.run.segments] == ["killed", "complete"]
    assert (folder / KILLED / journal.FILE_NAME).read_bytes().startswith(before)
    with pytest.raises(RunError, match="complete"):
        resume.earlier(folder / KILLED)
