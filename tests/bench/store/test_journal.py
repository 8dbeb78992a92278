"""The journal survives a kill, a full disk and damage; what it tells becomes a document again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bench.made import CONFIG, ENV, MODEL, request
from tui.bench.model import events
from tui.bench.model.records import Request, Run
from tui.bench.model.suite import load_builtin
from tui.bench.store import journal
from tui.bench.store.document import from_lines, load
from tui.bench.store.journal import Journal, JournalError
from tui.bench.store.run_files import save
from tui.bench.store.runs import RunError


def header(planned: int = 3) -> events.Header:
    run = Run(id="r", suite="prompts", suite_sha256="s", planned=planned, seed=1)
    return events.Header(run=run, suite=load_builtin("prompts"), config=CONFIG)


def segment(number: int = 0, t_ns: int = 0) -> events.Segment:
    return events.Segment(
        number=number, started_utc="now", t_ns=t_ns, env=ENV, model=MODEL, config=CONFIG
    )


def began(prompt_id: str, t_ns: int = 5, rep: int = 0) -> events.RequestStarted:
    return events.RequestStarted(
        id=prompt_id,
        rep=rep,
        order=0,
        segment=0,
        wall="",
        t_ns=t_ns,
        prompt=f"ask {prompt_id}",
        prompt_sha256="p",
    )


def tokens(prompt_id: str, *t_ns: int, text: str = "") -> events.TokensArrived:
    return events.TokensArrived(id=prompt_id, rep=0, t_ns=t_ns, text=text)


def write(path: Path, *lines: events.Event) -> None:
    made = Journal(path)
    for line in lines:
        made.add(line)
    made.close()


def whole(path: Path) -> None:
    write(
        path,
        header(),
        segment(),
        began("a"),
        tokens("a", 10, 20, text="hel"),
        tokens("a", 30, text="lo"),
        events.RequestEnded(request=request("a")),
        began("b", 40),
        events.RequestEnded(request=request("b"), text="better words"),
        events.Closed(number=0, wall_s=12.0, ended="complete"),
    )


def test_lines_come_back(tmp_path: Path) -> None:
    path = tmp_path / journal.FILE_NAME
    whole(path)
    lines, damaged = journal.read(path)
    assert damaged == 0
    assert len(lines) == 9
    assert journal.stamps(lines) == {("a", 0): (10, 20, 30), ("b", 0): ()}
    assert journal.texts(lines)["a", 0] == ("hello", "")
    assert journal.texts(lines)["b", 0] == ("better words", "")


def test_a_torn_last_line_is_tolerated_and_cut_off_later(tmp_path: Path) -> None:
    path = tmp_path / journal.FILE_NAME
    whole(path)
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(b'{"type":"ended","request":{"id":"c","re')
    lines, damaged = journal.read(path)
    assert (len(lines), damaged) == (9, 0)
    Journal(path).close()
    assert path.stat().st_size == size


@pytest.mark.parametrize("keep", [0, 1, 50])
def test_every_cut_of_a_journal_can_be_read(tmp_path: Path, keep: int) -> None:
    path = tmp_path / journal.FILE_NAME
    whole(path)
    data = path.read_bytes()
    first = data.index(b"\n") + 1
    for end in (*range(first, len(data), 97), len(data) - 1 - keep):
        path.write_bytes(data[:end])
        document = load(tmp_path).document
        assert document.run.id == "r"
        assert document.run.status == "partial"


def test_a_damaged_line_is_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / journal.FILE_NAME
    whole(path)
    parts = path.read_bytes().split(b"\n")
    parts[3] = b"\x00garbage"
    path.write_bytes(b"\n".join(parts))
    loaded = load(tmp_path)
    assert loaded.damaged == 1
    assert any("damaged" in note for note in loaded.document.run.notes)


def test_without_a_header_nothing_can_be_shown(tmp_path: Path) -> None:
    (tmp_path / journal.FILE_NAME).write_bytes(b"junk\n")
    with pytest.raises(RunError, match="header"):
        load(tmp_path)
    with pytest.raises(RunError):
        load(tmp_path / "absent")


@settings(max_examples=80)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_and_written_on(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "j"
        path.write_bytes(data)
        events, damaged = journal.read(path)
        assert len(events) + damaged <= data.count(b"\n") + 1
        made = Journal(path)
        made.add(header())
        made.close()
        assert journal.read(path)[0][len(events) :] == [header()]


def test_a_full_disk_is_an_error_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / journal.FILE_NAME
    path.symlink_to("/dev/full")
    made = Journal(path)
    made.add(header())
    with pytest.raises(JournalError, match="No space left"):
        made.flush(sync=True)
    made.close()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be written"):
        Journal(tmp_path / "absent" / "j")


def test_lines_of_many_threads_do_not_mix(tmp_path: Path) -> None:
    made = Journal(tmp_path / "j")

    def work(number: int) -> None:
        for at in range(200):
            made.add(events.Noted(t_ns=at, sentence=f"{number} " + "x" * 200))
            made.flush()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made.close()
    lines, damaged = journal.read(tmp_path / "j")
    assert (len(lines), damaged) == (800, 0)


@pytest.mark.slow
def test_kill_nine_loses_nothing_that_was_flushed(tmp_path: Path) -> None:
    path = tmp_path / "j"
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from tui.bench.store.journal import Journal\nfrom tui.bench.model.events import Noted\n"
        "made = Journal(Path(sys.argv[1]))\n"
        "for at in range(50):\n    made.add(Noted(t_ns=at, sentence='x' * 100))\n"
        "made.flush()\nmade.add(Noted(t_ns=99, sentence='lost'))\n"
        "print('ready', flush=True)\ntime.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    lines, damaged = journal.read(path)
    assert (len(lines), damaged) == (50, 0)


# -- lines to document -----------------------------------------------------------------------------


def test_an_unfinished_request_was_cancelled() -> None:
    loaded = from_lines([header(), segment(), began("a"), tokens("a", 7, 9)])
    only = loaded.document.requests[0]
    assert (only.status, only.id) == ("cancelled", "a")
    assert loaded.document.run.status == "partial"
    assert loaded.document.run.segments[0].ended == "killed"
    assert loaded.document.run.segments[0].wall_s == pytest.approx(9e-9)
    assert loaded.stamps["a", 0] == (7, 9)


def test_a_later_answer_replaces_a_failure_but_a_skip_never_an_answer() -> None:
    late = Request(id="a", rep=0, order=0, status="timeout_idle")
    skip = Request(id="b", rep=0, order=1, status="skipped")
    loaded = from_lines(
        [
            header(2),
            segment(),
            events.RequestEnded(request=late),
            events.RequestEnded(request=request("b", order=1)),
            segment(1),
            events.RequestEnded(request=request("a")),
            events.RequestEnded(request=skip),
        ]
    )
    assert [r.status for r in loaded.document.requests] == ["ok", "ok"]
    assert loaded.document.run.status == "complete"
    assert len(loaded.document.run.segments) == 2


def test_a_repetition_that_says_something_else() -> None:
    greedy = header(2)
    same = msgspec.structs.replace(request("a", 1, order=1), prompt_sha256="p")
    loaded = from_lines(
        [
            greedy,
            segment(),
            events.RequestEnded(
                request=msgspec.structs.replace(request("a"), prompt_sha256="p"),
                text="one two three",
            ),
            events.RequestEnded(request=same, text="one two four"),
        ]
    )
    (check,) = loaded.document.requests[1].checks
    assert (check.id, check.passed, check.info) == ("determinism", False, True)
    assert "first 4 of 5" in check.detail


def test_the_files_of_a_run(tmp_path: Path) -> None:
    whole(tmp_path / journal.FILE_NAME)
    save(load(tmp_path), tmp_path)
    names = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert {"run.json", "tokens.csv.gz", "a.0.output.txt", "a.0.prompt.txt"} <= names
    (tmp_path / journal.FILE_NAME).unlink()
    again = load(tmp_path)
    assert again.document.requests[0].output_ref == "outputs/a.0.output.txt"
    assert again.texts["a", 0][0] == "hello"
    assert again.prompts["a", 0] == "ask a"


def test_a_reference_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    whole(tmp_path / journal.FILE_NAME)
    save(load(tmp_path), tmp_path)
    (tmp_path / journal.FILE_NAME).unlink()
    run_file = tmp_path / "run.json"
    text = run_file.read_text().replace("outputs/a.0.output.txt", "../../../etc/hostname")
    run_file.write_text(text)
    assert load(tmp_path).texts["a", 0][0] == ""


def test_what_only_followers_need_is_no_part_of_the_run(tmp_path: Path) -> None:
    path = tmp_path / journal.FILE_NAME
    warm = msgspec.structs.replace(began("a"), is_warmup=True)
    arrived = msgspec.structs.replace(tokens("a", 1, text="warm"), is_warmup=True)
    write(
        path,
        events.StageChanged(stage="connect", sentence="Looking."),
        header(1),
        segment(),
        warm,
        arrived,
        began("a"),
        tokens("a", 10, text="said"),
        arrived,
        events.Forecast(
            elapsed_s=1, left_s=1, left_low_s=1, left_high_s=1, left_most_s=1, share=0.5
        ),
        events.RequestEnded(request=request("a")),
        events.Finished(outcome="complete", sentence="1 of 1 answered."),
    )
    lines, damaged = journal.read(path)
    assert (len(lines), damaged) == (5, 0)
    assert journal.texts(lines)["a", 0] == ("said", "")
    assert journal.outline(path)[2] == 1
    assert load(tmp_path).document.run.status == "complete"
