"""Answers are kept while they stream, whatever the disk does, and nobody waits for it."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.turn.turns import REQUEST
from tests.history.made import DEAD, ORIGIN, add_exchange, begin, opened
from tests.history.recorders import begun, stored
from tests.history.streams import asked, end, feed
from tests.waiting import wait_until
from tui.core.board.reading import Reading, Snapshot
from tui.core.turn.runtime_numbers import RuntimeNumbers
from tui.history import listing, reading, writers, writing
from tui.history.database import FILE_NAME, transaction
from tui.history.failures import HistoryError
from tui.history.kept_answer import KeptConversation
from tui.history.recorder import Recorder
from tui.history.running_answers import running


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
        wait_until(lambda whole=whole: stored(tmp_path)[1].text == whole)  # type: ignore[misc]
    end(turn)
    wait_until(lambda: stored(tmp_path)[1].status == "complete")
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
    wait_until(lambda: stored(tmp_path)[1].text == "let me think")
    feed(turn, "</think>", "the answer")
    wait_until(lambda: stored(tmp_path)[1].text == "the answer")
    assert stored(tmp_path)[1].thinking == "let me think"


def test_samples_of_the_board_are_kept_with_the_answer(tmp_path: Path, kept: Recorder) -> None:
    turn = asked()
    begun(kept, turn)
    for load in (86.0, 84.0):
        readings = {"npu.load": Reading((load, None)), "ddr.load": Reading(62.5)}
        kept.on_snapshot(Snapshot(time.perf_counter_ns(), 0.0, readings))
        feed(turn, "word ")
        wait_until(lambda: len(turn.text) == len(stored(tmp_path)[1].text))
    end(turn)
    wait_until(lambda: stored(tmp_path)[1].status == "complete")
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
    wait_until(lambda: stored(tmp_path)[1].status == "complete")
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

    assert kept.change(rename).result(60) == "done"
    with closing(opened(tmp_path)) as connection:
        row = listing.conversation_row(connection, number)
        assert row is not None
        assert (row.title, row.is_running) == ("a name", True)

    def fail(connection: sqlite3.Connection) -> None:
        writing.rename(connection, number, "half a change")
        connection.execute("INSERT INTO missing VALUES (1)")

    with pytest.raises(HistoryError, match="cannot be written"):
        kept.change(fail).result(60)
    with closing(opened(tmp_path)) as connection:
        row = listing.conversation_row(connection, number)
        assert row is not None
        assert row.title == "a name"
    feed(turn, "goes ", "on")
    end(turn)
    kept.close()
    assert stored(tmp_path)[1].text == "goes on"
    with pytest.raises(HistoryError, match="ending"):
        kept.change(rename).result(60)


def test_a_model_that_is_chosen_while_the_prompt_waits_is_stored(
    tmp_path: Path, kept: Recorder
) -> None:
    turn = asked()
    turn.request = replace(turn.request, model="")
    unknown = replace(ORIGIN, model="")
    assert kept.record(turn, unknown, KeptConversation()).is_stored.result(60)
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
