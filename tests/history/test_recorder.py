"""Answers are kept while they stream, whatever the disk does, and nobody waits for it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.turn.turns import REQUEST
from tests.history.made import DEAD, ORIGIN, add_exchange, begin, opened
from tests.history.streams import asked, end, feed, wait_for
from tui.core.board.reading import Reading, Snapshot
from tui.core.turn.runtime_numbers import RuntimeNumbers
from tui.core.turn.turn import Turn
from tui.history import database, listing, reading, recorder, writers, writing
from tui.history.database import FILE_NAME, open_for_writing, transaction
from tui.history.failures import HistoryError
from tui.history.kept_answer import KeptAnswer, KeptConversation
from tui.history.recorder import Recorder
from tui.history.records import StoredTurn
from tui.history.running import running


def stored(folder: Path) -> list[StoredTurn]:
    """All turns of all conversations, as another process sees them."""
    with closing(opened(folder)) as connection:
        numbers = [row.id for row in listing.conversations(connection)]
        found = [reading.conversation(connection, number, is_tree=True) for number in numbers[::-1]]
        return [turn for conversation in found if conversation for turn in conversation.turns]


class Problems(list[str | None]):
    """What the recorder said."""


@pytest.fixture
def problems(monkeypatch: pytest.MonkeyPatch) -> Problems:
    monkeypatch.setattr(recorder, "EVERY_S", 0.03)
    monkeypatch.setattr(recorder, "RETRY_S", 0.03)
    monkeypatch.setattr(recorder, "LOCK_WAIT_S", 0.05)
    return Problems()


@pytest.fixture
def kept(tmp_path: Path, problems: Problems) -> Iterator[Recorder]:
    made = Recorder(tmp_path / FILE_NAME, problems.append)
    yield made
    made.close()


def begun(kept: Recorder, turn: Turn, **place: KeptAnswer) -> KeptAnswer:
    conversation = next(iter(place.values())).conversation if place else KeptConversation()
    answer = kept.record(turn, ORIGIN, conversation, **place)
    assert answer.is_stored.result(10)
    return answer


def test_nothing_is_made_before_there_is_something_to_keep(tmp_path: Path, kept: Recorder) -> None:
    kept.on_snapshot(Snapshot(0, 0.0))
    kept.close()
    assert list(tmp_path.iterdir()) == []


def test_the_prompt_is_on_the_disk_before_anything_is_sent(tmp_path: Path, kept: Recorder) -> None:
    begun(kept, asked("the question"))
    prompt, answer = stored(tmp_path)
    assert (prompt.text, answer.status, answer.text) == ("the question", "running", "")


def test_the_answer_grows_in_the_database_while_it_streams(tmp_path: Path, kept: Recorder) -> None:
    turn = asked()
    begun(kept, turn)
    for words, whole in (("one ", "one "), ("two ", "one two "), ("three", "one two three")):
        feed(turn, words)
        wait_for(lambda whole=whole: stored(tmp_path)[1].text == whole)  # type: ignore[misc]
    end(turn)
    wait_for(lambda: stored(tmp_path)[1].status == "complete")
    answer = stored(tmp_path)[1]
    assert answer.numbers is not None
    assert (answer.numbers["tokens_out"], answer.numbers["tokens_source"]) == (3, "estimated")
    assert answer.settings == REQUEST.settings
    with closing(opened(tmp_path)) as connection:
        times_ns = reading.times_ns(connection, answer.id)
        pieces = connection.execute("SELECT count(*) FROM pieces").fetchone()
    assert pieces == (0,)
    expected = [t_ns - turn.t0_ns for t_ns in turn.stamps_ns]
    assert times_ns == pytest.approx(expected, abs=501)


def test_text_that_turns_out_to_be_thinking_is_stored_as_thinking(
    tmp_path: Path, kept: Recorder
) -> None:
    turn = asked()
    begun(kept, turn)
    feed(turn, "let me ", "think")
    wait_for(lambda: stored(tmp_path)[1].text == "let me think")
    feed(turn, "</think>", "the answer")
    wait_for(lambda: stored(tmp_path)[1].text == "the answer")
    assert stored(tmp_path)[1].thinking == "let me think"


def test_samples_of_the_board_are_kept_with_the_answer(tmp_path: Path, kept: Recorder) -> None:
    turn = asked()
    begun(kept, turn)
    for load in (86.0, 84.0):
        readings = {"npu.load": Reading((load, None)), "ddr.load": Reading(62.5)}
        kept.on_snapshot(Snapshot(time.perf_counter_ns(), 0.0, readings))
        feed(turn, "word ")
        wait_for(lambda: len(turn.text) == len(stored(tmp_path)[1].text))
    end(turn)
    wait_for(lambda: stored(tmp_path)[1].status == "complete")
    kept.on_snapshot(Snapshot(time.perf_counter_ns(), 0.0, {"ddr.load": Reading(1.0)}))
    with closing(opened(tmp_path)) as connection:
        samples = reading.board_samples(connection, stored(tmp_path)[1].id)
    assert [sample.values["npu.load.0"] for sample in samples] == [86.0, 84.0]
    assert [sample.values["npu.load.1"] for sample in samples] == [None, None]
    assert [sample.values["ddr.load"] for sample in samples] == [62.5, 62.5]


def test_follow_ups_and_other_answers_have_their_place_in_the_tree(
    tmp_path: Path, kept: Recorder
) -> None:
    turns = [asked("one"), asked("two"), asked("two"), asked("another two")]
    first = begun(kept, turns[0])
    second = begun(kept, turns[1], after=first)
    begun(kept, turns[2], again_of=second)
    begun(kept, turns[3], after=first)
    for turn in turns:
        feed(turn, "answer")
        end(turn)
    kept.close()
    found = {turn.id: turn for turn in stored(tmp_path)}
    one, first_answer, two, *_ = list(found)
    shape = [(t.role, t.text, t.parent) for t in found.values()]
    assert shape == [
        ("user", "one", None),
        ("assistant", "answer", one),
        ("user", "two", first_answer),
        ("assistant", "answer", two),
        ("assistant", "answer", two),
        ("user", "another two", first_answer),
        ("assistant", "answer", shape[-1][2]),
    ]


def test_numbers_that_come_late_are_stored(tmp_path: Path, kept: Recorder) -> None:
    turn = asked()
    answer = begun(kept, turn)
    feed(turn, "word")
    end(turn)
    wait_for(lambda: stored(tmp_path)[1].status == "complete")
    turn.note_runtime(RuntimeNumbers(400.0, 19, 47.2, 1000.0, 6, 5.31))
    kept.renew(answer, turn)
    kept.close()
    found = stored(tmp_path)[1]
    assert found.numbers is not None
    runtime = found.numbers["runtime"]
    assert isinstance(runtime, dict)
    assert runtime["decode_tps"] == 5.31


def test_what_a_killed_npulse_left_is_ended_with_the_next_answer(
    tmp_path: Path, kept: Recorder
) -> None:
    with closing(opened(tmp_path)) as connection:
        _, prompt, _ = add_exchange(connection, "q", "a")
        with transaction(connection):
            left = begin(connection, 1, prompt, by=DEAD)
        writing.add_piece(connection, left, "half", "", b"")
    begun(kept, asked())
    with closing(opened(tmp_path)) as connection:
        (status,) = connection.execute("SELECT status FROM turns WHERE id = ?", (left,)).fetchone()
        assert status == "error"
        assert connection.execute("SELECT count(*) FROM writers").fetchone() == (2,)


def test_changes_are_made_beside_a_running_answer(tmp_path: Path, kept: Recorder) -> None:
    turn = asked("the question")
    answer = begun(kept, turn)
    number = answer.conversation.id
    assert number is not None

    def rename(connection: sqlite3.Connection) -> str:
        writing.rename(connection, number, "a name")
        return "done"

    assert kept.change(rename).result(10) == "done"
    with closing(opened(tmp_path)) as connection:
        row = listing.conversation_row(connection, number)
        assert row is not None
        assert (row.title, row.is_running) == ("a name", True)

    def fail(connection: sqlite3.Connection) -> None:
        writing.rename(connection, number, "half a change")
        connection.execute("INSERT INTO missing VALUES (1)")

    with pytest.raises(HistoryError, match="cannot be written"):
        kept.change(fail).result(10)
    with closing(opened(tmp_path)) as connection:
        row = listing.conversation_row(connection, number)
        assert row is not None
        assert row.title == "a name"
    feed(turn, "goes ", "on")
    end(turn)
    kept.close()
    assert stored(tmp_path)[1].text == "goes on"
    with pytest.raises(HistoryError, match="ending"):
        kept.change(rename).result(10)


def test_a_model_that_is_chosen_while_the_prompt_waits_is_stored(
    tmp_path: Path, kept: Recorder
) -> None:
    turn = asked()
    turn.request = replace(turn.request, model="")
    unknown = replace(ORIGIN, model="")
    assert kept.record(turn, unknown, KeptConversation()).is_stored.result(10)
    turn.request = replace(turn.request, model="loaded-meanwhile")
    feed(turn, "answer")
    end(turn)
    kept.close()
    assert stored(tmp_path)[1].origin == replace(ORIGIN, model="loaded-meanwhile")


def test_two_npulse_keep_their_answers_in_one_database_at_once(
    tmp_path: Path, kept: Recorder
) -> None:
    other = Recorder(tmp_path / FILE_NAME)
    turns = [asked("one"), asked("two")]
    begun(kept, turns[0])
    begun(other, turns[1])
    for n in range(40):
        for turn in turns:
            feed(turn, f"w{n} ")
        time.sleep(0.005)
    with closing(opened(tmp_path)) as connection:
        assert len(running(connection)) == 2
        assert writers.dead_writers(connection) == []
    for turn in turns:
        end(turn)
    other.close()
    kept.close()
    texts = [(turn.text, turn.status) for turn in stored(tmp_path) if turn.role == "assistant"]
    assert texts == [(turns[0].text, "complete"), (turns[1].text, "complete")]


# -- faults ----------------------------------------------------------------------------------------


def test_a_locked_database_delays_nobody_and_loses_nothing(
    tmp_path: Path, kept: Recorder, problems: Problems
) -> None:
    opened(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        turn = asked("the question")
        answer = kept.record(turn, ORIGIN, KeptConversation())
        assert answer.is_stored.result(10) is False
        feed(turn, "an ", "answer")
        wait_for(lambda: bool(problems))
        assert problems[0] is not None
        assert "another program holds it locked" in problems[0]
        assert str(tmp_path) in problems[0]
        assert kept.problem == problems[0]
        other.execute("ROLLBACK")
    wait_for(lambda: problems[-1] is None)
    wait_for(lambda: stored(tmp_path)[-1].text == "an answer")
    end(turn)
    kept.close()
    assert [(t.text, t.status) for t in stored(tmp_path)] == [
        ("the question", None),
        ("an answer", "complete"),
    ]
    assert len(problems) == 2


@pytest.mark.parametrize("what", ["newer", "text", "pipe", "file for folder"])
def test_a_database_that_cannot_be_used_is_one_sentence_and_the_chat_goes_on(
    tmp_path: Path, problems: Problems, what: str
) -> None:
    path = tmp_path / "npulse" / FILE_NAME
    if what == "file for folder":
        path.parent.write_text("")
    else:
        path.parent.mkdir()
    if what == "newer":
        opened(path.parent).close()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version = 99")
    elif what == "text":
        path.write_text("no database" * 100)
    elif what == "pipe":
        os.mkfifo(path)
    made = Recorder(path, problems.append)
    turns = [asked(), asked()]
    for turn in turns:
        assert made.record(turn, ORIGIN, KeptConversation()).is_stored.result(10) is False
        feed(turn, "answer")
        end(turn)
    made.close()
    assert len(problems) == 1
    assert problems[0] is not None
    assert problems[0].startswith("answers are not saved: ")
    assert "\n" not in problems[0]


def test_a_conversation_that_another_process_removed_goes_on_in_a_new_one(
    tmp_path: Path, kept: Recorder, problems: Problems
) -> None:
    turn = asked("the question")
    answer = begun(kept, turn)
    first = answer.conversation.id
    assert first is not None
    with closing(opened(tmp_path)) as connection, transaction(connection):
        writing.purge(connection, [first])
    feed(turn, "all ", "of it")
    end(turn)
    kept.close()
    assert [t.text for t in stored(tmp_path)] == ["the question", "all of it"]
    assert answer.conversation.id != first
    assert problems == []


LIMITED = """
import resource, sys, time
from pathlib import Path
from tests.history.test_recorder import ORIGIN, KeptConversation, asked, end, feed
from tui.history import recorder
recorder.EVERY_S = recorder.RETRY_S = 0.05
said = []
kept = recorder.Recorder(Path(sys.argv[1]), said.append)
first = asked("fits")
answer = kept.record(first, ORIGIN, KeptConversation())
assert answer.is_stored.result(10)
feed(first, "small"); end(first)
while kept._answers: time.sleep(0.01)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 10, hard))
turn = asked("too much")
kept.record(turn, ORIGIN, KeptConversation(), after=answer).is_stored.result(10)
for n in range(90):
    feed(turn, f"{n} " + "word " * 1000)
    time.sleep(0.002)
