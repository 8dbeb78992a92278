"""What is stored is found again: lists, branches, search, deletions, and answers that were cut."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path

import pytest

from tests.history.made import DEAD, ORIGIN, SETTINGS, add_exchange, begin, end, opened
from tui.core.turn.gaps import GapSummary
from tui.core.turn.result import NOT_NUMBERS, TurnResult
from tui.core.turn.runtime_numbers import RuntimeNumbers
from tui.core.types import TurnError
from tui.history import listing, reading, writers, writing
from tui.history.board_samples import BoardSample, pack_samples
from tui.history.database import transaction
from tui.history.listing import Filter
from tui.history.records import Order, Origin, StoredTurn
from tui.history.running_answers import receiving, running
from tui.history.token_times import pack_times
from tui.history.transfer import MadeHere, PlainConversation, PlainTurn, add
from tui.history.turn_json import decode_numbers, encode_numbers, stored_result


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(opened(tmp_path)) as made:
        yield made


def texts(connection: sqlite3.Connection, conversation: int, **wanted: bool) -> list[str]:
    found = reading.conversation(connection, conversation, **wanted)
    assert found is not None
    return [turn.text for turn in found.turns]


def test_a_conversation_comes_back_with_all_that_was_known(connection: sqlite3.Connection) -> None:
    number, asked, answer = add_exchange(connection, "why\nso slow?", "because", tokens=9)
    found = reading.conversation(connection, number)
    assert found is not None
    assert found.row.title == "why"
    assert (found.row.turns, found.row.tokens, found.row.model) == (2, 9, "qwen3-4b")
    prompt, said = found.turns
    assert (prompt.id, prompt.parent, prompt.role, prompt.status) == (asked, None, "user", None)
    assert (said.id, said.parent, said.role, said.status) == (
        answer,
        asked,
        "assistant",
        "complete",
    )
    assert (said.origin, said.settings) == (ORIGIN, SETTINGS)
    assert said.numbers is not None
    assert said.numbers["ttft_ms"] == 1250.0
    assert said.numbers["prefill_ms"] is None
    assert said.numbers["prefill_source"] == "unknown"
    result = stored_result(said)
    assert (result.text, result.ttft_ms, result.ttft_source) == ("because", 1250.0, "measured")
    assert (result.model, result.server, result.status) == (
        "qwen3-4b", "RockchipLlama", "complete",
    )  # fmt: skip


def test_every_number_of_a_result_is_kept(connection: sqlite3.Connection) -> None:
    """A field that is added to the result has to come back too."""
    made = replace(
        stored_result(StoredTurn(1, None, "assistant", 0, "text", numbers={})),
        finish="stop",
        ttft_ms=1.5,
        latency_ms=2.5,
        tokens_out=3,
        tokens_source="runtime",
        decode_tps=4.5,
        decode_source="measured",
        prefill_ms=5.5,
        prefill_tps=6.5,
        prefill_source="runtime",
        itl_ms=GapSummary(1.0, 2.0, 3.0, 4.0),
        chunks=7,
        clock="kernel",
        ttft_source="measured",
        tokens_hidden=8,
        unread_events=9,
        unread_text="what",
        note="a note",
        ttft_includes=("load",),
        runtime=RuntimeNumbers(1.0, 2, 3.0, 4.0, 5, 6.0, 7),
        queue_ms=10.5,
    )
    unset = stored_result(StoredTurn(1, None, "assistant", 0, "text", numbers={}))
    names = {f.name for f in fields(TurnResult)} - set(NOT_NUMBERS)
    assert {name for name in names if getattr(made, name) == getattr(unset, name)} == set()
    text = encode_numbers({k: v for k, v in made.to_json_dict().items() if k not in NOT_NUMBERS})
    turn = StoredTurn(1, None, "assistant", 0, "text", numbers=decode_numbers(text))
    assert replace(stored_result(turn), status=made.status) == made


def test_lists_are_newest_first_and_paged_however_the_clock_jumps(
    connection: sqlite3.Connection,
) -> None:
    made = [
        add_exchange(connection, f"prompt {n}", "x", created_ms=created_ms)[0]
        for n, created_ms in enumerate([2_000, 9_000_000_000_000, 1_000, 5, 3_000])
    ]
    assert [row.id for row in listing.conversations(connection)] == made[::-1]
    first = listing.conversations(connection, limit=2)
    rest = listing.conversations(connection, limit=9, after=first[-1].id)
    assert [row.id for row in (*first, *rest)] == made[::-1]
    leaf = reading.chosen_leaf(connection, made[1])
    add_exchange(connection, "more", "y", conversation=made[1], parent=leaf)
    by_update = [made[1], made[4], made[3], made[2], made[0]]
    assert [row.id for row in listing.conversations(connection, order="updated")] == by_update
    page = listing.conversations(connection, order="updated", limit=2, after=made[1])
    assert [row.id for row in page] == by_update[1:3]
    assert listing.newest(connection) == made[1]


def test_filters(connection: sqlite3.Connection) -> None:
    plain = add_exchange(connection, "Plain prompt", "x")[0]
    other = add_exchange(connection, "other", "x", origin=Origin("llama"))[0]
    with transaction(connection):
        writing.set_pinned(connection, plain, True)
        writing.set_tags(connection, other, ["speed", " speed ", "\x1b[31mred", ""])
        writing.rename(connection, other, "A\nname \x07")

    def listed(wanted: Filter) -> list[int]:
        rows = listing.conversations(connection, wanted=wanted)
        assert listing.count(connection, wanted) == len(rows)
        return [row.id for row in rows]

    assert listed(Filter(title="plain")) == [plain]
    assert listed(Filter(model="llama")) == [other]
    assert listed(Filter(tag="speed")) == [other]
    assert listed(Filter(is_pinned=True)) == [plain]
    assert listed(Filter(title="100%_")) == []
    row = listing.conversation_row(connection, other)
    assert row is not None
    assert row.title == "A name ␇"
    assert row.tags == ("speed", "␛[31mred")


def test_branches(connection: sqlite3.Connection) -> None:
    number, asked, first = add_exchange(connection, "question", "first")
    _, follow, second = add_exchange(
        connection, "more", "second", conversation=number, parent=first
    )
    with transaction(connection):
        again = begin(connection, number, asked)
        writing.finish_answer(connection, again, end("another"))
    assert texts(connection, number) == ["question", "another"]
    assert texts(connection, number, is_tree=True) == [
        "question", "first", "more", "second", "another",
    ]  # fmt: skip
    assert reading.siblings(connection, again) == [first, again]
    assert reading.siblings(connection, follow) == [follow]
    assert reading.newest_leaf_below(connection, first) == second
    with transaction(connection):
        writing.choose_leaf(connection, number, second)
    assert texts(connection, number) == ["question", "first", "more", "second"]


def test_a_conversation_of_thousands_of_turns_is_read_and_removed(
    connection: sqlite3.Connection,
) -> None:
    """Deeper than SQLite lets triggers go (1,000)."""
    with transaction(connection):
        number = writing.add_conversation(connection, "long", 0)
        parent = None
        for n in range(3000):
            parent = writing.add_turn(connection, number, parent, "user", f"turn {n}", n)
    assert texts(connection, number)[-1] == "turn 2999"
    with transaction(connection):
        writing.purge(connection, [number])
    assert connection.execute("SELECT count(*) FROM turns").fetchone() == (0,)


def test_deletion_can_be_taken_back_until_it_is_purged(connection: sqlite3.Connection) -> None:
    number, _, _ = add_exchange(connection, "secret question", "answer")
    kept, _, _ = add_exchange(connection, "kept", "answer")
    with transaction(connection):
        writing.delete(connection, number, 5)
    assert [row.id for row in listing.conversations(connection)] == [kept]
    assert [
        row.id for row in listing.conversations(connection, wanted=Filter(is_deleted=True))
    ] == [number]
    assert reading.search(connection, "secret") == []
    with transaction(connection):
        writing.undelete(connection, number)
    assert [hit.conversation for hit in reading.search(connection, "secret")] == [number]
    with transaction(connection):
        writing.purge(connection, [number])
    assert reading.conversation(connection, number) is None
    assert reading.search(connection, "secret") == []
    assert [hit.conversation for hit in reading.search(connection, "answer")] == [kept]
    tables = ("origins", "parameters")
    assert [connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables] == [1, 1]


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("bandwidth", True),
        ("BANDWIDTH", True),
        ("bandw", True),
        ("bandw ", False),
        ("ba", False),
        ("memory bandwidth", True),
        ("bandwidth memory", True),
        ('"memory bandwidth"', True),
        ('"bandwidth memory"', False),
        ("memory absent", False),
        ("cafe", True),
        ("内存", True),
        ("存带", True),
        ("带存", False),
        ("内存 bandwidth", True),
        ("カナ", True),
        ("don't", True),
        ('un"closed', False),
        ("memory AND NOT bandwidth", False),
        ("NEAR(", False),
        ("*", False),
        ("text:memory", False),
        ("", False),
        ("\x00", False),
    ],
)
def test_search(connection: sqlite3.Connection, query: str, is_found: bool) -> None:
    add_exchange(connection, "Why?", "Memory bandwidth, café; 内存带宽 とカナ. I don't know")
    hits = reading.search(connection, query)
    assert bool(hits) == is_found
    if is_found:
        assert hits[0].role == "assistant"


def test_snippets_show_what_was_found_in_one_line(connection: sqlite3.Connection) -> None:
    add_exchange(connection, "q", "word " * 100 + "\n\nthe needle\x1b[2J here\n" + "tail " * 100)
    (hit,) = reading.search(connection, "Needle")
    (mark,) = hit.snippet.marks
    assert hit.snippet.text[slice(*mark)] == "needle"
    assert "\n" not in hit.snippet.text
    assert len(hit.snippet.text) < 200
    assert hit.snippet.text.startswith("…")
    assert hit.snippet.text.endswith("…")


def test_search_is_paged_from_the_newest_on(connection: sqlite3.Connection) -> None:
    made = [add_exchange(connection, "q", f"common {n}")[2] for n in range(5)]
    first = reading.search(connection, "common", limit=2)
    rest = reading.search(connection, "common", before=first[-1].turn)
    assert [hit.turn for hit in (*first, *rest)] == made[::-1]


def test_an_answer_of_a_killed_process_opens_as_interrupted(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        number = writing.add_conversation(connection, "cut", 0)
        asked = writing.add_turn(connection, number, None, "user", "question", 0)
        answer = begin(connection, number, asked, by=DEAD)
    sample = BoardSample(10**9, {"npu.load.0": 86.0})
    writing.add_piece(connection, answer, "half ", "thought", pack_times(0, [10**9, 2 * 10**9]))
    writing.add_piece(
        connection, answer, "an answer", "", pack_times(0, [3 * 10**9]), pack_samples([sample])
    )

    def check() -> None:
        found = reading.turn(connection, answer)
        assert found is not None
        assert (found.text, found.thinking, found.status) == (
            "half an answer", "thought", "interrupted",
        )  # fmt: skip
        assert found.error == TurnError("io", writers.interruption(3))
        assert "after 3 tokens" in writers.interruption(3)
        assert found.numbers is not None
        assert found.numbers["ttft_ms"] == 1000.0
        assert found.numbers["tokens_source"] == "estimated"
        assert reading.times_ns(connection, answer) == [10**9, 2 * 10**9, 3 * 10**9]
        assert reading.board_samples(connection, answer) == [sample]

    check()  # for whoever can only read
    assert [run.is_alive for run in receiving(connection)] == [False]
    assert writers.recover(connection, writers.dead_writers(connection)) == 1
    check()
    assert connection.execute("SELECT count(*) FROM pieces").fetchone() == (0,)
    assert [hit.turn for hit in reading.search(connection, "answer")] == [answer]
    assert writers.recover(connection, writers.dead_writers(connection)) == 0


def test_an_answer_that_runs_elsewhere_is_left_alone_and_seen_to_grow(
    connection: sqlite3.Connection,
) -> None:
    with transaction(connection):
        number = writing.add_conversation(connection, "growing", 0)
        asked = writing.add_turn(connection, number, None, "user", "question", 0)
        answer = begin(connection, number, asked)
    for words in ("one ", "two "):
        writing.add_piece(connection, answer, words, "", pack_times(0, [10**9]))
    assert writers.dead_writers(connection) == []
    found = reading.turn(connection, answer)
    assert found is not None
    assert (found.text, found.status, found.error) == ("one two ", "running", None)
    (row,) = listing.conversations(connection)
    assert row.is_running
    assert [(run.receiver.turn, run.tokens) for run in running(connection)] == [(answer, 2)]


def test_numbers_may_come_after_the_end(connection: sqlite3.Connection) -> None:
    number, _, answer = add_exchange(connection, "q", "old words")
    with transaction(connection):
        writing.finish_answer(connection, answer, end("new words", tokens=7))
    assert reading.search(connection, "old") == []
    assert len(reading.search(connection, "words")) == 1
    row = listing.conversation_row(connection, number)
    assert row is not None
    assert row.tokens == 7


def test_imports_stand_where_their_time_is(connection: sqlite3.Connection) -> None:
    add_exchange(connection, "made at 100", "answer", created_ms=100)
    # The clock of this machine was wrong for a moment.
    add_exchange(connection, "made at 9", "answer", created_ms=9)
    add_exchange(connection, "made at 200", "answer", created_ms=200)
    made_here = MadeHere(connection)
    for ms in (250, 50, 150, 151):
        asked = PlainTurn("1", None, "user", "why?", ms)
        wanted = PlainConversation(str(ms), f"import of {ms}", ms, (asked,))
        assert add(connection, wanted, made_here) is not None
    expected = [
        "import of 250", "made at 200", "import of 151", "import of 150", "import of 50",
        "made at 9", "made at 100",
    ]  # fmt: skip
    orders: tuple[Order, ...] = ("created", "updated")
    for order in orders:
        rows = listing.conversations(connection, order=order)
        assert [row.title for row in rows] == expected
        paged = [
            row.title
            for after in (None, *(row.id for row in rows))
            for row in listing.conversations(connection, order=order, limit=1, after=after)
        ]
        assert paged == expected
    by_title = {row.title: row.id for row in rows}
    assert listing.newest(connection) == by_title["import of 250"]
    with transaction(connection):
        writing.add_turn(connection, by_title["import of 50"], None, "user", "and now?", 300)
    assert listing.newest(connection) == by_title["import of 50"]
    assert [row.title for row in listing.conversations(connection, order="created")] == expected
    first = listing.conversations(connection, order="updated", limit=1)
    assert [row.title for row in first] == ["import of 50"]
