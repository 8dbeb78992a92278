"""A disk or a database that fails while answers are kept."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.history.made import ORIGIN, opened
from tests.history.recorders import Problems, begun, stored
from tests.history.streams import asked, end, feed
from tests.waiting import wait_until
from tui.history import database, reading, writing
from tui.history.database import FILE_NAME, open_for_writing, transaction
from tui.history.kept_answer import KeptConversation
from tui.history.recorder import Recorder


def test_a_locked_database_delays_nobody_and_loses_nothing(
    tmp_path: Path, kept: Recorder, problems: Problems
) -> None:
    opened(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        turn = asked("the question")
        answer = kept.record(turn, ORIGIN, KeptConversation())
        assert answer.is_stored.result(60) is False
        feed(turn, "an ", "answer")
        wait_until(lambda: bool(problems))
        assert problems[0] is not None
        assert "another program holds it locked" in problems[0]
        assert str(tmp_path) in problems[0]
        assert kept.problem == problems[0]
        other.execute("ROLLBACK")
    wait_until(lambda: problems[-1] is None)
    wait_until(lambda: stored(tmp_path)[-1].text == "an answer")
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
        path.write_text("not a database" * 100)
    elif what == "pipe":
        os.mkfifo(path)
    made = Recorder(path, problems.append)
    turns = [asked(), asked()]
    for turn in turns:
        assert made.record(turn, ORIGIN, KeptConversation()).is_stored.result(60) is False
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
from tests.history.made import ORIGIN
from tests.history.streams import asked, end, feed
from tui.history.kept_answer import KeptConversation
from tui.history import recorder
recorder.EVERY_S = recorder.RETRY_S = 0.05
said = []
kept = recorder.Recorder(Path(sys.argv[1]), said.append)
first = asked("fits")
answer = kept.record(first, ORIGIN, KeptConversation())
assert answer.is_stored.result(60)
feed(first, "small"); end(first)
while kept._answers: time.sleep(0.01)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 10, hard))
turn = asked("too much")
kept.record(turn, ORIGIN, KeptConversation(), after=answer).is_stored.result(60)
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
    kept.record(turn, ORIGIN, KeptConversation()).is_stored.result(60)
    words = [f"w{n} " for n in range(8)]
    for word in words:
        feed(turn, word)
        time.sleep(0.02)
    end(turn)
    wait_until(lambda: not kept._answers)
    kept.close()
    assert left[0] <= 0 or not problems
    assert [(t.text, t.status) for t in stored(tmp_path)] == [
        ("the question", None),
        ("".join(words), "complete"),
    ]
    with closing(opened(tmp_path)) as connection:
        assert connection.execute("SELECT count(*) FROM pieces").fetchone() == (0,)
        assert len(reading.search(connection, "w7")) == 1