while not said: time.sleep(0.01)
assert said[0].startswith("answers are not saved: "), said
print(said[0])
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
while said[-1] is not None: time.sleep(0.01)
end(turn)
kept.close()
print(len(turn.text))
"""


def test_a_full_disk_is_told_and_all_is_saved_when_there_is_room(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / FILE_NAME)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    sentence, length = done.stdout.splitlines()
    assert "cannot be written" in sentence
    *_, answer = stored(tmp_path)
    assert len(answer.text) == int(length)
    assert answer.text.startswith("0 word")
    assert answer.status == "complete"


@pytest.mark.parametrize("nth", range(1, 13))
def test_any_statement_that_fails_leaves_all_or_nothing(
    tmp_path: Path, kept: Recorder, problems: Problems, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each statement of an answer's life fails once; SQLite cannot be told to from outside."""
    real = open_for_writing
    left = [nth]

    class Failing:
        def __init__(self, connection: sqlite3.Connection) -> None:
            self.connection = connection

        def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
            if sql.lstrip().startswith(("INSERT", "UPDATE", "DELETE", "COMMIT")):
                left[0] -= 1
                if left[0] == 0:
                    raise sqlite3.OperationalError("disk I/O error")
            return self.connection.execute(sql, *values)  # type: ignore[arg-type]

        def __getattr__(self, name: str) -> object:
            return getattr(self.connection, name)

    monkeypatch.setattr(database, "open_for_writing", lambda *a, **k: Failing(real(*a, **k)))
    turn = asked("the question")
    kept.record(turn, ORIGIN, KeptConversation()).is_stored.result(10)
    words = [f"w{n} " for n in range(8)]
    for word in words:
        feed(turn, word)
        time.sleep(0.02)
    end(turn)
    wait_for(lambda: not kept._answers)
    kept.close()
    assert left[0] <= 0 or not problems
    assert [(t.text, t.status) for t in stored(tmp_path)] == [
        ("the question", None),
        ("".join(words), "complete"),
    ]
    with closing(opened(tmp_path)) as connection:
        assert connection.execute("SELECT count(*) FROM pieces").fetchone() == (0,)
        assert len(reading.search(connection, "w7")) == 1
