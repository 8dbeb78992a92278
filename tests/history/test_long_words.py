"""Answers that are longer than a row holds: whole again, found, renewed and removed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.turn.pieces import cut
from tests.history.made import ORIGIN, add_exchange, end, opened
from tests.history.streams import asked
from tests.history.streams import end as end_turn
from tui.core.types import TextDelta, ThinkingDelta
from tui.history import listing, long_words, reading, writing
from tui.history.database import FILE_NAME, transaction
from tui.history.kept_answer import KeptConversation
from tui.history.long_words import in_rows
from tui.history.recorder import Recorder

LONG = "語 🚀 word " * 60_000


@given(cut(st.text(max_size=40)), st.integers(1, 9))
def test_rows_are_full_but_the_last_however_the_words_are_cut(
    case: tuple[str, list[str]], size: int
) -> None:
    text, pieces = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long_words, "ROW_CHARS", size)
        rows = list(in_rows(pieces))
        assert rows == list(in_rows(text))
    assert rows == [text[at : at + size] for at in range(0, len(text), size)]


def n_more(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM more_words").fetchone()[0])


def test_a_long_answer_comes_back_whole_and_goes_whole(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as connection:
        number, _, answer = add_exchange(connection, "question", "answer")
        with transaction(connection):
            long = replace(end(""), text=[LONG[:7], LONG[7:]], thinking=LONG)
            writing.finish_answer(connection, answer, long)
        found = reading.turn(connection, answer)
        assert found is not None
        assert (found.text, found.thinking) == (LONG, LONG)
        assert n_more(connection) == len(LONG) // long_words.ROW_CHARS
        assert [hit.turn for hit in reading.search(connection, "word")] == [answer]
        with transaction(connection):
            writing.finish_answer(connection, answer, end("short"))
        assert n_more(connection) == 0
        assert reading.search(connection, "word") == []
        with transaction(connection):
            writing.finish_answer(connection, answer, long)
            writing.purge(connection, [number])
        assert n_more(connection) == 0


def test_a_recorder_keeps_all_of_a_long_answer(tmp_path: Path) -> None:
    kept = Recorder(tmp_path / FILE_NAME)
    turn = asked()
    turn.feed(turn.t0_ns + 1, [ThinkingDelta("so\n \n"), TextDelta(LONG[:400_000])])
    kept.record(turn, ORIGIN, KeptConversation()).is_stored.result(60)
    end_turn(turn)
    kept.close()
    with closing(opened(tmp_path)) as connection:
        (row,) = listing.conversations(connection)
        found = reading.conversation(connection, row.id)
        assert found is not None
        assert (found.turns[1].text, found.turns[1].thinking) == (turn.text, turn.thinking)
        assert found.turns[1].status == "complete"
