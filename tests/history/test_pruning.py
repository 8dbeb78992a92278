"""What goes by itself when a limit is reached, and what never goes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.history.made import ORIGIN, add_exchange, begin, opened
from tests.history.streams import asked, end, feed
from tui.history import listing, pruning, reading, writing
from tui.history.database import FILE_NAME, transaction
from tui.history.kept_answer import KeptConversation
from tui.history.pruning import DAY_MS, MIN_KEPT, UNDO_MS
from tui.history.recorder import Recorder
from tui.history.records import Limits

NOW_MS = 1_800_000_000_000
MONTH = Limits(max_age_days=30)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(opened(tmp_path)) as made:
        yield made


def add(connection: sqlite3.Connection, age_days: float) -> int:
    return add_exchange(connection, "q", "a", created_ms=NOW_MS - round(age_days * DAY_MS))[0]


def due(connection: sqlite3.Connection, limits: Limits, now_ms: int = NOW_MS) -> list[int]:
    return [removal.row.id for removal in pruning.due(connection, limits, now_ms)]


def test_without_limits_everything_stays(connection: sqlite3.Connection) -> None:
    for _ in range(30):
        add(connection, 10_000)
    assert due(connection, Limits()) == []


def test_a_clock_that_jumped_takes_not_everything(connection: sqlite3.Connection) -> None:
    made = [add(connection, 0) for _ in range(MIN_KEPT + 5)]
    assert due(connection, MONTH) == []
    assert due(connection, MONTH, NOW_MS + 3650 * DAY_MS) == made[:5]
    assert due(connection, MONTH, 0) == []


def test_pinned_ones_and_one_that_is_written_stay(connection: sqlite3.Connection) -> None:
    made = [add(connection, 100) for _ in range(3)]
    for _ in range(MIN_KEPT):
        add(connection, 1)
    with transaction(connection):
        writing.set_pinned(connection, made[0], True)
        begin(connection, made[1], 3)
    assert due(connection, MONTH) == [made[2]]
    assert due(connection, Limits(max_bytes=1))[:1] == [made[2]]
    assert not {made[0], made[1]} & set(due(connection, Limits(max_bytes=1)))


def test_a_conversation_is_as_old_as_its_newest_turn(connection: sqlite3.Connection) -> None:
    old = add(connection, 100)
    leaf = reading.chosen_leaf(connection, old)
    for _ in range(MIN_KEPT):
        add(connection, 1)
    add_exchange(connection, "q", "a", conversation=old, parent=leaf, created_ms=NOW_MS)
    assert due(connection, MONTH) == []


def test_a_deletion_can_be_taken_back_for_a_day(connection: sqlite3.Connection) -> None:
    number = add(connection, 1)
    with transaction(connection):
        writing.delete(connection, number, NOW_MS)
    assert due(connection, Limits(), NOW_MS + UNDO_MS - 1) == []
    assert due(connection, Limits(), NOW_MS + UNDO_MS + 1) == [number]


def test_the_limits_hold_when_something_new_is_kept(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as connection:
        for _ in range(MIN_KEPT + 3):
            add(connection, 100)
    store = Recorder(tmp_path / FILE_NAME, limits=MONTH, now_ms=lambda: NOW_MS)
    turn = asked()
    assert store.record(turn, ORIGIN, KeptConversation()).is_stored.result(60)
    feed(turn, "answer")
    end(turn)
    store.close()
    with closing(opened(tmp_path)) as connection:
        assert listing.count(connection) == MIN_KEPT + 1
        assert reading.search(connection, "answer")
