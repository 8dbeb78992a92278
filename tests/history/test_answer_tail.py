"""An answer that another npulse writes, read as it grows: a real recorder, a second connection."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.history.made import DEAD, ORIGIN, begin, opened
from tests.history.streams import asked, end, feed
from tests.waiting import wait_until
from tui.core.turn.turn import Turn
from tui.core.types import Delta, FinishDelta, Phase, TextDelta, ThinkingDelta, TurnError
from tui.history import listing, recorder, writers, writing
from tui.history.answer_tail import REMOVED, AnswerTail
from tui.history.database import FILE_NAME, Connection, open_for_reading, transaction
from tui.history.failures import HistoryError
from tui.history.kept_answer import KeptConversation
from tui.history.recorder import Recorder
from tui.history.running_answers import receiving, running, unseen
from tui.history.token_times import pack_times


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    monkeypatch.setattr(recorder, "EVERY_S", 0.02)
    made = Recorder(tmp_path / FILE_NAME, command="dashboard")
    yield made
    made.close()


class Tail:
    """A reader with a connection of its own."""

    def __init__(self, folder: Path, answer: int) -> None:
        self.connection: Connection = open_for_reading(folder / FILE_NAME)
        self.tail = AnswerTail(self.connection, answer)
        self.turn = self.tail.turn

    def until(self, is_so: Callable[[], bool]) -> None:
        def looked() -> bool:
            self.tail.read(self.connection)
            return is_so()

        wait_until(looked)

    def close(self) -> None:
        self.connection.close()


def begun(kept: Recorder, turn: Turn) -> int:
    answer = kept.record(turn, ORIGIN, KeptConversation())
    assert answer.is_stored.result(60)
    assert answer.answer_id is not None
    return answer.answer_id


def test_an_answer_is_read_as_it_grows_with_its_numbers(tmp_path: Path, kept: Recorder) -> None:
    turn = asked("the question")
    number = begun(kept, turn)
    with closing(Tail(tmp_path, number)) as reader:
        assert reader.tail.prompt is not None
        assert reader.tail.prompt.text == "the question"
        turn.note_wait(turn.t0_ns, "the server is working on another answer")
        reader.until(lambda: reader.turn.wait is not None)
        assert reader.turn.wait is not None
        assert reader.turn.wait.reason == "the server is working on another answer"
        turn.sent(turn.t0_ns + 1_000_000)
        turn.accepted(turn.t0_ns + 2_000_000)
        reader.until(lambda: reader.turn.phase is Phase.PREFILL)
        assert reader.turn.t0_ns == turn.t0_ns
        words = [f"w{n} " for n in range(60)]
        for at, word in enumerate(words):
            turn.feed(turn.t0_ns + (100 + at * 7) * 1_000_000, [TextDelta(word)])
        reader.until(lambda: reader.turn.text == "".join(words))
        assert reader.turn.phase is Phase.ANSWERING
        assert reader.turn.stamps_ns == pytest.approx(turn.stamps_ns, abs=501)
        end_ns = turn.t0_ns + 600_000_000
        turn.feed(end_ns, [FinishDelta("stop")])
        turn.end_of_stream(end_ns)
        reader.until(lambda: reader.turn.phase.is_over)
        assert (reader.turn.status, reader.turn.error) == ("complete", None)
        assert reader.tail.stored is not None
        assert reader.tail.stored.text == turn.text
        ours, theirs = (one.stats(turn.t0_ns) for one in (turn, reader.turn))
        assert theirs.tokens == ours.tokens
        assert theirs.decode_tps == pytest.approx(ours.decode_tps, rel=0.01)
        assert theirs.latency_ms == pytest.approx(ours.latency_ms, abs=1)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_read_when_the_words_are_the_same(
    tmp_path: Path, kept: Recorder, seed: int
) -> None:
    """Thinking, text that turns out to be thinking, and looks at any moment."""
    rng = random.Random(seed)
    turn = asked()
    pieces: list[Delta]
    if seed == 3:
        pieces = [ThinkingDelta("hm "), ThinkingDelta("yes\n"), TextDelta("so: "), TextDelta("a")]
    else:
        words = ["let ", "me ", "</thi", "nk>", "\n\nthe ", "answer ", "is ", "`<think>` ", "4 "]
        pieces = [TextDelta(word) for word in (words if seed else ["<think>", *words])]
    with closing(Tail(tmp_path, begun(kept, turn))) as reader:
        for piece in pieces:
            turn.feed(turn.t0_ns + 10_000_000 * (len(turn.stamps_ns) + 1), [piece])
            if rng.random() < 0.6:
                given = len(turn.stamps_ns)
                reader.until(lambda given=given: len(reader.turn.stamps_ns) == given)  # type: ignore[misc]
                assert (reader.turn.text, reader.turn.thinking) == (turn.text, turn.thinking)
        end(turn)
        reader.until(lambda: reader.turn.phase.is_over)
        assert (reader.turn.text, reader.turn.thinking) == (turn.text, turn.thinking)
        assert len(reader.turn.stamps_ns) == len(turn.stamps_ns)


def test_the_answer_of_a_dead_process_ends_as_interrupted(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as connection:
        with transaction(connection):
            number = writing.add_conversation(connection, "t", 0)
            prompt = writing.add_turn(connection, number, None, "user", "q", 0)
            left = begin(connection, number, prompt, by=DEAD)
        writing.add_piece(connection, left, "half of ", "", pack_times(0, [10**9, 2 * 10**9]))
        with closing(Tail(tmp_path, left)) as reader:
            assert reader.tail.read(reader.connection)
            assert reader.tail.is_owner_gone
            assert reader.turn.text == "half of "
            assert reader.turn.error == TurnError("io", writers.interruption(2))
            assert [run.is_alive for run in receiving(connection)] == [False]


def test_a_clock_that_was_set_changes_no_age(tmp_path: Path) -> None:
    """The wall clock said 1970 when the prompt was taken, and is right now."""
    kept = Recorder(tmp_path / FILE_NAME, now_ms=lambda: 0)
    turn = asked("the question")
    begun(kept, turn)
    with closing(opened(tmp_path)) as connection:
        (found,) = running(connection)
    assert abs(found.since_ms - time.time_ns() // 1_000_000) < 60_000
    end(turn)
    kept.close()


def test_answers_stand_in_the_order_in_which_they_came_whatever_the_clock_says(
    tmp_path: Path,
) -> None:
    clock_ms = [2_000_000_000_000, 0, 1_000_000_000_000]
    kept = Recorder(tmp_path / FILE_NAME, now_ms=lambda: clock_ms[0])
    for prompt in ("first", "second", "third"):
        turn = asked(prompt)
        begun(kept, turn)
        feed(turn, "word")
        end(turn)
        clock_ms.append(clock_ms.pop(0))
    kept.close()
    with closing(opened(tmp_path)) as connection:
        rows = listing.conversations(connection)
        assert [row.title for row in rows] == ["third", "second", "first"]
        newest = listing.newest(connection)
        assert newest == rows[0].id


def test_an_answer_that_is_removed_is_over(tmp_path: Path, kept: Recorder) -> None:
    turn = asked()
    number = begun(kept, turn)
    with closing(Tail(tmp_path, number)) as reader:
        with closing(opened(tmp_path)) as connection, transaction(connection):
            writing.purge(connection, [1])
        reader.until(lambda: reader.turn.phase.is_over)
        assert reader.turn.error == REMOVED
        assert reader.tail.stored is None
        with pytest.raises(HistoryError, match="no answer 99"):
            AnswerTail(reader.connection, 99)
    end(turn)


def test_a_detached_answer_is_unseen_until_it_was_shown(tmp_path: Path, kept: Recorder) -> None:
    turn = asked()
    number = begun(kept, turn)
    with closing(opened(tmp_path)) as connection:
        assert unseen(connection) == []
        assert [run.place for run in receiving(connection)] == ["dashboard"]
        kept.leave_terminal()
        wait_until(lambda: unseen(connection) == [number])
        assert [run.place for run in receiving(connection)] == ["detached"]
        feed(turn, "word")
        end(turn)
        wait_until(lambda: running(connection) == [])
        assert unseen(connection) == [number]
        writing.note_shown(connection, number)
        assert unseen(connection) == []


def test_a_wish_to_stop_reaches_the_process_that_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "EVERY_S", 0.02)
    wanted: list[Turn] = []
    made = Recorder(tmp_path / FILE_NAME, on_stop_wanted=wanted.append)
    turns = [asked("one"), asked("two")]
    numbers = [begun(made, turn) for turn in turns]
    with closing(opened(tmp_path)) as connection:
        assert writing.want_stop(connection, numbers[1], 0)
        wait_until(lambda: bool(wanted))
        assert wanted[0] is turns[1]
        turns[1].stop(turns[1].t0_ns + 1)
        wait_until(lambda: not writing.want_stop(connection, numbers[1], 0))
        count = len(wanted)
        assert not writing.want_stop(connection, 99, 0)
        feed(turns[0], "goes on")
        end(turns[0])
    made.close()
    assert len(wanted) == count
    assert set(map(id, wanted)) == {id(turns[1])}
