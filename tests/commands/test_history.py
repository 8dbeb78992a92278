"""``npulse history`` as a script meets it: a real process on a real database."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.commands.asking import ask
from tests.commands.histories import database, history, opened, said
from tests.history.made import ORIGIN, add_exchange
from tests.sim.simulator import running as simulator
from tui.history import writing
from tui.history.database import transaction

pytestmark = pytest.mark.slow


def test_the_list(home: Path) -> None:
    rows = said(home, "list")
    assert [set(row) for row in rows] == [
        {"id", "title", "created", "model", "turns", "tokens"}
    ] * 3
    assert [row["id"] for row in rows] == [3, 2, 1]
    assert rows[2] == {
        "id": 1, "title": "why is decode memory-bound?", "created": "2023-11-14T22:13:20Z",
        "model": "qwen3-4b", "turns": 5, "tokens": 27,
    }  # fmt: skip
    assert [row["id"] for row in said(home, "list", "--limit", "1")] == [3]
    code, out, _ = history(home, "--json", "list")
    assert (code, json.loads(out)) == (0, rows)
    code, out, _ = history(home, "list")
    assert code == 0
    assert len(out.splitlines()) == 3
    assert "why is decode memory-bound?" in out


def test_a_conversation_and_all_of_its_branches(home: Path) -> None:
    shown = said(home, "show", "1")
    assert set(shown) == {"id", "title", "turns"}
    keys = {"id", "parent", "role", "text", "thinking", "status", "error", "numbers"}
    assert [set(turn) for turn in shown["turns"]] == [keys] * 2
    asked, answer = shown["turns"]
    assert (asked["parent"], asked["status"], asked["numbers"]) == (None, None, None)
    assert (answer["parent"], answer["status"]) == (asked["id"], "interrupted")
    assert answer["error"] == "The connection was cut."
    assert answer["numbers"]["ttft_ms"] == 1250.0
    assert len(said(home, "show", "1", "--tree")["turns"]) == 5
    assert said(home, "show", "last")["id"] == 3
    code, out, _ = history(home, "show", "1")
    assert code == 0
    assert "[interrupted] The connection was cut." in out


def test_what_a_killed_npulse_left_is_interrupted(home: Path) -> None:
    answer = said(home, "show", "2")["turns"][1]
    assert (answer["text"], answer["status"]) == ("half", "interrupted")
    assert "interrupted after 2 tokens" in answer["error"]


def test_search(home: Path) -> None:
    (hit,) = said(home, "search", "memory", "bound")
    assert (hit["id"], hit["role"]) == (1, "user")
    assert "memory-bound" in hit["snippet"]
    assert said(home, "search", "absent") == []
    assert said(home, "search", "=") == []
    code, out, _ = history(home, "search", "bandwidth")
    assert code == 0
    assert "bandwidth" in out


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_nothing_that_is_stored_reaches_the_terminal_raw(home: Path, encoding: str) -> None:
    env = {"PYTHONIOENCODING": encoding}
    for words in (
        ("list",), ("show", "3"), ("show", "3", "--json"), ("list", "--json"), ("check",),
        ("search", "bandwidth", "--json"), ("export", "3"), ("export", "3", "--format", "json"),
        ("export", "3", "--format", "html"), ("export", "3", "--format", "csv"),
    ):  # fmt: skip
        code, _, _ = history(home, *words, **env)
        assert code == 0, words


@pytest.mark.parametrize(
    "words",
    [
        ("show", "99"), ("show", "x"), ("show", "-1"), ("show", "9" * 50), ("show", ""),
        ("export", "99"), ("list", "--limit", "-1"), ("import", "/nowhere"), ("nonsense",), (),
        ("show",), ("export", "1", "--format", "pdf"), ("prune", "--max-age-days", "x"),
        ("export", "1", "-o", "/proc/none/x.md"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence(home: Path, words: tuple[str, ...]) -> None:
    code, out, err = history(home, *words)
    assert (code, out) == (2, "")
    assert err.startswith("npulse history")
    assert err.count("\n") == 1


def test_without_a_history_there_is_nothing_and_nothing_is_made(tmp_path: Path) -> None:
    assert said(tmp_path, "list") == []
    assert said(tmp_path, "search", "x") == []
    assert said(tmp_path, "prune")["conversations"] == []
    for words in (("show", "1"), ("export",), ("check",)):
        code, out, err = history(tmp_path, *words)
        assert (code, out) == (1, "")
        assert "nothing is kept yet" in err
    assert not database(tmp_path).exists()


def test_a_newer_database_is_refused_and_left_untouched(home: Path) -> None:
    with closing(sqlite3.connect(database(home))) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = database(home).read_bytes()
    for words in (("list",), ("show", "1"), ("import", __file__), ("prune", "--yes"), ("check",)):
        code, out, err = history(home, *words)
        assert (code, out) == (1, "")
        assert "newer npulse" in err
    assert database(home).read_bytes() == before


def test_check(home: Path) -> None:
    found = said(home, "check")
    assert found["is_sound"]
    assert (found["conversations"], found["turns"], found["problems"]) == (3, 9, [])
    with closing(opened(home)) as connection:
        connection.execute("UPDATE traces SET times = x'80' WHERE turn = 2")
    code, out, err = history(home, "check", "--json")
    assert code == 1
    assert json.loads(out)["problems"] == ["the times of turn 2 are damaged"]
    assert "export" in err


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_damaged_file_is_told(home: Path, share: float) -> None:
    path = database(home)
    data = bytearray(path.read_bytes())
    at = int(len(data) * share)
    data[at : at + 6000] = b"\xa5" * len(data[at : at + 6000])
    path.write_bytes(data)
    code, _, err = history(home, "check")
    assert code == 1
    assert "damaged" in err
    for words in (("list",), ("show", "1"), ("search", "memory"), ("export",)):
        assert history(home, *words)[0] in (0, 1)


# -- prune -----------------------------------------------------------------------------------------


def test_prune_says_what_goes_and_removes_it_when_told(home: Path) -> None:
    assert said(home, "prune") == {"is_removed": False, "conversations": []}
    assert "no limit is set" in history(home, "prune")[1]
    with closing(opened(home)) as connection, transaction(connection):
        writing.set_pinned(connection, 3, True)
        writing.delete(connection, 2, 0)
    planned = said(home, "prune", "--max-age-days", "30")
    assert [(c["id"], c["reason"]) for c in planned["conversations"]] == [
        (1, "too old"), (2, "deleted"),
    ]  # fmt: skip
    assert len(said(home, "list")) == 2
    code, out, _ = history(home, "prune", NPULSE_HISTORY__MAX_AGE_DAYS="30")
    assert code == 0
    assert "--yes" in out
    removed = said(home, "prune", "--max-age-days", "30", "--yes")
    assert removed["is_removed"]
    assert [row["id"] for row in said(home, "list")] == [3]
    assert said(home, "check")["is_sound"]


def test_prune_by_size_takes_the_oldest(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as connection:
        for number in range(40):
            words = " ".join(f"w{number}x{n}" for n in range(12_000))
            add_exchange(connection, f"prompt {number}", words, created_ms=10**12 - number)
    before = database(tmp_path).stat().st_size
    assert before > 4 << 20
    said(tmp_path, "prune", "--max-size-mib", "2", "--yes")
    kept = [row["title"] for row in said(tmp_path, "list")]
    assert kept
    assert kept == [f"prompt {number}" for number in range(40)][::-1][: len(kept)]
    assert database(tmp_path).stat().st_size <= (2 << 20) * 1.3
    assert ORIGIN.model == said(tmp_path, "list")[0]["model"]


def test_an_answer_is_shown_in_time(home: Path, tmp_path: Path) -> None:
    with simulator("--decode-tps", "60", "--prefill-tps", "500") as board:
        ask(home, "hello [[tokens=40]]", "--url", board.url)
    code, out, err = history(home, "show", "last", "--timeline")
    assert (code, err) == (0, "")
    assert "SIMULATED, complete" in out
    assert "prefill" in out
    assert "Rate by sections" in out
    code, out, _ = history(home, "show", "last", "--timeline", "--json")
    assert len(json.loads(out)["chunks"]["times_ms"]) == 40
    picture = tmp_path / "a.svg"
    assert history(home, "show", "last", "--timeline", "--svg", str(picture))[0] == 0
    assert picture.read_text().startswith("<svg ")
    code, _, err = history(home, "show", "last", "--timeline", "--svg", str(picture))
    assert (code, err.count("\n")) == (2, 1)
    assert "already exists" in err
    for wrong in (["--svg", "x"], ["--turn", "2"], ["--timeline", "--turn", "1"]):
        code, _, err = history(home, "show", "last", *wrong)
        assert (code, err.count("\n")) == (2, 1)
