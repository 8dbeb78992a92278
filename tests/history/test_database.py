"""The file: whose it is, which schema it has, and what else may stand in its place."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.app.npulse import REPOSITORY
from tests.history.made import add_exchange, opened
from tui.history import database, listing, reading, writers
from tui.history.database import FILE_NAME, damage, open_for_reading, open_for_writing
from tui.history.failures import HistoryError, NewerHistoryError
from tui.history.running_answers import running
from tui.history.schema import MIGRATIONS

DATA = Path(__file__).parent / "data"
NEXT = (*MIGRATIONS, "ALTER TABLE conversations ADD COLUMN note TEXT NOT NULL DEFAULT 'x'")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with closing(opened(tmp_path / "npulse" / "history")) as connection:
            add_exchange(connection, "question", "answer")
            found = list((tmp_path / "npulse").rglob("*"))
            assert {path.name for path in found} >= {FILE_NAME, f"{FILE_NAME}-wal"}
            for path in (tmp_path / "npulse", *found):
                assert mode(path) == (0o700 if path.is_dir() else 0o600), path
    finally:
        os.umask(before)


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    opened(tmp_path).close()
    (tmp_path / FILE_NAME).chmod(0o644)
    opened(tmp_path).close()
    assert mode(tmp_path / FILE_NAME) == 0o600


def test_it_is_a_wal_with_foreign_keys_and_full_syncs(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as connection:
        values = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "foreign_keys", "synchronous", "user_version")
        ]
        assert values == ["wal", 1, 2, len(MIGRATIONS)]
        assert damage(connection, is_thorough=True) == []


def test_a_newer_database_is_refused_and_left_untouched(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    opened(tmp_path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before, when = path.read_bytes(), path.stat().st_mtime_ns
    for attempt in (open_for_writing, open_for_reading):
        with pytest.raises(NewerHistoryError, match=r"newer npulse.*update npulse"):
            attempt(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, when)
    assert [found.name for found in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("is_marked", [True, False])
def test_another_programs_database_is_left_untouched(tmp_path: Path, is_marked: bool) -> None:
    path = tmp_path / FILE_NAME
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name)")
        if is_marked:
            connection.execute("PRAGMA application_id = 1")
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(HistoryError, match="another program"):
        open_for_writing(path)
    assert path.read_bytes() == before


def as_a_folder(path: Path) -> None:
    path.mkdir()


def as_a_pipe(path: Path) -> None:
    os.mkfifo(path)


def as_text(path: Path) -> None:
    path.write_text("not a database " * 100)


def as_a_torn_file(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00\x10")


@pytest.mark.parametrize("make", [as_a_folder, as_a_pipe, as_text, as_a_torn_file])
def test_something_else_in_its_place_is_one_sentence(tmp_path: Path, make: object) -> None:
    path = tmp_path / FILE_NAME
    make(path)  # type: ignore[operator]
    for attempt in (open_for_writing, open_for_reading):
        with pytest.raises(HistoryError) as caught:
            attempt(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_file_in_place_of_the_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "npulse").write_text("")
    with pytest.raises(HistoryError, match="cannot be opened"):
        open_for_writing(tmp_path / "npulse" / FILE_NAME)


def test_reading_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="nothing is kept yet"):
        open_for_reading(tmp_path / FILE_NAME)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_just_being_made_is_nothing_yet(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).touch()
    with pytest.raises(HistoryError, match="nothing is kept yet"):
        open_for_reading(tmp_path / FILE_NAME)


def test_a_migration_backs_up_first_and_keeps_everything(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with closing(opened(tmp_path)) as connection:
        number, _, _ = add_exchange(connection, "question", "answer")
    with closing(open_for_writing(path, NEXT)) as connection:
        assert connection.execute("SELECT note FROM conversations").fetchall() == [("x",)]
        found = reading.conversation(connection, number)
        assert found is not None
        assert [turn.text for turn in found.turns] == ["question", "answer"]
    backup = tmp_path / f"history-schema-{len(MIGRATIONS)}.db"
    assert mode(backup) == 0o600
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("SELECT text FROM bodies").fetchall() == [
            ("question",),
            ("answer",),
        ]
    with pytest.raises(NewerHistoryError):
        open_for_writing(path)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as connection:
        add_exchange(connection, "question", "answer")
    broken = (
        *MIGRATIONS,
        "CREATE TABLE extra (x); DELETE FROM turns; INSERT INTO missing VALUES (1)",
    )
    with pytest.raises(HistoryError, match="cannot be opened"):
        open_for_writing(tmp_path / FILE_NAME, broken)
    with closing(opened(tmp_path)) as connection:
        assert connection.execute("SELECT count(*) FROM turns").fetchone() == (2,)
        assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'extra'").fetchall()


def test_the_first_schema_on_disk_is_still_read(tmp_path: Path) -> None:
    """A file that schema 1 wrote, as SQL: never changed, whatever becomes of the schema."""
    path = tmp_path / FILE_NAME
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((DATA / "schema_1.sql").read_text("utf-8"))
    with closing(open_for_writing(path)) as connection:
        assert damage(connection, is_thorough=True) == []
        (row,) = listing.conversations(connection)
        assert (row.title, row.turns, row.tokens, row.model) == ("why?", 4, 7, "qwen3-4b")
        assert row.tags == ("physics",)
        found = reading.conversation(connection, row.id)
        assert found is not None
        assert [(turn.role, turn.text, turn.status) for turn in found.turns] == [
            ("user", "why?", None),
            ("assistant", "because of 你好", "complete"),
            ("user", "and then?", None),
            ("assistant", "half an", "interrupted"),
        ]
        assert reading.times_ns(connection, found.turns[1].id) == [1_250_000_000, 1_570_000_000]
        assert [hit.turn for hit in reading.search(connection, "你好")] == [found.turns[1].id]


def test_the_second_schema_says_which_numbers_are_estimated(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with closing(open_for_writing(path, MIGRATIONS[:1])) as connection:
        connection.execute("INSERT INTO conversations (uid, title, created_ms) VALUES ('', '', 0)")
        for source in ("estimated", "runtime"):
            turn = connection.execute(
                "INSERT INTO turns (conversation, role, created_ms, tokens, decode_tps)"
                " VALUES (1, 'assistant', 0, 5, 3.0)"
            ).lastrowid
            numbers = f'{{"tokens_source": "{source}", "decode_source": "{source}"}}'
            connection.execute(
                "INSERT INTO bodies (turn, text, numbers) VALUES (?, 'words', ?)", (turn, numbers)
            )
    with closing(open_for_writing(path)) as connection:
        (row,) = listing.conversations(connection)
        assert (row.tokens, row.is_tokens_estimated, row.is_decode_estimated) == (10, True, False)
        connection.execute("DELETE FROM turns WHERE id = 1")
        (row,) = listing.conversations(connection)
        assert (row.tokens, row.is_tokens_estimated) == (5, False)


@pytest.mark.parametrize("schema", range(2, len(MIGRATIONS)))
def test_later_schemas_on_disk_are_still_read(tmp_path: Path, schema: int) -> None:
    """A file that this schema wrote, with an answer that its npulse did not finish."""
    path = tmp_path / FILE_NAME
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((DATA / f"schema_{schema}.sql").read_text("utf-8"))
    with closing(open_for_writing(path)) as connection:
        assert damage(connection, is_thorough=True) == []
        (killed,) = running(connection)
        assert (killed.receiver.turn, killed.receiver.is_alive, killed.receiver.place) == (
            6,
            False,
            "unknown" if schema < 3 else "ask",
        )
        assert (killed.prompt, killed.tokens) == ("and now?", 3)
        assert writers.recover_all(connection) == 1
        assert running(connection) == []
        found = reading.conversation(connection, 1)
        assert found is not None
        assert [(turn.text, turn.status) for turn in found.turns[-3:]] == [
            ("half an", "interrupted"),
            ("and now?", None),
            ("it was killed", "interrupted"),
        ]
        ends = [reading.chunk_ends(connection, answer) for answer in (2, 4, 6)]
        known = [None if one is None else one.text.tolist() for one in ends]
        assert known == ([None] * 3 if schema < 4 else [[8, 13], None, [3, 7, 13]])
    backup = tmp_path / f"history-schema-{schema}.db"
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (schema,)


def make_exchanges(folder: Path, name: str, count: int) -> None:
    with closing(opened(folder)) as connection:
        for number in range(count):
            add_exchange(connection, f"{name} {number}", "answer")


@pytest.mark.slow
def test_two_processes_may_make_it_and_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    each = 20
    workers = [context.Process(target=make_exchanges, args=(tmp_path, name, each)) for name in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    with closing(opened(tmp_path)) as connection:
        assert listing.count(connection) == 2 * each
        assert damage(connection, is_thorough=True) == []


def test_a_file_that_another_process_makes_meanwhile_is_no_other_programs(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:

        def make_it_first(statement: str) -> None:
            if "sqlite_master" in statement:
                connection.set_trace_callback(None)
                opened(tmp_path).close()

        connection.set_trace_callback(make_it_first)
        assert database._version(connection, path, len(MIGRATIONS)) == len(MIGRATIONS)


LOOK_AND_LEAVE = """
import sys
from contextlib import closing
from pathlib import Path
from tui.history.database import open_for_writing
closing(open_for_writing(Path(sys.argv[1]))).__enter__().close()
"""


@pytest.mark.parametrize("look", [open_for_reading, open_for_writing])
def test_another_connection_of_the_process_keeps_the_locks_of_the_first(
    tmp_path: Path, look: Callable[[Path], sqlite3.Connection]
) -> None:
    """Else another process takes the log for left behind and removes it, with all that follows."""
    path = tmp_path / FILE_NAME
    with closing(opened(tmp_path)) as connection:
        add_exchange(connection, "before", "answer")
        look(path).close()
        subprocess.run(
            [sys.executable, "-c", LOOK_AND_LEAVE, str(path)],
            check=True,
            cwd=REPOSITORY,
            timeout=60,
        )
        add_exchange(connection, "after", "answer")
        code = f"{LOOK_AND_LEAVE}\nfrom tui.history import listing\n"
        code += "with closing(open_for_writing(Path(sys.argv[1]))) as c: print(listing.count(c))"
        shown = subprocess.run(
            [sys.executable, "-c", code, str(path)],
            check=True, cwd=REPOSITORY, timeout=60, capture_output=True, text=True,
        )  # fmt: skip
        assert shown.stdout.strip() == "2"
